//! Shows the progress of an import on standard error: a bar on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use indicatif::HumanCount;

/// The interval between two plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
/// The interval at which the bar is redrawn without progress.
const TICK: Duration = Duration::from_millis(200);
const TEMPLATE: &str = "{bar:32} {percent:>3} %  {human_pos} of {human_len} rows  {rate} rows/s  {eta} left";

/// The progress display; empty until the total is known.
#[derive(Debug, Default)]
pub(crate) struct ImportProgress(OnceLock<ProgressDisplay>);

#[derive(Debug)]
enum ProgressDisplay {
    Bar(ProgressBar),
    Plain { total: u64, state: Mutex<PlainProgress> },
}

#[derive(Debug)]
struct PlainProgress {
    position: u64,
    last: Instant,
}

impl ImportProgress {
    /// Shows progress from 0 to `total` from now on.
    pub(crate) fn start(&self, total: u64) {
        self.0.get_or_init(|| {
            if std::io::stderr().is_terminal() {
                ProgressDisplay::Bar(build_progress_bar(total))
            } else {
                ProgressDisplay::Plain {
                    total,
                    state: Mutex::new(PlainProgress {
                        position: 0,
                        last: Instant::now(),
                    }),
                }
            }
        });
    }

    /// Counts `rows` more rows as accepted or refused.
    pub(crate) fn advance(&self, rows: u64) {
        match self.0.get() {
            Some(ProgressDisplay::Bar(bar)) => bar.inc(rows),
            Some(ProgressDisplay::Plain { total, state }) => {
                let mut plain = state.lock().unwrap_or_else(PoisonError::into_inner);
                plain.position += rows;
                if plain.last.elapsed() >= PLAIN_INTERVAL {
                    plain.last = Instant::now();
                    eprintln!(
                        "edgeboard: {} of {} rows",
                        HumanCount(plain.position),
                        HumanCount(*total)
                    );
                }
            }
            None => {}
        }
    }

    /// Prints a line, above the bar if one is shown.
    pub(crate) fn say(&self, line: &str) {
        match self.0.get() {
            Some(ProgressDisplay::Bar(bar)) => bar.println(format!("edgeboard: {line}")),
            _ => eprintln!("edgeboard: {line}"),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(ProgressDisplay::Bar(bar)) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}

fn build_progress_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style.with_key("rate", rate));
    }
    bar.enable_steady_tick(TICK);
    bar
}

fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // Writing to the bar's own memory cannot fail.
    let _written = write!(out, "{:.0}", state.per_sec());
}
