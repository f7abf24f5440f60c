//! Prints a table of one build, or of an earlier and the current build side by side.

use anyhow::{Result, bail};

use crate::RunArgs;
use crate::data::Data;
use crate::machine;
use crate::markdown::{format_count, format_option};
use crate::measure::{Plan, measure};
use crate::operation::Operation;
use crate::progress::Progress;
use crate::sample::{Case, Load, Row, median_ratio};
use crate::system::{Service, System};

const CONNECTIONS: u32 = 32;
const DEFAULT_DIGITS: u32 = 4;
const DEFAULT_ROUNDS: u32 = 3;
const DEFAULT_SECONDS: f64 = 3.0;

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
                lines.extend(write_line(&rows));
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
    println!("{}\n{}", heading(args.baseline.is_some()), lines.join("\n"));
    Ok(())
}

fn heading(has_baseline: bool) -> &'static str {
    if has_baseline {
        "| request | requests/s before | now | ratio | p99 ms before | now | ratio | errors before | now | Redis commands before | now | server µs before | now | Redis µs before | now |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    } else {
        "| request | requests/s | p99 ms | errors | Redis commands | server µs | Redis µs |\n|---|---:|---:|---:|---:|---:|---:|"
    }
}

/// Writes the line of a case: each figure of all builds, and for two builds the ratio.
fn write_line(rows: &[Row]) -> Option<String> {
    let first = rows.first()?;
    let mut cells = vec![format!("{}, {}", first.section, first.case.operation.name())];
    let p99 = |load: &Load| Some(load.p99_ms);
    let rates = rows.iter().map(|row| format_count(row.requests_per_s()));
    cells.extend(rates);
    cells.extend(write_ratio(rows, |load| load.requests_per_s));
    cells.extend(rows.iter().map(|row| format_option(row.latency(p99))));
    cells.extend(write_ratio(rows, |load| load.p99_ms));
    cells.extend(rows.iter().map(|row| row.errors().to_string()));
    cells.extend(rows.iter().map(|row| format_option(row.redis_commands)));
    cells.extend(
        rows.iter()
            .map(|row| format_option(row.median(|sample| sample.cpu.server_us))),
    );
    cells.extend(
        rows.iter()
            .map(|row| format_option(row.median(|sample| sample.cpu.redis_us))),
    );
    Some(format!("| {} |", cells.join(" | ")))
}

/// Returns the median of the rounds' ratios of the second row to the first; `None` for one row.
fn write_ratio(rows: &[Row], figure: impl Fn(&Load) -> f64) -> Option<String> {
    let [before, now] = rows else {
        return None;
    };
    median_ratio(now, before, figure).map(|ratio| format!("{ratio:.3}"))
}
