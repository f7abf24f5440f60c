//! The text of the report.

use crate::drain::Drain;
use crate::fill::Filled;
use crate::history::History;
use crate::live::Live;
use crate::machine;
use crate::markdown::{self, Column, format_option};
use crate::measure::Plan;
use crate::sample::{
    AT_HALF_RATE, AT_SATURATION, BY_CONNECTIONS, BY_ENTRIES, BY_LEADERBOARDS, BY_TENANTS, LIKE_SPIN, Row,
};
use crate::start_up::StartUp;

/// The figures of the report.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) filled: Vec<Filled>,
    pub(crate) start_ups: Vec<StartUp>,
    pub(crate) drains: Vec<Drain>,
    pub(crate) histories: Vec<History>,
    pub(crate) lives: Vec<Live>,
}

/// A section with a table of rows.
struct Section<'a> {
    title: String,
    rows: Vec<&'a Row>,
    column: Option<Column>,
    /// The names of the plots before the table.
    plots: &'static [&'static str],
}

/// Writes the introduction: the date, the commit, the machine, and how often and how long each row is
/// measured.
pub(crate) fn introduce(plan: Plan) -> String {
    let Plan { rounds, seconds, .. } = plan;
    format!(
        "# Report\n{}. {}. Medians of {rounds} interleaved rounds of {seconds} s; \
         history and live updates: one round. `docs/operations/benchmarks.md` says how to read it; every round: \
         [rounds.jsonl](rounds.jsonl).\n",
        machine::date_and_commit(),
        machine::describe(),
    )
}

/// Writes the introduction and the sections that have rows. `connections` are those of all sections except the
/// one that varies them.
pub(crate) fn write(intro: &str, figures: &Figures, connections: u32, saturation_seconds: f64) -> String {
    let mut text = intro.to_owned();
    for section in list_sections(figures, connections, saturation_seconds) {
        if section.rows.is_empty() {
            continue;
        }
        text.push_str(&format!("\n## {}\n", section.title));
        for plot in section.plots {
            text.push_str(&format!("![{plot}]({plot}.svg)\n\n"));
        }
        let table = markdown::write_rows(&section.rows, &figures.rows, section.column.as_ref());
        text.push_str(&table);
    }
    if !figures.start_ups.is_empty() {
        let table = markdown::write_start_ups(&figures.start_ups);
        text.push_str(&format!("\n## Start-up\n{table}"));
    }
    if !figures.drains.is_empty() {
        let table = markdown::write_drains(&figures.drains);
        text.push_str(&format!("\n## Draining the queue\n{table}"));
    }
    if !figures.histories.is_empty() {
        let table = markdown::write_histories(&figures.histories);
        text.push_str(&format!("\n## History\n{table}"));
    }
    if !figures.lives.is_empty() {
        let table = markdown::write_lives(&figures.lives);
        text.push_str(&format!("\n## Live updates\n{table}"));
    }
    if !figures.filled.is_empty() {
        let table = markdown::write_filled(&figures.filled);
        text.push_str(&format!("\n## Loading\n{table}"));
    }
    text
}

fn list_sections(figures: &Figures, connections: u32, saturation_seconds: f64) -> Vec<Section<'_>> {
    let rows_of = |section: &str| select_rows(figures, |row| row.section == section);
    let plain = |title: &str, rows| Section {
        title: title.to_owned(),
        rows,
        column: None,
        plots: &[],
    };
    let is_base = |row: &Row| row.case.connections == connections;
    vec![
        Section {
            plots: &["cpu"],
            ..plain(
                "Side by side",
                select_rows(figures, |row| row.section == BY_CONNECTIONS && is_base(row)),
            )
        },
        Section {
            column: Some(Column {
                heading: "connections",
                value: |row| row.case.connections.to_string(),
            }),
            plots: &["connections", "latency"],
            ..plain(
                "Connections",
                select_rows(figures, |row| row.section == BY_CONNECTIONS && !is_base(row)),
            )
        },
        Section {
            column: Some(Column {
                heading: "rate sent",
                value: |row| format_option(row.median(|sample| sample.rate)),
            }),
            ..plain("Half of the rate", rows_of(AT_HALF_RATE))
        },
        plain(&name_saturation(saturation_seconds), rows_of(AT_SATURATION)),
        plain("Spin's settings", rows_of(LIKE_SPIN)),
        Section {
            column: Some(Column {
                heading: "entries",
                value: |row| row.data.entries_each().to_string(),
            }),
            plots: &["entries"],
            ..plain("Entries", rows_of(BY_ENTRIES))
        },
        plain("A thousand leaderboards", rows_of(BY_LEADERBOARDS)),
        plain("A thousand tenants", rows_of(BY_TENANTS)),
    ]
}

/// Returns the title of the section of the long runs.
fn name_saturation(seconds: f64) -> String {
    if (seconds - 60.0).abs() < f64::EPSILON {
        "A minute of saturation".into()
    } else {
        format!("{seconds} s of saturation")
    }
}

/// Returns the rows that `is_wanted` selects, sorted by operation. Rows of the same operation keep their
/// order.
fn select_rows(figures: &Figures, is_wanted: impl Fn(&Row) -> bool) -> Vec<&Row> {
    let mut rows: Vec<&Row> = figures.rows.iter().filter(|row| is_wanted(row)).collect();
    rows.sort_by_key(|row| row.case.operation);
    rows
}
