//! The report. Each section varies one dimension (connections, entries, leaderboards or tenants), and keeps
//! the others as in the first section.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::RunArgs;
use crate::data::Data;
use crate::drain;
use crate::history;
use crate::live;
use crate::measure::{Plan, measure};
use crate::operation::Operation;
use crate::plots;
use crate::progress::Progress;
use crate::report_text::{self, Figures};
use crate::sample::{
    AT_HALF_RATE, AT_SATURATION, BY_CONNECTIONS, BY_ENTRIES, BY_LEADERBOARDS, BY_TENANTS, Case, LIKE_SPIN,
};
use crate::start_up;
use crate::system::{Service, System};

const DEFAULT_DIGITS: [u32; 2] = [4, 6];
const DEFAULT_EMBEDDED_DIGITS: [u32; 2] = [4, 5];
const DEFAULT_ROUNDS: u32 = 5;
const DEFAULT_SECONDS: f64 = 1.5;
/// The number of connections of all sections except the one that varies the connections.
const CONNECTIONS: u32 = 32;
/// The most rounds at half of the rate. Each takes as long as four others.
const MAX_HALF_RATE_ROUNDS: u32 = 3;
/// The number of tenants or leaderboards in a section that varies them.
const MANY: u32 = 1_000;
/// In such a section, each leaderboard has 10^`DIGITS_OF_MANY` entries.
const DIGITS_OF_MANY: u32 = 2;

/// The operations of the section that stands the systems side by side.
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
/// The operations of the section that varies the connections. A rank and a window take the way of an uncached
/// top ten. Only game servers send batches, so there are few connections that do.
const CONNECTIONS_OPERATIONS: &[Operation] = &[
    Operation::Hello,
    Operation::Cached,
    Operation::Uncached,
    Operation::Write,
];
/// The operations of the section that varies the entries.
const ENTRIES_OPERATIONS: &[Operation] = &[
    Operation::Uncached,
    Operation::Around,
    Operation::Rank,
    Operation::Write,
];
/// The operations of the sections that vary leaderboards and tenants.
const MANY_OPERATIONS: &[Operation] = &[Operation::Cached, Operation::Rank, Operation::Write];
/// The operations that are sent at half of the rate.
const HALF_RATE_OPERATIONS: &[Operation] = &[
    Operation::Cached,
    Operation::Uncached,
    Operation::Around,
    Operation::Rank,
    Operation::Write,
];
/// The operations that saturate the service for long.
const SATURATION_OPERATIONS: &[Operation] = &[Operation::Cached, Operation::Rank, Operation::Write];
/// The operations that are measured with Spin's settings.
const LIKE_SPIN_OPERATIONS: &[Operation] = &[
    Operation::Hello,
    Operation::Cached,
    Operation::Uncached,
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
    progress: Progress,
    /// The file of raw data. Each row is written as soon as it is measured, so that an aborted run keeps the
    /// rows so far.
    raw: File,
    figures: Figures,
}

/// Measures all sections, and writes tables, plots and raw data into a directory.
pub(crate) async fn write(args: &RunArgs, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let plan = Plan {
        rounds: args.rounds.unwrap_or(DEFAULT_ROUNDS),
        seconds: args.seconds.unwrap_or(DEFAULT_SECONDS),
        counts_commands: false,
        is_at_half_rate: false,
    };
    // The files of a report that is in the repository change below, and the commit would not be clean any more.
    let intro = report_text::introduce(plan);
    let mut report = Report {
        args,
        plan,
        progress: Progress::start(),
        raw: File::create(directory.join("rounds.jsonl"))?,
        figures: Figures::default(),
    };
    report.measure_all().await?;
    let Report {
        figures, progress, ..
    } = report;
    let text = report_text::write(&intro, &figures, CONNECTIONS, args.saturation_seconds);
    fs::write(directory.join("report.md"), text)?;
    plots::draw_all(directory, &figures.rows, CONNECTIONS)?;
    progress.say(&format!("the report is in {}", directory.display()));
    Ok(())
}

