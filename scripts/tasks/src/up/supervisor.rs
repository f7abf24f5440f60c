//! The programs that `up` has started: watched, signalled together, waited for.
//!
//! Each is the leader of a process group of its own. A Ctrl-C in the terminal then reaches this program alone,
//! which passes it on once; and a program that has children of its own (Spin) is signalled with them.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How often programs and signals are looked at.
const TURN: Duration = Duration::from_millis(50);
/// How long a program may take to finish what is in flight; longer than the local host's own limit.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// What a shell adds to the signal that ended a program.
const SIGNAL_CODE_BASE: i32 = 128;

/// A program to start.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) command: Command,
    on_end: OnEnd,
}

/// What follows when a program ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnEnd {
    /// Everything ends with it.
    EndAll,
    /// Nothing when it succeeded; everything ends when it failed.
    GoOn,
}

/// Why everything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A signal asked for it.
    Signal(Signal),
    /// A program ended, with this exit code.
    Died(u8),
}

struct Running {
    name: &'static str,
    on_end: OnEnd,
    child: Child,
}

pub(super) struct Supervisor {
    running: Vec<Running>,
    signals: Signals,
}

impl Program {
    pub(super) fn new(name: &'static str, command: Command, on_end: OnEnd) -> Self {
        Self {
            name,
            command,
            on_end,
        }
    }
}

impl Supervisor {
    /// From here on SIGINT and SIGTERM no longer end this program by themselves.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn new() -> Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
        Ok(Self {
            running: Vec::new(),
            signals,
        })
    }

    /// # Errors
    /// When the program cannot be started.
    pub(super) fn start(&mut self, program: Program) -> Result<()> {
        let Program {
            name,
            mut command,
            on_end,
        } = program;
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start {name}"))?;
        self.running.push(Running { name, on_end, child });
        Ok(())
    }

    /// Runs a command to its end; the programs are watched meanwhile. Returns `None` when it succeeds.
    ///
    /// # Errors
    /// When it cannot be started, or a program cannot be watched.
    pub(super) fn run(&mut self, name: &'static str, command: Command) -> Result<Option<End>> {
        self.start(Program::new(name, command, OnEnd::GoOn))?;
        while self.running.iter().any(|running| running.name == name) {
            if let Some(end) = self.turn()? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Looks after signals and programs once, after a short pause.
    ///
    /// # Errors
    /// When a program cannot be watched.
    pub(super) fn turn(&mut self) -> Result<Option<End>> {
        thread::sleep(TURN);
        if let Some(signal) = self.signals.pending().next() {
            let is_interrupt = signal == SIGINT;
            let signal = if is_interrupt { Signal::INT } else { Signal::TERM };
            return Ok(Some(End::Signal(signal)));
        }
        let mut number = 0;
        while let Some(Running { name, on_end, child }) = self.running.get_mut(number) {
            let status = child.try_wait();
            let Some(status) = status.with_context(|| format!("cannot watch {name}"))? else {
                number += 1;
                continue;
            };
            if *on_end == OnEnd::EndAll || !status.success() {
                eprintln!("{name} ended with {status}");
                return Ok(Some(End::Died(exit_code(status))));
            }
            self.running.remove(number);
        }
        Ok(None)
    }

    /// Signals every program and waits for it; a second signal or too long a wait kills them. Returns the code with which
    /// this program should end: that of the program that died, else the first failure that a signal did not cause, or 0.
    pub(super) fn stop_all(&mut self, end: End) -> u8 {
        let (signal, mut code) = match end {
            End::Signal(signal) => (signal, 0),
            End::Died(code) => (Signal::TERM, code),
        };
        eprintln!("==> stopping");
        self.signal(signal);
        let (asked, mut killed) = (Instant::now(), false);
        loop {
            self.running.retain_mut(|running| {
                let status = running.child.try_wait().ok().flatten();
                if let Some(status) = status.filter(|status| code == 0 && status.signal().is_none()) {
                    code = exit_code(status);
                }
                status.is_none()
            });
            if self.running.is_empty() {
                return code;
            }
            let again = self.signals.pending().next().is_some();
            if !killed && (again || asked.elapsed() > STOP_WITHIN) {
                eprintln!("==> killing what has not ended");
                killed = true;
                self.signal(Signal::KILL);
            }
            thread::sleep(TURN);
        }
    }

    fn signal(&self, signal: Signal) {
        for running in &self.running {
            // It fails only when the program has just ended, which is what the signal is for.
            let _ = kill_process_group(Pid::from_child(&running.child), signal);
        }
    }
}

/// The exit code as a shell would give it.
fn exit_code(status: ExitStatus) -> u8 {
    let signal = || Some(SIGNAL_CODE_BASE.saturating_add(status.signal()?));
    let code = status.code().or_else(signal);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A signal reaches every supervisor of the process, so these tests run one at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn wait_for_end(supervisor: &mut Supervisor) -> End {
        loop {
            if let Some(end) = supervisor.turn().unwrap() {
                return end;
            }
        }
    }

    #[test]
    fn a_program_that_dies_ends_all_with_its_code() {
        let _alone = alone();
        let mut supervisor = Supervisor::new().unwrap();
        let mut start = |script| supervisor.start(Program::new("a shell", shell(script), OnEnd::EndAll));
        start("exec sleep 600").unwrap();
        start("kill -KILL $$").unwrap();
        let end = wait_for_end(&mut supervisor);
        assert_eq!((end, supervisor.stop_all(end)), (End::Died(137), 137));
        assert!(supervisor.running.is_empty());
    }

    #[test]
    fn a_run_reports_success_and_failure() {
        let _alone = alone();
        let mut supervisor = Supervisor::new().unwrap();
        assert_eq!(supervisor.run("a shell", shell("exit 0")).unwrap(), None);
        assert_eq!(
            supervisor.run("a shell", shell("exit 2")).unwrap(),
            Some(End::Died(2))
        );
    }

    #[test]
    fn a_signal_reaches_programs_with_their_children_and_they_are_waited_for() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ended");
        let mut supervisor = Supervisor::new().unwrap();
        // The inner shell ends by the signal alone; the outer one then finishes its work.
        let script = format!(
            "exec 2>/dev/null; sh -c 'trap \"exit 0\" TERM; echo > {0}.on; while :; do sleep 0.02; done' & \
             trap 'wait; echo orderly > {0}; exit 0' TERM; while :; do sleep 0.02; done",
            file.display()
        );
        supervisor
            .start(Program::new("a shell", shell(&script), OnEnd::EndAll))
            .unwrap();
        while !folder.path().join("ended.on").exists() {
            assert_eq!(supervisor.turn().unwrap(), None);
        }
        signal_hook::low_level::raise(SIGTERM).unwrap();
        let end = wait_for_end(&mut supervisor);
        assert_eq!((end, supervisor.stop_all(end)), (End::Signal(Signal::TERM), 0));
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "orderly");
    }
}
