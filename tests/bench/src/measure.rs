//! Measures several systems in turns.

use anyhow::Result;

use crate::operation::Operation;
use crate::progress::Progress;
use crate::sample::{Case, Row};
use crate::system::System;

/// The longest warm-up, in seconds.
const MAX_WARM_UP_S: f64 = 1.0;
/// The share of the rate of saturation that is sent at half of the rate.
const HALF: f64 = 0.5;
/// How many times longer a run at half of the rate takes, so that it has enough requests for p99.9.
const HALF_RATE_LENGTH: f64 = 3.0;

/// How often and how long each case is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    /// Whether the Redis commands of a request are counted.
    pub(crate) counts_commands: bool,
    /// Whether each round measures the rate of saturation, and then, for [`HALF_RATE_LENGTH`] times as long,
    /// half of this rate, which is the figure of the round.
    pub(crate) is_at_half_rate: bool,
}

/// Measures a case on each system that supports its operation. In each round, each system has one turn.
pub(crate) async fn measure(
    section: &str,
    systems: &[&System],
    case: Case,
    plan: Plan,
    progress: Progress,
) -> Result<Vec<Row>> {
    let Case {
        operation,
        connections,
    } = case;
    let systems: Vec<&System> = systems
        .iter()
        .copied()
        .filter(|system| system.has(operation))
        .collect();
    if !systems.is_empty() {
        progress.say(&format!(
            "{section}: {}, {connections} connections",
            operation.name()
        ));
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
            let name = run_name(&round.to_string());
            let mut sample = system.measure(case, plan.seconds, None, &name).await?;
            if plan.is_at_half_rate {
                let rate = sample.load.requests_per_s * HALF;
                let seconds = plan.seconds * HALF_RATE_LENGTH;
                let name = format!("{name}-half");
                sample = system.measure(case, seconds, Some(rate), &name).await?;
            }
            row.rounds.push(sample);
        }
    }
    Ok(rows)
}
