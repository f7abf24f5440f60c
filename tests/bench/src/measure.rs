//! Measures several systems in turns.

use anyhow::Result;

use crate::operation::Operation;
use crate::sample::{Case, Row};
use crate::system::System;

/// The longest warm-up, in seconds.
const MAX_WARM_UP_S: f64 = 1.0;
/// The most connections that send batches. Only game servers send batches, so there are few such connections,
/// and each batch waits for all batches before it.
const MAX_BATCH_CONNECTIONS: u32 = 32;

/// How often and how long each case is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    /// Whether the Redis commands of a request are counted.
    pub(crate) counts_commands: bool,
}

/// Measures a case on each system that supports its operation. In each round, each system has one turn.
pub(crate) async fn measure(section: &str, systems: &[System], case: Case, plan: Plan) -> Result<Vec<Row>> {
    let Case {
        operation,
        connections,
    } = case;
    let systems: Vec<&System> = systems.iter().filter(|system| system.has(operation)).collect();
    if operation == Operation::Batch && connections > MAX_BATCH_CONNECTIONS {
        return Ok(Vec::new());
    }
    if !systems.is_empty() {
        eprintln!("==> {section}: {}, {connections} connections", operation.name());
    }
    // The ids of submissions are different in each run.
    let run_name = |turn: &str| format!("{section}-{connections}-{turn}");
    let mut rows = Vec::with_capacity(systems.len());
    for system in &systems {
        let warm_up_s = plan.seconds.min(MAX_WARM_UP_S);
        system.prepare(case, warm_up_s, &run_name("warm-up")).await?;
        let counts = plan.counts_commands && operation != Operation::Hello;
        rows.push(Row {
            section: section.to_owned(),
            system: system.name.clone(),
            data: system.data,
            case,
            redis_commands: if counts {
                system.count_commands(case).await?
            } else {
                None
            },
            rounds: Vec::new(),
        });
    }
    for round in 0..plan.rounds {
        for (system, row) in systems.iter().zip(&mut rows) {
            let sample = system
                .measure(case, plan.seconds, &run_name(&round.to_string()))
                .await?;
            row.rounds.push(sample);
        }
    }
    Ok(rows)
}
