//! The report. Each section varies one dimension (connections, entries, leaderboards or tenants), and keeps
//! the others as in the first section.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::RunArgs;
use crate::data::Data;
use crate::fill::Filled;
use crate::machine;
use crate::markdown::{self, Column};
use crate::measure::{Plan, measure};
use crate::operation::Operation;
use crate::plots;
use crate::sample::{BY_CONNECTIONS, BY_ENTRIES, BY_LEADERBOARDS, BY_TENANTS, Case, Row};
use crate::system::System;

const DEFAULT_DIGITS: [u32; 2] = [4, 6];
const DEFAULT_EMBEDDED_DIGITS: [u32; 2] = [4, 5];
const DEFAULT_ROUNDS: u32 = 5;
const DEFAULT_SECONDS: f64 = 1.5;
/// The number of connections of all sections except the one that varies the connections.
const CONNECTIONS: u32 = 32;
/// The number of tenants or leaderboards in a section that varies them.
const MANY: u32 = 1_000;
/// In such a section, each leaderboard has 10^`DIGITS_OF_MANY` entries.
const DIGITS_OF_MANY: u32 = 2;

/// The operations of the first section, which varies the connections.
const BASE_OPERATIONS: &[Operation] = &[
    Operation::Hello,
    Operation::EvalSha,
    Operation::Cached,
    Operation::Uncached,
    Operation::Around,
    Operation::Rank,
    Operation::Write,
    Operation::Batch,
];
/// The operations of the section that varies the entries.
const ENTRIES_OPERATIONS: &[Operation] = &[
    Operation::Uncached,
    Operation::Around,
    Operation::Rank,
    Operation::Write,
    Operation::Batch,
];
/// The operations of the sections that vary leaderboards and tenants.
const MANY_OPERATIONS: &[Operation] = &[
    Operation::Cached,
    Operation::Uncached,
    Operation::Rank,
    Operation::Write,
];

/// The size of the data of the two stores; `None` leaves the store out.
#[derive(Debug, Clone, Copy)]
struct Stores {
    redis: Option<Data>,
    sqlite: Option<Data>,
}

struct Report<'a> {
    args: &'a RunArgs,
    plan: Plan,
    /// The file of raw data. Each row is written as soon as it is measured, so that an aborted run keeps the
    /// rows so far.
    raw: File,
    rows: Vec<Row>,
    filled: Vec<Filled>,
}

/// Measures all sections, and writes tables, plots and raw data into a directory.
pub(crate) async fn write(args: &RunArgs, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let mut report = Report {
        args,
        plan: Plan {
            rounds: args.rounds.unwrap_or(DEFAULT_ROUNDS),
            seconds: args.seconds.unwrap_or(DEFAULT_SECONDS),
            counts_commands: false,
        },
        raw: File::create(directory.join("rounds.jsonl"))?,
        rows: Vec::new(),
        filled: Vec::new(),
    };
    let intro = report.introduce();
    report.measure_all().await?;
    fs::write(directory.join("report.md"), report.write_text(&intro))?;
    plots::draw_all(directory, &report.rows, CONNECTIONS)
}

