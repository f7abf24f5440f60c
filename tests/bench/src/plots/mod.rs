//! The plots of the report, as SVG.

mod bars;
mod grid;

use std::path::Path;

use anyhow::Result;
use plotters::style::RGBColor;

use crate::operation::Operation;
use crate::sample::{BY_CONNECTIONS, BY_ENTRIES, Row};

/// The systems with their colours, from the palette of Okabe and Ito, which colour-blind people can
/// distinguish.
const SYSTEM_COLORS: [(&str, RGBColor); 4] = [
    ("Edgeboard, Redis", RGBColor(0, 114, 178)),
    ("Edgeboard, SQLite", RGBColor(213, 94, 0)),
    ("native, Redis", RGBColor(0, 158, 115)),
    ("redis-benchmark", RGBColor(204, 121, 167)),
];
const FONT: &str = "sans-serif";

/// Draws all plots into a directory.
pub(crate) fn draw_all(directory: &Path, rows: &[Row], base_connections: u32) -> Result<()> {
    let of_connections: Vec<&Row> = rows.iter().filter(|row| row.section == BY_CONNECTIONS).collect();
    let base = |row: &Row| row.section == BY_CONNECTIONS && row.case.connections == base_connections;
    let of_base: Vec<&Row> = rows.iter().filter(|row| base(row)).collect();
    let of_entries: Vec<&Row> = rows
        .iter()
        .filter(|row| base(row) || row.section == BY_ENTRIES)
        .collect();
    let connections = |row: &Row| f64::from(row.case.connections);
    let p99 = |row: &Row| row.latency(|load| Some(load.p99_ms));
    grid::draw(
        &directory.join("connections.svg"),
        "requests/s by connections",
        &collect_panels(&of_connections, connections, |row| Some(row.requests_per_s())),
    )?;
    grid::draw(
        &directory.join("latency.svg"),
        "p99 in ms by connections",
        &collect_panels(&of_connections, connections, p99),
    )?;
    #[expect(clippy::cast_precision_loss, reason = "an axis of a plot")]
    let entries = |row: &Row| row.data.entries_each() as f64;
    let p50 = |row: &Row| row.latency(|load| Some(load.p50_ms));
    let mut panels = collect_panels(&of_entries, entries, p50);
    // An operation that was measured with only one size has no line.
    panels.retain(|panel| panel.lines.iter().any(|line| line.points.len() > 1));
    grid::draw(&directory.join("entries.svg"), "p50 in ms by entries", &panels)?;
    bars::draw(
        &directory.join("cpu.svg"),
        "processor time of a request",
        &of_base,
    )
}

/// One operation in a plot.
struct Panel {
    operation: Operation,
    lines: Vec<Line>,
}

/// The points of a system. Their coordinates are positive, because both axes are logarithmic.
struct Line {
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Collects a panel for each operation that has points with these coordinates.
fn collect_panels(rows: &[&Row], x: impl Fn(&Row) -> f64, y: impl Fn(&Row) -> Option<f64>) -> Vec<Panel> {
    let panel = |operation| {
        let lines = SYSTEM_COLORS.iter().map(|(system, color)| {
            let own = rows
                .iter()
                .filter(|row| row.case.operation == operation && row.system == *system);
            let points = own.filter_map(|row| Some((x(row), y(row).filter(|y| *y > 0.0)?)));
            Line {
                color: *color,
                points: points.collect(),
            }
        });
        Panel {
            operation,
            lines: lines.filter(|line| !line.points.is_empty()).collect(),
        }
    };
    let panels = Operation::ALL.into_iter().map(panel);
    panels.filter(|panel| !panel.lines.is_empty()).collect()
}
