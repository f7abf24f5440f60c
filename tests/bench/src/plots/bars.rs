//! A plot of stacked bars. It shows how the processor time of a request is split.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;

use super::FONT;
use crate::markdown::format_count;
use crate::sample::Row;

/// The parts of a bar, with their colours.
const PARTS: [(&str, RGBColor); 3] = [
    ("client", RGBColor(190, 190, 190)),
    ("server", RGBColor(0, 114, 178)),
    ("Redis", RGBColor(213, 94, 0)),
];
// Sizes and positions are in pixels.
const WIDTH: u32 = 1_000;
const TOP: i32 = 64;
const BAR_STEP: i32 = 24;
const BAR_HEIGHT: i32 = 16;
const BARS_FROM: i32 = 300;
const BARS_TO: i32 = 900;
const NAMES_AT: i32 = 12;
const GAP: i32 = 8;
const LEGEND_STEP: i32 = 100;
const TITLE_SIZE: u32 = 20;
const TEXT_SIZE: u32 = 14;

/// Draws a bar for each row. All bars have the same length, and the time of a request is written after its
/// bar.
pub(super) fn draw(file: &Path, title: &str, rows: &[&Row]) -> Result<()> {
    let bars: Vec<Bar> = rows.iter().map(|row| Bar::of(row)).collect();
    if bars.is_empty() {
        return Ok(());
    }
    let height = u32::try_from(TOP)? + u32::try_from(BAR_STEP)? * u32::try_from(bars.len() + 1)?;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (NAMES_AT, GAP), (FONT, TITLE_SIZE)))?;
    for (index, (name, color)) in (0..).zip(PARTS) {
        let x = BARS_FROM + index * LEGEND_STEP;
        let y = TOP - BAR_STEP;
        root.draw(&Rectangle::new(
            [(x, y), (x + BAR_HEIGHT, y + BAR_HEIGHT)],
            color.filled(),
        ))?;
        root.draw(&Text::new(name, (x + BAR_HEIGHT + GAP, y), (FONT, TEXT_SIZE)))?;
    }
    for (index, bar) in (0..).zip(&bars) {
        let y = TOP + index * BAR_STEP;
        root.draw(&Text::new(bar.name.clone(), (NAMES_AT, y), (FONT, TEXT_SIZE)))?;
        let mut before = 0.0;
        for (part, (_, color)) in bar.parts.iter().zip(PARTS) {
            let ends = [before, before + part].map(|value| to_pixel(value / bar.total()));
            root.draw(&Rectangle::new(
                [(ends[0], y), (ends[1], y + BAR_HEIGHT)],
                color.filled(),
            ))?;
            before += part;
        }
        let text_at = (BARS_TO + GAP, y);
        root.draw(&Text::new(
            format!("{} µs", format_count(bar.total())),
            text_at,
            (FONT, TEXT_SIZE),
        ))?;
    }
    Ok(root.present()?)
}

struct Bar {
    name: String,
    /// The microseconds of the client, the server and Redis.
    parts: [f64; 3],
}

impl Bar {
    fn of(row: &Row) -> Self {
        let parts = [
            row.median(|sample| Some(sample.cpu.client_us)),
            row.median(|sample| sample.cpu.server_us),
            row.median(|sample| sample.cpu.redis_us),
        ];
        Self {
            name: format!("{}: {}", row.case.operation.name(), row.system),
            parts: parts.map(Option::unwrap_or_default),
        }
    }

    fn total(&self) -> f64 {
        self.parts.iter().sum()
    }
}

/// Returns the horizontal position of the end of a share of a bar, in pixels.
fn to_pixel(share: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the plot")]
    let length = (share * f64::from(BARS_TO - BARS_FROM)) as i32;
    BARS_FROM + length
}