impl Report<'_> {
    async fn measure_all(&mut self) -> Result<()> {
        let digits = or_default(&self.args.digits, &DEFAULT_DIGITS);
        let embedded = or_default(&self.args.embedded_digits, &DEFAULT_EMBEDDED_DIGITS);
        let sizes = (0..digits.len().max(embedded.len())).map(|index| Stores {
            redis: digits.get(index).copied().map(Data::single),
            sqlite: embedded.get(index).copied().map(Data::single),
        });
        for (index, stores) in sizes.enumerate() {
            if index == 0 {
                let connections = self.args.connections.clone();
                self.measure_section(BY_CONNECTIONS, stores, BASE_OPERATIONS, &connections)
                    .await?;
            } else {
                self.measure_section(BY_ENTRIES, stores, ENTRIES_OPERATIONS, &[CONNECTIONS])
                    .await?;
            }
        }
        for (section, leaderboards, tenants) in [(BY_LEADERBOARDS, MANY, 1), (BY_TENANTS, 1, MANY)] {
            let many = Some(Data {
                digits: DIGITS_OF_MANY,
                leaderboards,
                tenants,
            });
            let stores = Stores {
                redis: many,
                sqlite: many,
            };
            self.measure_section(section, stores, MANY_OPERATIONS, &[CONNECTIONS])
                .await?;
        }
        Ok(())
    }

    /// Starts the systems with their data, and measures operations with each number of connections.
    async fn measure_section(
        &mut self,
        section: &str,
        stores: Stores,
        operations: &[Operation],
        connections: &[u32],
    ) -> Result<()> {
        let chosen = operations
            .iter()
            .filter(|operation| operation.is_chosen(&self.args.words));
        let chosen: Vec<Operation> = chosen.copied().collect();
        if chosen.is_empty() {
            return Ok(());
        }
        let systems = self.start_systems(section, stores).await?;
        for &connections in connections {
            for &operation in &chosen {
                let plan = Plan {
                    counts_commands: section == BY_CONNECTIONS && connections == CONNECTIONS,
                    ..self.plan
                };
                let case = Case {
                    operation,
                    connections,
                };
                for row in measure(section, &systems, case, plan).await? {
                    serde_json::to_writer(&mut self.raw, &row)?;
                    self.raw.write_all(b"\n")?;
                    self.rows.push(row);
                }
            }
        }
        Ok(())
    }

    /// Starts the service on each store, and beside Redis also the native server and redis-benchmark.
    async fn start_systems(&mut self, section: &str, stores: Stores) -> Result<Vec<System>> {
        let mut systems = Vec::new();
        let names = [
            ("Edgeboard, Redis", stores.redis),
            ("Edgeboard, SQLite", stores.sqlite),
        ];
        for (name, data) in names {
            let Some(data) = data else {
                continue;
            };
            let on_redis = name.ends_with("Redis");
            eprintln!("==> {section}: {name}, {} entries", data.total_entries());
            let started = System::start_edgeboard(name, &self.args.current, on_redis, data).await;
            let (system, filled) = started.with_context(|| format!("{name}, {data:?}"))?;
            self.filled.push(filled);
            systems.push(system);
            // The native server has no tenants.
            if on_redis && data.tenants == 1 {
                let service = systems.last().context("a service on Redis")?;
                let native = System::start_native(service).await?;
                // redis-benchmark sends the same command each time, to one leaderboard.
                let raw = (data.leaderboards == 1).then(|| System::redis_benchmark(&native));
                systems.push(native);
                systems.extend(raw);
            }
        }
        Ok(systems)
    }

    fn introduce(&self) -> String {
        let Plan { rounds, seconds, .. } = self.plan;
        format!(
            "# Report\n{}. {}. Medians of {rounds} interleaved rounds of {seconds} s. \
             [How to read it](../benchmarks.md); every round: [rounds.jsonl](rounds.jsonl).\n",
            machine::date_and_commit(),
            machine::describe(),
        )
    }

    fn write_text(&self, intro: &str) -> String {
        let connections = Column {
            heading: "connections",
            value: |row| row.case.connections.to_string(),
        };
        let entries = Column {
            heading: "entries",
            value: |row| row.data.entries_each().to_string(),
        };
        let base = self.rows_of(|row| row.section == BY_CONNECTIONS && row.case.connections == CONNECTIONS);
        let others = self.rows_of(|row| row.section == BY_CONNECTIONS && row.case.connections != CONNECTIONS);
        let parts = [
            ("Side by side", base, None, &["cpu"][..]),
            (
                "Connections",
                others,
                Some(&connections),
                &["connections", "latency"][..],
            ),
            (
                "Entries",
                self.rows_of(|row| row.section == BY_ENTRIES),
                Some(&entries),
                &["entries"][..],
            ),
            (
                "A thousand leaderboards",
                self.rows_of(|row| row.section == BY_LEADERBOARDS),
                None,
                &[][..],
            ),
            (
                "A thousand tenants",
                self.rows_of(|row| row.section == BY_TENANTS),
                None,
                &[][..],
            ),
        ];
        let mut text = intro.to_owned();
        for (title, rows, column, plots) in parts {
            if !rows.is_empty() {
                text.push_str(&format!("\n## {title}\n"));
                for plot in plots {
                    text.push_str(&format!("![{plot}]({plot}.svg)\n\n"));
                }
                text.push_str(&markdown::write_rows(&rows, &self.rows, column));
            }
        }
        text.push_str(&format!("\n## Loading\n{}", markdown::write_filled(&self.filled)));
        text
    }

    /// Returns the rows that `is_wanted` selects, sorted by operation. Rows of the same operation keep their
    /// order.
    fn rows_of(&self, is_wanted: impl Fn(&Row) -> bool) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| is_wanted(row)).collect();
        rows.sort_by_key(|row| row.case.operation);
        rows
    }
}

fn or_default(chosen: &[u32], default: &[u32]) -> Vec<u32> {
    if chosen.is_empty() {
        default.to_vec()
    } else {
        chosen.to_vec()
    }
}
