//! Runs the steps of a task, and formats durations. Progress goes to standard error, because standard output
//! is for results.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

const SECONDS_PER_MINUTE: u64 = 60;

/// One step of a task.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    /// The command that runs this step alone.
    pub(crate) alone: String,
    pub(crate) run: Box<dyn FnOnce() -> Result<()> + 'a>,
}

/// Runs the steps in order. Prints the name of each step before it, and its time after it.
///
/// # Errors
/// A step fails. The later steps are not run, and the error names the step and the command that runs it
/// alone.
pub(crate) fn run(steps: Vec<Step<'_>>) -> Result<()> {
    let started = Instant::now();
    let count = steps.len();
    for (Step { name, alone, run }, number) in steps.into_iter().zip(1usize..) {
        eprintln!("==> {number}/{count} {name}");
        let step_started = Instant::now();
        run().map_err(|error| {
            anyhow!("step {number}/{count} ({name}) failed: {error:#}\n       alone: {alone}")
        })?;
        eprintln!(
            "    {number}/{count} {name}: {}",
            format_duration(step_started.elapsed())
        );
    }
    eprintln!(
        "==> all {count} steps passed in {}",
        format_duration(started.elapsed())
    );
    Ok(())
}

/// Formats a duration for people: `3.4 s`, `2 min 05 s`.
pub(crate) fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < SECONDS_PER_MINUTE {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    let (minutes, rest) = (seconds / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE);
    format!("{minutes} min {rest:02} s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_first_failure_ends_the_run_and_names_the_command_to_repeat() {
        let done = Cell::new(0);
        let step = |name, result: Result<()>| Step {
            name,
            alone: format!("do {name}"),
            run: Box::new(|| {
                done.set(done.get() + 1);
                result
            }),
        };
        let steps = vec![
            step("one", Ok(())),
            step("two", Err(anyhow!("broken"))),
            step("three", Ok(())),
        ];
        let error = format!("{:#}", run(steps).unwrap_err());
        assert_eq!(error, "step 2/3 (two) failed: broken\n       alone: do two");
        assert_eq!(done.get(), 2);
    }

    #[test]
    fn durations_are_formatted_for_people() {
        assert_eq!(format_duration(Duration::from_millis(3_400)), "3.4 s");
        assert_eq!(format_duration(Duration::from_secs(125)), "2 min 05 s");
    }
}
