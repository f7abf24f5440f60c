//! Tables in Markdown.

use crate::drain::{Drain, DrainRound};
use crate::fill::Filled;
use crate::history::History;
use crate::live::Live;
use crate::ratios::Ratios;
use crate::sample::{Row, median};
use crate::start_up::StartUp;

/// Figures below this number are written with decimal places.
const ROUND_FROM: f64 = 100.0;
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// The text of an empty cell.
const NONE: &str = "–";

/// Formats a figure as a whole number with separators of thousands. A figure below [`ROUND_FROM`] has one
/// decimal place.
pub(crate) fn format_count(value: f64) -> String {
    if value < ROUND_FROM {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a figure like [`format_count`], but with two decimal places below [`ROUND_FROM`]; `None` is a
/// dash.
pub(crate) fn format_option(value: Option<f64>) -> String {
    match value {
        Some(value) if value < ROUND_FROM => format!("{value:.2}"),
        Some(value) => format_count(value),
        None => NONE.into(),
    }
}

/// The heading and the figure of a column of ratios.
type RatioColumn = (&'static str, fn(&Ratios) -> Option<f64>);

const RATIO_COLUMNS: [RatioColumn; 3] = [
    ("of hello", |ratios| ratios.of_hello),
    ("of native", |ratios| ratios.of_native),
    ("of EVALSHA", |ratios| ratios.of_evalsha),
];

/// A column before the figures, with the value that varies in a section.
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) value: fn(&Row) -> String,
}

/// Writes a table of rows with all figures. The ratios are to rows of `all`. A column of ratios or of Redis
/// commands that has no figure is left out.
pub(crate) fn write_rows(rows: &[&Row], all: &[Row], column: Option<&Column>) -> String {
    let ratios: Vec<Ratios> = rows.iter().map(|row| Ratios::of(row, all)).collect();
    let shown = RATIO_COLUMNS.map(|(heading, ratio)| {
        let has_one = ratios.iter().any(|ratios| ratio(ratios).is_some());
        has_one.then_some((heading, ratio))
    });
    let shown: Vec<RatioColumn> = shown.into_iter().flatten().collect();
    let mut headings = vec!["request"];
    headings.extend(column.map(|column| column.heading));
    headings.extend(["system", "requests/s"]);
    headings.extend(shown.iter().map(|(heading, _)| heading));
    headings.extend(["p50 ms", "p99 ms", "p99.9 ms", "errors"]);
    headings.extend(["client µs", "server µs", "Redis µs", "server MiB", "Redis MiB"]);
    let has_commands = rows.iter().any(|row| row.redis_commands.is_some());
    headings.extend(has_commands.then_some("Redis commands"));
    let lines = rows.iter().zip(&ratios).map(|(row, ratios)| {
        let mut cells = vec![row.case.operation.name().to_owned()];
        cells.extend(column.map(|column| (column.value)(row)));
        cells.extend([row.system.clone(), format_count(row.requests_per_s())]);
        cells.extend(shown.iter().map(|(_, ratio)| format_option(ratio(ratios))));
        cells.push(format_option(row.latency(|load| Some(load.p50_ms))));
        cells.push(format_option(row.latency(|load| Some(load.p99_ms))));
        cells.push(format_option(row.latency(|load| load.p999_ms)));
        cells.push(row.errors().to_string());
        cells.push(format_option(row.median(|sample| Some(sample.cpu.client_us))));
        cells.push(format_option(row.median(|sample| sample.cpu.server_us)));
        cells.push(format_option(row.median(|sample| sample.cpu.redis_us)));
        cells.push(format_whole(row.median(|sample| sample.memory.server_mib)));
        cells.push(format_whole(row.median(|sample| sample.memory.redis_mib)));
        cells.extend(has_commands.then(|| format_option(row.redis_commands)));
        cells
    });
    write_table(&headings, 2 + usize::from(column.is_some()), lines)
}

/// Writes the table of the times until the first answer.
pub(crate) fn write_start_ups(start_ups: &[StartUp]) -> String {
    let headings = ["start", "rounds", "median s", "fastest s", "slowest s"];
    let lines = start_ups.iter().map(|start_up| {
        let seconds = &start_up.seconds;
        let figures = [
            median(seconds.clone()),
            seconds.iter().copied().min_by(f64::total_cmp),
            seconds.iter().copied().max_by(f64::total_cmp),
        ];
        let mut cells = vec![start_up.start.to_owned(), seconds.len().to_string()];
        cells.extend(figures.map(format_option));
        cells
    });
    write_table(&headings, 1, lines)
}

/// Writes the table of the drains of the queue, as medians of the rounds.
pub(crate) fn write_drains(drains: &[Drain]) -> String {
    let headings = [
        "store",
        "source",
        "scores each",
        "scores/s",
        "server µs",
        "Redis µs",
    ];
    let lines = drains.iter().map(|drain| {
        let of_rounds =
            |figure: fn(&DrainRound) -> Option<f64>| median(drain.rounds.iter().filter_map(figure).collect());
        vec![
            drain.system.to_owned(),
            drain.source.to_owned(),
            drain.scores_each.to_string(),
            format_option(of_rounds(|round| Some(round.scores_per_s))),
            format_option(of_rounds(|round| Some(round.server_us))),
            format_option(of_rounds(|round| round.redis_us)),
        ]
    });
    write_table(&headings, 2, lines)
}

/// Writes the table of the reads of instants: the median and the longest time of the first and of the second reads.
pub(crate) fn write_histories(histories: &[History]) -> String {
    let headings = [
        "store",
        "events",
        "first read, ms",
        "longest",
        "second read, ms",
        "longest",
        "comparison, s",
    ];
    let lines = histories.iter().map(|history| {
        let mut cells = vec![history.system.to_owned(), history.events.to_string()];
        for times in [&history.first_ms, &history.second_ms] {
            let longest = times.iter().copied().max_by(f64::total_cmp);
            cells.extend([median(times.clone()), longest].map(format_option));
        }
        cells.push(format!("{:.2}", history.comparison_s));
        cells
    });
    write_table(&headings, 1, lines)
}

/// Writes the table of live updates: the delays of scores, and what a stream costs.
pub(crate) fn write_lives(lives: &[Live]) -> String {
    let headings = [
        "store",
        "streams",
        "scores/s",
        "median, ms",
        "p99, ms",
        "longest, ms",
        "KiB a stream",
        "server cores",
    ];
    let lines = lives.iter().map(|live| {
        let mut cells = vec![live.system.to_owned(), live.streams.to_string()];
        cells.push(format_option(Some(live.scores_per_s)));
        cells.extend(live.delays_ms.map(|delay| format_option(Some(delay))));
        cells.push(format!("{:.1}", live.kib_per_stream));
        cells.push(format!("{:.2}", live.server_cores));
        cells
    });
    write_table(&headings, 1, lines)
}

/// Writes the table of the times and sizes of the filled stores.
pub(crate) fn write_filled(filled: &[Filled]) -> String {
    let headings = [
        "store",
        "tenants",
        "leaderboards each",
        "entries each",
        "seconds",
        "entries/s",
        "data MiB",
        "bytes an entry",
        "WAL MiB",
    ];
    let lines = filled.iter().map(|filled| {
        let data = filled.data;
        let to_float = |number: u64| {
            #[expect(clippy::cast_precision_loss, reason = "the size of a store")]
            let float = number as f64;
            float
        };
        let (entries, bytes) = (to_float(data.total_entries()), to_float(filled.size.data_bytes));
        let wal_mib = filled.size.wal_bytes.map(|bytes| to_float(bytes) / BYTES_PER_MIB);
        vec![
            filled.system.clone(),
            data.tenants.to_string(),
            data.leaderboards.to_string(),
            data.entries_each().to_string(),
            format!("{:.1}", filled.seconds),
            format_count(entries / filled.seconds),
            format!("{:.1}", bytes / BYTES_PER_MIB),
            format_whole(Some(bytes / entries)),
            format_whole(wal_mib),
        ]
    });
    write_table(&headings, 1, lines)
}

/// Formats a figure as a whole number; `None` is a dash.
fn format_whole(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.into(), |value| format!("{value:.0}"))
}

/// Writes a table whose first `texts` columns are text, and whose other columns are numbers.
pub(crate) fn write_table(
    headings: &[&str],
    texts: usize,
    lines: impl Iterator<Item = Vec<String>>,
) -> String {
    let mut table = format!("| {} |\n|", headings.join(" | "));
    for index in 0..headings.len() {
        table.push_str(if index < texts { "---|" } else { "---:|" });
    }
    table.push('\n');
    for cells in lines {
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(format_count(1_234_567.4), "1,234,567");
        assert_eq!(format_count(123.4), "123");
        assert_eq!(format_count(12.34), "12.3");
    }

    #[test]
    fn the_table_of_starts_has_the_median_and_both_ends() {
        let start_up = StartUp {
            start: "second",
            seconds: vec![0.5, 0.25, 1.0],
        };
        let table = write_start_ups(&[start_up]);
        assert!(
            table.ends_with("| second | 3 | 0.50 | 0.25 | 1.00 |\n"),
            "{table}"
        );
    }

    #[test]
    fn a_missing_figure_is_a_dash() {
        assert_eq!(format_option(None), "–");
        assert_eq!(format_option(Some(0.456)), "0.46");
        assert_eq!(format_option(Some(1_500.2)), "1,500");
    }
}
