//! The report of the benchmarks, in Markdown.

use std::fmt::Write;
use std::num::NonZero;
use std::process::Command;

use serde_json::Value;

use super::{Row, Section};
use crate::workspace::Workspace;

/// The field that says what a row is about; it is the first column.
pub(super) const NAME_COLUMN: &str = "measured";

/// Where and on what the figures were measured.
pub(super) struct Machine {
    date: String,
    commit: String,
    cores: usize,
    processor: String,
}

impl Machine {
    /// This machine, now; what cannot be found out is `unknown`.
    pub(super) fn here(workspace: &Workspace) -> Self {
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(arguments)
                .current_dir(&workspace.root)
                .output()
                .ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        let unknown = || "unknown".to_owned();
        Self {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_else(unknown),
            commit: said("git", &["describe", "--always", "--dirty"]).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            processor: processor().unwrap_or_else(unknown),
        }
    }
}

/// The name of the processor, where Linux tells it.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// The whole report.
pub(super) fn write(machine: &Machine, sections: &[Section]) -> String {
    let Machine {
        date,
        commit,
        cores,
        processor,
    } = machine;
    let mut text = format!(
        "# Benchmarks\n\n{date}, commit {commit}, {cores} cores ({processor}); repeat with `scripts/bench`.\n"
    );
    for section in sections {
        let Section {
            name,
            command,
            seconds,
            rows,
        } = section;
        text.push_str(&format!("\n## {name}\n\n`{command}`, {seconds} s.\n\n"));
        text.push_str(&table(rows));
    }
    text
}

/// A table with a column for each field that a row has.
fn table(rows: &[Row]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for field in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(&field.as_str()) {
            columns.push(field);
        }
    }
    columns.sort_by_key(|column| *column != NAME_COLUMN);
    if columns.is_empty() {
        return "It reported nothing.\n".to_owned();
    }
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let cells = columns
            .iter()
            .map(|column| row.get(*column).map(cell).unwrap_or_default());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('|', "\\|"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_columns_are_the_fields_of_all_rows() {
        let rows = [
            row(r#"{"a": 1, "measured": "x|y"}"#),
            row(r#"{"b": true, "measured": "z"}"#),
        ];
        assert_eq!(
            table(&rows),
            "| measured | a | b |\n|---|---|---|\n| x\\|y | 1 |  |\n| z |  | true |\n"
        );
    }

    #[test]
    fn a_report_says_where_and_how() {
        let machine = Machine {
            date: "today".into(),
            commit: "abc".into(),
            cores: 2,
            processor: "fast".into(),
        };
        let section = Section {
            name: "Host".into(),
            command: "cargo bench -p leaderboard-host".into(),
            seconds: 9,
            rows: Vec::new(),
        };
        let text = write(&machine, &[section]);
        assert!(text.contains("today, commit abc, 2 cores (fast)"));
        assert!(text.contains("## Host\n\n`cargo bench -p leaderboard-host`, 9 s.\n\nIt reported nothing."));
    }
}
