//! Progress for people, on standard error; standard output belongs to results.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// One step of a task.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    /// How to run this step alone.
    pub(crate) alone: String,
    pub(crate) run: Box<dyn FnOnce() -> Result<()> + 'a>,
}

/// Runs the steps in order, each announced, each with its time.
///
/// # Errors
/// The first step that fails ends it; the error names the step and how to run it alone.
pub(crate) fn run(steps: Vec<Step<'_>>) -> Result<()> {
    let started = Instant::now();
    let count = steps.len();
    for (Step { name, alone, run }, number) in steps.into_iter().zip(1usize..) {
        eprintln!("==> {number}/{count} {name}");
        let step_started = Instant::now();
        run().map_err(|error| {
            anyhow!("step {number}/{count} ({name}) failed: {error:#}\n       alone: {alone}")
        })?;
        eprintln!("    {number}/{count} {name}: {}", display(step_started.elapsed()));
    }
    eprintln!("==> all {count} steps passed in {}", display(started.elapsed()));
    Ok(())
}

/// A duration as people say it: `3.4 s`, `2 min 05 s`.
pub(crate) fn display(duration: Duration) -> String {
    const SECONDS_A_MINUTE: u64 = 60;
    let seconds = duration.as_secs();
    if seconds < SECONDS_A_MINUTE {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    format!(
        "{} min {:02} s",
        seconds / SECONDS_A_MINUTE,
        seconds % SECONDS_A_MINUTE
    )
}

/// A time that is only guessed: `less than 1 min`, `about 3 min`.
pub(crate) fn about(duration: Duration) -> String {
    const SECONDS_A_MINUTE: u64 = 60;
    match duration.as_secs() / SECONDS_A_MINUTE {
        0 => "less than 1 min".to_owned(),
        minutes => format!("about {} min", minutes + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn step<'a>(name: &'static str, run: impl FnOnce() -> Result<()> + 'a) -> Step<'a> {
        Step {
            name,
            alone: format!("do {name}"),
            run: Box::new(run),
        }
    }

    #[test]
    fn the_first_failure_ends_it_and_says_how_to_repeat_it() {
        let done = RefCell::new(Vec::new());
        let note = |name| {
            done.borrow_mut().push(name);
            Ok(())
        };
        let steps = vec![
            step("one", || note("one")),
            step("two", || anyhow::bail!("broken")),
            step("three", || note("three")),
        ];
        let error = format!("{:#}", run(steps).unwrap_err());
        assert_eq!(error, "step 2/3 (two) failed: broken\n       alone: do two");
        assert_eq!(*done.borrow(), ["one"]);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(display(Duration::from_millis(3_400)), "3.4 s");
        assert_eq!(display(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(about(Duration::from_secs(59)), "less than 1 min");
        assert_eq!(about(Duration::from_secs(60)), "about 2 min");
    }
}