impl Report<'_> {
    async fn measure_all(&mut self) -> Result<()> {
        // These are no operations. Each is chosen by a word of its own.
        if self.is_chosen("start-up") {
            let start_ups = start_up::measure(&self.args.current, self.plan.rounds, self.progress).await?;
            for start_up in start_ups {
                self.write_raw(&start_up)?;
                self.figures.start_ups.push(start_up);
            }
        }
        if self.is_chosen("drain") {
            for drain in drain::measure(&self.args.current, self.plan.rounds, self.progress).await? {
                self.write_raw(&drain)?;
                self.figures.drains.push(drain);
            }
        }
        if self.is_chosen("history") {
            for history in history::measure(&self.args.current, self.progress).await? {
                self.write_raw(&history)?;
                self.figures.histories.push(history);
            }
        }
        if self.is_chosen("live") {
            for live in live::measure(&self.args.current, self.progress).await? {
                self.write_raw(&live)?;
                self.figures.lives.push(live);
            }
        }
        let digits = or_default(&self.args.digits, &DEFAULT_DIGITS);
        let embedded = or_default(&self.args.embedded_digits, &DEFAULT_EMBEDDED_DIGITS);
        let sizes = (0..digits.len().max(embedded.len())).map(|index| Stores {
            redis: digits.get(index).copied().map(Data::single),
            sqlite: embedded.get(index).copied().map(Data::single),
        });
        for (index, stores) in sizes.enumerate() {
            if index == 0 {
                self.measure_first_size(stores).await?;
            } else {
                self.measure_size(BY_ENTRIES, stores, ENTRIES_OPERATIONS).await?;
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
            self.measure_size(section, stores, MANY_OPERATIONS).await?;
        }
        Ok(())
    }

    /// Measures the sections of the first size of the data.
    async fn measure_first_size(&mut self, stores: Stores) -> Result<()> {
        if self.choose(BASE_OPERATIONS).is_empty() {
            return Ok(());
        }
        let systems = self.start_systems(stores).await?;
        let all: Vec<&System> = systems.iter().collect();
        for &connections in &self.args.connections {
            let is_base = connections == CONNECTIONS;
            let plan = Plan {
                counts_commands: is_base,
                ..self.plan
            };
            let operations = if is_base {
                BASE_OPERATIONS
            } else {
                CONNECTIONS_OPERATIONS
            };
            self.measure_section(BY_CONNECTIONS, &all, operations, connections, plan)
                .await?;
        }
        let services: Vec<&System> = systems.iter().filter(|system| system.is_service()).collect();
        let plan = Plan {
            rounds: self.plan.rounds.min(MAX_HALF_RATE_ROUNDS),
            is_at_half_rate: true,
            ..self.plan
        };
        self.measure_section(AT_HALF_RATE, &services, HALF_RATE_OPERATIONS, CONNECTIONS, plan)
            .await?;
        let plan = Plan {
            rounds: 1,
            seconds: self.args.saturation_seconds,
            ..self.plan
        };
        self.measure_section(AT_SATURATION, &services, SATURATION_OPERATIONS, CONNECTIONS, plan)
            .await?;
        let on_redis = services.into_iter().find(|system| system.is_on_redis());
        match on_redis {
            Some(service) => self.measure_like_spin(service).await,
            None => Ok(()),
        }
    }

    /// Measures a service on Redis beside one with Spin's settings.
    async fn measure_like_spin(&mut self, service: &System) -> Result<()> {
        if self.choose(LIKE_SPIN_OPERATIONS).is_empty() {
            return Ok(());
        }
        let like_spin = Service {
            name: "Edgeboard, Redis, Spin's settings",
            build: &self.args.current,
            on_redis: true,
            like_spin: true,
            data: service.data,
        };
        // The table of filled stores has a row of this size.
        let (like_spin, _) = System::start_edgeboard(&like_spin, self.progress).await?;
        let systems = [service, &like_spin];
        self.measure_section(LIKE_SPIN, &systems, LIKE_SPIN_OPERATIONS, CONNECTIONS, self.plan)
            .await
    }

    /// Starts the systems with data of another size, and measures operations.
    async fn measure_size(&mut self, section: &str, stores: Stores, operations: &[Operation]) -> Result<()> {
        if self.choose(operations).is_empty() {
            return Ok(());
        }
        let systems = self.start_systems(stores).await?;
        let all: Vec<&System> = systems.iter().collect();
        self.measure_section(section, &all, operations, CONNECTIONS, self.plan)
            .await
    }

    /// Returns whether the words of the command line choose a section without operations, or there are none.
    fn is_chosen(&self, section: &str) -> bool {
        self.args.words.is_empty() || self.args.words.iter().any(|word| section.contains(word))
    }

    /// Returns the operations that the words of the command line choose.
    fn choose(&self, operations: &[Operation]) -> Vec<Operation> {
        let chosen = operations
            .iter()
            .filter(|operation| operation.is_chosen(&self.args.words));
        chosen.copied().collect()
    }

    /// Measures the chosen operations on systems that run.
    async fn measure_section(
        &mut self,
        section: &str,
        systems: &[&System],
        operations: &[Operation],
        connections: u32,
        plan: Plan,
    ) -> Result<()> {
        for operation in self.choose(operations) {
            let case = Case {
                operation,
                connections,
            };
            for row in measure(section, systems, case, plan, self.progress).await? {
                self.write_raw(&row)?;
                self.figures.rows.push(row);
            }
        }
        Ok(())
    }

    /// Writes a line of raw data.
    fn write_raw(&mut self, line: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.raw, line)?;
        Ok(self.raw.write_all(b"\n")?)
    }

    /// Starts the service on each store, and beside Redis also the native server and redis-benchmark.
    async fn start_systems(&mut self, stores: Stores) -> Result<Vec<System>> {
        let mut systems = Vec::new();
        let names = [
            ("Edgeboard, Redis", true, stores.redis),
            ("Edgeboard, SQLite", false, stores.sqlite),
        ];
        for (name, on_redis, data) in names {
            let Some(data) = data else {
                continue;
            };
            let service = Service {
                name,
                build: &self.args.current,
                on_redis,
                like_spin: false,
                data,
            };
            let (system, filled) = System::start_edgeboard(&service, self.progress).await?;
            self.figures.filled.push(filled);
            systems.push(system);
            // The native server has no tenants.
            if on_redis && data.tenants == 1 {
                let service = systems.last().context("a service on Redis")?;
                let native = System::start_native(service, self.progress).await?;
                // redis-benchmark sends the same command each time, to one leaderboard.
                let raw = (data.leaderboards == 1).then(|| System::redis_benchmark(&native));
                systems.push(native);
                systems.extend(raw);
            }
        }
        Ok(systems)
    }
}

fn or_default(chosen: &[u32], default: &[u32]) -> Vec<u32> {
    if chosen.is_empty() {
        default.to_vec()
    } else {
        chosen.to_vec()
    }
}
