//! Prints a table of one build, or of an earlier and the current build side by side.

use anyhow::{Result, bail};

use crate::RunArgs;
use crate::data::Data;
use crate::machine;
use crate::markdown::{format_count, format_option, write_table};
use crate::measure::{Plan, measure};
use crate::operation::Operation;
use crate::progress::Progress;
use crate::sample::{Case, Load, Row, median_ratio};
use crate::system::{Service, System};

const CONNECTIONS: u32 = 32;
const DEFAULT_DIGITS: u32 = 4;
const DEFAULT_ROUNDS: u32 = 3;
const DEFAULT_SECONDS: f64 = 3.0;

/// A figure of each build.
struct Figure {
    heading: &'static str,
    value: fn(&Row) -> String,
    /// What the builds are compared by; `None` if no ratio is shown.
    ratio_of: Option<fn(&Load) -> f64>,
}

/// The figures of a line, in their order.
const FIGURES: [Figure; 6] = [
    Figure {
        heading: "requests/s",
        value: |row| format_count(row.requests_per_s()),
        ratio_of: Some(|load| load.requests_per_s),
    },
    Figure {
        heading: "p99 ms",
        value: |row| format_option(row.latency(|load| Some(load.p99_ms))),
        ratio_of: Some(|load| load.p99_ms),
    },
    Figure {
        heading: "errors",
        value: |row| row.errors().to_string(),
        ratio_of: None,
    },
    Figure {
        heading: "Redis commands",
        value: |row| format_option(row.redis_commands),
        ratio_of: None,
    },
    Figure {
        heading: "server µs",
        value: |row| format_option(row.median(|sample| sample.cpu.server_us)),
        ratio_of: None,
    },
    Figure {
        heading: "Redis µs",
        value: |row| format_option(row.median(|sample| sample.cpu.redis_us)),
        ratio_of: None,
    },
];

/// Measures the chosen operations on both stores, and prints a table in Markdown.
pub(crate) async fn print(args: &RunArgs) -> Result<()> {
    let digits = args.digits.first().copied().unwrap_or(DEFAULT_DIGITS);
    let embedded_digits = args.embedded_digits.first().copied().unwrap_or(digits);
    let plan = Plan {
        rounds: args.rounds.unwrap_or(DEFAULT_ROUNDS),
        seconds: args.seconds.unwrap_or(DEFAULT_SECONDS),
        counts_commands: true,
        is_at_half_rate: false,
    };
    let progress = Progress::start();
    let mut lines = Vec::new();
    for (store, on_redis, digits) in [("SQLite", false, embedded_digits), ("Redis", true, digits)] {
        let mut systems = Vec::new();
        for (name, build) in [("before", args.baseline.as_ref()), ("now", Some(&args.current))] {
            if let Some(build) = build {
                let service = Service {
                    name,
                    build,
                    on_redis,
                    like_spin: false,
                    data: Data::single(digits),
                };
                let (system, _) = System::start_edgeboard(&service, progress).await?;
                systems.push(system);
            }
        }
        let systems: Vec<&System> = systems.iter().collect();
        for operation in Operation::ALL {
            if operation.is_chosen(&args.words) {
                let case = Case {
                    operation,
                    connections: CONNECTIONS,
                };
                let rows = measure(store, &systems, case, plan, progress).await?;
                lines.extend(list_cells(&rows));
            }
        }
    }
    if lines.is_empty() {
        bail!(
            "no operation has one of these words in its name: {}",
            args.words.join(" ")
        );
    }
    let entries = 10_u64.pow(digits);
    println!(
        "{CONNECTIONS} connections, {entries} entries, {}\n",
        machine::date_and_commit()
    );
    let headings = list_headings(args.baseline.is_some());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    print!("{}", write_table(&headings, 1, lines.into_iter()));
    Ok(())
}

/// Returns the headings: one for each cell of [`list_cells`].
fn list_headings(has_baseline: bool) -> Vec<String> {
    let mut headings = vec!["request".to_owned()];
    for figure in &FIGURES {
        if has_baseline {
            headings.extend([format!("{} before", figure.heading), "now".to_owned()]);
            headings.extend(figure.ratio_of.map(|_| "ratio".to_owned()));
        } else {
            headings.push(figure.heading.to_owned());
        }
    }
    headings
}

/// Returns the cells of a case: each figure of all builds, and for two builds the ratio. A ratio that no round has is a dash.
fn list_cells(rows: &[Row]) -> Option<Vec<String>> {
    let first = rows.first()?;
    let mut cells = vec![format!("{}, {}", first.section, first.case.operation.name())];
    for figure in &FIGURES {
        cells.extend(rows.iter().map(figure.value));
        if let ([before, now], Some(ratio_of)) = (rows, figure.ratio_of) {
            let ratio = median_ratio(now, before, ratio_of);
            cells.push(ratio.map_or_else(|| format_option(None), |ratio| format!("{ratio:.3}")));
        }
    }
    Some(cells)
}
