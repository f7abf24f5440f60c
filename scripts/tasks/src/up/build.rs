//! The builds of `up`: cargo's own output is long and tells nothing about the time that is left, so it becomes one line.

use std::io::{BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::functions::{self, Kind};
use crate::process;
use crate::workspace::Workspace;
use crate::{cli::Profile, progress};

/// What optimising and linking one component costs, in compilations of a crate.
const COMPONENT_WORK: u64 = 30;
/// What is up to date passes in the first moments, and says nothing about the rest.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// How long to watch before the first estimate.
const WATCH_FOR: Duration = Duration::from_secs(5);
/// How often a line is written where nobody watches a terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(15);
/// The names in cargo's progress are cut to about this width.
const CARGO_WIDTH: &str = "80";
/// What cargo says of each crate, which the progress stands for.
const EACH_CRATE: [&str; 5] = ["Compiling ", "Downloaded ", "Downloading ", "Fresh ", "Adding "];

/// Builds the components, the command-line tool, and the local host unless Spin runs the components.
///
/// # Errors
/// When something does not compile.
pub(super) fn all(workspace: &Workspace, spin: bool) -> Result<()> {
    eprintln!("==> building 1 of 2: the components (profile edge)");
    let components = workspace.below(Kind::Function.parent()).count();
    functions::build_with(workspace, Kind::Function, Profile::Edge, &mut |command| {
        run(command, Estimate::new(u64::try_from(components)?))
    })?;
    let mut arguments = vec!["build", "--release", "--package", "edgeboard"];
    if spin {
        eprintln!("==> building 2 of 2: the command-line tool");
    } else {
        eprintln!("==> building 2 of 2: the local host and the command-line tool");
        arguments.extend(["--package", "leaderboard-host"]);
    }
    run(process::cargo(&workspace.root, &arguments), Estimate::new(0))
}

/// Runs cargo, and shows how far it is and how long the rest may take.
fn run(mut command: Command, estimate: Estimate) -> Result<()> {
    let line = process::describe(&command);
    // A bar on something that is no terminal needs a width.
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", CARGO_WIDTH)
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    if let Some(stderr) = child.stderr.take() {
        Show::new(estimate).all(stderr);
    }
    let status = child.wait().with_context(|| format!("cannot watch `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// What one line of cargo's output is.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    /// So many of so many compilations are done, and these are under way.
    Progress { done: u64, of: u64, names: &'a str },
    /// Of one crate only.
    Crate,
    /// A warning, an error, or something else that people should see.
    Other,
}

fn understand(line: &str) -> Said<'_> {
    let text = line.trim_start();
    if let Some(progress) = text.strip_prefix("Building [").and_then(counts) {
        return progress;
    }
    if EACH_CRATE.iter().any(|word| text.starts_with(word)) {
        return Said::Crate;
    }
    Said::Other
}

/// The rest of `Building [=====>   ] 12/340: serde, tokio`.
fn counts(bar: &str) -> Option<Said<'_>> {
    let (_bar, rest) = bar.split_once("] ")?;
    let (counts, names) = rest.split_once(": ").unwrap_or((rest, ""));
    let (done, of) = counts.trim().split_once('/')?;
    Some(Said::Progress {
        done: done.parse().ok()?,
        of: of.parse().ok()?,
        names: names.trim(),
    })
}

/// How long the rest takes, if it goes on as it went.
struct Estimate {
    /// The last compilations, which are worth [`COMPONENT_WORK`] each.
    components: u64,
    /// When and with how much work done the watching began.
    since: Option<(Duration, u64)>,
}

impl Estimate {
    fn new(components: u64) -> Self {
        Self {
            components,
            since: None,
        }
    }

    /// The time that is left after `elapsed`; `None` while there is nothing to go by.
    fn left(&mut self, elapsed: Duration, done: u64, of: u64) -> Option<Duration> {
        if elapsed < SETTLED_AFTER {
            return None;
        }
        let total = self.work(of, of);
        let done = self.work(done, of);
        let (began, before) = *self.since.get_or_insert((elapsed, done));
        let (watched, worked) = (elapsed.checked_sub(began)?, done.checked_sub(before)?);
        if watched < WATCH_FOR || worked == 0 {
            return None;
        }
        let each = watched.checked_div(u32::try_from(worked).ok()?)?;
        Some(each.saturating_mul(u32::try_from(total.saturating_sub(done)).ok()?))
    }

    /// The work of the first `count` of `of` compilations; components come last, as everything else is in them.
    fn work(&self, count: u64, of: u64) -> u64 {
        let crates = of.saturating_sub(self.components);
        count.min(crates) + count.saturating_sub(crates) * COMPONENT_WORK
    }
}

/// Shows cargo's output: one line that changes on a terminal, a line now and then elsewhere.
struct Show {
    estimate: Estimate,
    started: Instant,
    told: Instant,
    terminal: bool,
    /// The line that changes is on the screen.
    shown: bool,
}

impl Show {
    fn new(estimate: Estimate) -> Self {
        let now = Instant::now();
        Self {
            estimate,
            started: now,
            told: now,
            terminal: std::io::stderr().is_terminal(),
            shown: false,
        }
    }

    /// Until cargo closes its output.
    fn all(&mut self, output: impl Read) {
        let mut line = Vec::new();
        for byte in BufReader::new(output).bytes().map_while(Result::ok) {
            if matches!(byte, b'\n' | b'\r') {
                self.line(&String::from_utf8_lossy(&line));
                line.clear();
            } else {
                line.push(byte);
            }
        }
        self.line(&String::from_utf8_lossy(&line));
        self.clear();
    }

    fn line(&mut self, line: &str) {
        match understand(line) {
            Said::Progress { done, of, names } => self.progress(done, of, names),
            Said::Crate => {}
            // The end of each progress line leaves nothing behind it.
            Said::Other if line.is_empty() && self.shown => {}
            Said::Other => {
                self.clear();
                eprintln!("{line}");
            }
        }
    }

    fn progress(&mut self, done: u64, of: u64, names: &str) {
        let left = self.estimate.left(self.started.elapsed(), done, of);
        let text = text(done, of, left, names);
        if self.terminal {
            eprint!("\r\x1b[K{text}");
            self.shown = true;
        } else if self.told.elapsed() > PLAIN_EVERY {
            self.told = Instant::now();
            eprintln!("{text}");
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }
}

fn text(done: u64, of: u64, left: Option<Duration>, names: &str) -> String {
    let left = left.map_or_else(String::new, |left| format!(", {} left", progress::about(left)));
    let names = if names.is_empty() {
        String::new()
    } else {
        format!(": {names}")
    };
    format!("    {done} of {of} crates{left}{names}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_bar_is_understood_and_what_matters_passes() {
        let line = "    Building [=====>      ] 12/340: serde, tokio(build.rs)   ";
        let progress = Said::Progress {
            done: 12,
            of: 340,
            names: "serde, tokio(build.rs)",
        };
        assert_eq!(understand(line), progress);
        assert_eq!(understand("   Compiling serde v1.0.0"), Said::Crate);
        for other in [
            "error: could not compile `x`",
            "    Blocking waiting for file lock",
            "    Building [",
            "",
        ] {
            assert_eq!(understand(other), Said::Other, "{other}");
        }
    }

    #[test]
    fn the_estimate_goes_by_what_was_not_up_to_date() {
        let seconds = Duration::from_secs;
        let mut estimate = Estimate::new(0);
        assert_eq!(estimate.left(seconds(1), 290, 400), None);
        assert_eq!(estimate.left(seconds(4), 300, 400), None, "the watching begins");
        assert_eq!(
            estimate.left(seconds(14), 300, 400),
            None,
            "nothing was done in it"
        );
        assert_eq!(estimate.left(seconds(24), 320, 400), Some(seconds(80)));
    }

    #[test]
    fn components_are_more_work_than_crates() {
        let seconds = Duration::from_secs;
        let mut estimate = Estimate::new(2);
        assert_eq!(estimate.left(seconds(10), 0, 102), None);
        let left = estimate.left(seconds(60), 50, 102).unwrap();
        assert_eq!(left, seconds(50 + 2 * COMPONENT_WORK));
        assert_eq!(estimate.left(seconds(200), 102, 102), Some(Duration::ZERO));
    }

    #[test]
    fn the_line_tells_how_far_and_how_long() {
        assert_eq!(
            text(12, 340, Some(Duration::from_secs(130)), "serde"),
            "    12 of 340 crates, about 3 min left: serde"
        );
        assert_eq!(text(1, 3, None, ""), "    1 of 3 crates");
    }

    #[test]
    fn a_build_that_fails_is_an_error_and_its_output_passes() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo 'error: no' >&2; exit 3"]);
        let error = run(command, Estimate::new(0)).unwrap_err().to_string();
        assert!(error.ends_with("ended with exit status: 3"), "{error}");
    }
}
