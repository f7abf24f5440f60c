//! A plot with one panel for each operation.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::{FONT, Panel, SYSTEM_COLORS};

const COLUMNS: usize = 4;
// Sizes and positions are in pixels.
const PANEL_SIZE: (u32, u32) = (300, 240);
const LABEL_AREA: (u32, u32) = (52, 28);
const TITLE_SIZE: u32 = 20;
const PANEL_TITLE_SIZE: u32 = 15;
const LABEL_SIZE: u32 = 12;
const MARGIN: u32 = 8;
const LINE_WIDTH: u32 = 2;
const POINT_SIZE: u32 = 3;
/// The position of the legend in its panel.
const LEGEND_AT: (i32, i32) = (24, 50);
/// The distance of the lines of the legend.
const LEGEND_STEP: i32 = 26;
const LEGEND_MARK: i32 = 22;
/// The factor by which an axis extends beyond the points.
const AXIS_MARGIN: f64 = 1.25;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws the panels, and after them a panel with the legend.
pub(super) fn draw(file: &Path, title: &str, panels: &[Panel]) -> Result<()> {
    if panels.is_empty() {
        return Ok(());
    }
    let rows = (panels.len() + 1).div_ceil(COLUMNS);
    let columns = COLUMNS.min(panels.len() + 1);
    let size = (
        PANEL_SIZE.0 * u32::try_from(columns)?,
        PANEL_SIZE.1 * u32::try_from(rows)? + 2 * TITLE_SIZE,
    );
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    let areas = root
        .titled(title, (FONT, TITLE_SIZE))?
        .split_evenly((rows, columns));
    for (panel, area) in panels.iter().zip(&areas) {
        draw_panel(area, panel).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    }
    if let Some(area) = areas.get(panels.len()) {
        draw_legend(area)?;
    }
    Ok(root.present()?)
}

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Result<()> {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let x_range = find_range(points().map(|point| point.0));
    let y_range = widen_to_decades(&find_range(points().map(|point| point.1)));
    let mut chart = ChartBuilder::on(area)
        .caption(panel.operation.name(), (FONT, PANEL_TITLE_SIZE))
        .margin(MARGIN)
        .y_label_area_size(LABEL_AREA.0)
        .x_label_area_size(LABEL_AREA.1)
        .build_cartesian_2d(x_range.log_scale(), y_range.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(4)
        .y_labels(5)
        .x_label_formatter(&|value| format_label(*value))
        .y_label_formatter(&|value| format_label(*value))
        .label_style((FONT, LABEL_SIZE))
        .draw()?;
    for line in &panel.lines {
        let style = line.color.stroke_width(LINE_WIDTH);
        chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
        let point = |point: &(f64, f64)| Circle::new(*point, POINT_SIZE, line.color.filled());
        chart.draw_series(line.points.iter().map(point))?;
    }
    Ok(())
}

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let (x, mut y) = LEGEND_AT;
    for (system, color) in SYSTEM_COLORS {
        area.draw(&PathElement::new(
            [(x, y), (x + LEGEND_MARK, y)],
            color.stroke_width(LINE_WIDTH),
        ))?;
        area.draw(&Circle::new((x + LEGEND_MARK / 2, y), POINT_SIZE, color.filled()))?;
        let text_at = (x + LEGEND_MARK + LEGEND_MARK / 2, y - LEGEND_STEP / 4);
        area.draw(&Text::new(system, text_at, (FONT, PANEL_TITLE_SIZE)))?;
        y += LEGEND_STEP;
    }
    Ok(())
}

/// Returns a range around positive values.
fn find_range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::MAX, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    low / AXIS_MARGIN..high * AXIS_MARGIN
}

/// Widens a range to powers of ten, so that the axis has labels.
fn widen_to_decades(range: &std::ops::Range<f64>) -> std::ops::Range<f64> {
    10_f64.powf(range.start.log10().floor())..10_f64.powf(range.end.log10().ceil())
}

fn format_label(value: f64) -> String {
    match value {
        1_000_000.0.. => format!("{}M", value / 1_000_000.0),
        1_000.0.. => format!("{}k", value / 1_000.0),
        1.0.. => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}
