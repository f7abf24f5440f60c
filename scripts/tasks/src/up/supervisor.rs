//! Starts the programs of `up`, watches them, sends signals to all of them, and waits for their ends.
//!
//! Each program is the leader of its own process group. So a Ctrl-C in the terminal reaches only this
//! program, which passes it on once, and a signal to a program also reaches its children (Spin has children).

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The interval at which programs and signals are checked.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long a program may take to finish requests in flight. This is longer than the drain limit of the local
/// host.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// The number that a shell adds to the number of the signal that ended a program, to make an exit code.
const SIGNAL_CODE_BASE: i32 = 128;

/// A program to start.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) command: Command,
    on_end: OnEnd,
}

/// What to do when a program ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnEnd {
    /// Stop all programs.
    EndAll,
    /// Go on if the program succeeded; stop all programs if it failed.
    GoOn,
}

/// The reason why all programs are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// This program received a signal.
    Signal(Signal),
    /// A program ended with this exit code.
    Died(u8),
}

/// A running program.
struct Running {
    name: &'static str,
    on_end: OnEnd,
    child: Child,
}

/// The running programs, and the signals to this program.
pub(super) struct Supervisor {
    running: Vec<Running>,
    signals: Signals,
}

impl Program {
    /// Creates a program that is not started yet.
    pub(super) fn new(name: &'static str, command: Command, on_end: OnEnd) -> Self {
        Self {
            name,
            command,
            on_end,
        }
    }
}

impl Supervisor {
    /// Creates a supervisor without programs. From then on, SIGINT and SIGTERM no longer end this program.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub(super) fn new() -> Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
        Ok(Self {
            running: Vec::new(),
            signals,
        })
    }

    /// Starts a program in a new process group.
    ///
    /// # Errors
    /// The program cannot be started.
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

    /// Runs a command to its end, and watches the programs meanwhile. Returns `None` if the command succeeds,
    /// and otherwise the reason to stop.
    ///
    /// # Errors
    /// The command cannot be started, or a program cannot be watched.
    pub(super) fn run(&mut self, name: &'static str, command: Command) -> Result<Option<End>> {
        self.start(Program::new(name, command, OnEnd::GoOn))?;
        while self.running.iter().any(|running| running.name == name) {
            if let Some(end) = self.poll_once()? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Waits for a short time, and then checks signals and programs once. Returns the reason to stop, if
    /// there is one.
    ///
    /// # Errors
    /// A program cannot be watched.
    pub(super) fn poll_once(&mut self) -> Result<Option<End>> {
        thread::sleep(POLL_INTERVAL);
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

    /// Sends a signal to every program, and waits for their ends. Kills the programs after a second signal to
    /// this program, or after [`STOP_WITHIN`]. Returns the exit code for this program: that of the program
    /// that died, or else that of the first program whose failure was not caused by a signal, or else 0.
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
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn signal(&self, signal: Signal) {
        for running in &self.running {
            // This fails only if the program has just ended, which is the purpose of the signal.
            let _ = kill_process_group(Pid::from_child(&running.child), signal);
        }
    }
}

/// Returns the exit code that a shell would report.
fn exit_code(status: ExitStatus) -> u8 {
    let signal = || Some(SIGNAL_CODE_BASE.saturating_add(status.signal()?));
    let code = status.code().or_else(signal);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Locks the tests of this module, so that they run one at a time: a signal reaches every supervisor of
    /// the process.
    fn lock_signals() -> MutexGuard<'static, ()> {
        static LOCK: Mutex<()> = Mutex::new(());
        LOCK.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a command that runs a shell script.
    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn wait_for_end(supervisor: &mut Supervisor) -> End {
        loop {
            if let Some(end) = supervisor.poll_once().unwrap() {
                return end;
            }
        }
    }

    #[test]
    fn the_end_of_a_program_stops_all_programs_with_its_exit_code() {
        let _lock = lock_signals();
        let mut supervisor = Supervisor::new().unwrap();
        let mut start = |script| supervisor.start(Program::new("a shell", shell(script), OnEnd::EndAll));
        start("exec sleep 600").unwrap();
        start("kill -KILL $$").unwrap();
        let end = wait_for_end(&mut supervisor);
        assert_eq!((end, supervisor.stop_all(end)), (End::Died(137), 137));
        assert!(supervisor.running.is_empty());
    }

    #[test]
    fn a_run_of_a_command_reports_success_and_failure() {
        let _lock = lock_signals();
        let mut supervisor = Supervisor::new().unwrap();
        assert_eq!(supervisor.run("a shell", shell("exit 0")).unwrap(), None);
        assert_eq!(
            supervisor.run("a shell", shell("exit 2")).unwrap(),
            Some(End::Died(2))
        );
    }

    #[test]
    fn a_stop_signals_programs_with_their_children_and_waits_for_them() {
        let _lock = lock_signals();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ended");
        let mut supervisor = Supervisor::new().unwrap();
        // The inner shell ends only if the signal reaches it. The outer shell waits for it, and then writes
        // the file.
        let script = format!(
            "exec 2>/dev/null; sh -c 'trap \"exit 0\" TERM; echo > {0}.on; while :; do sleep 0.02; done' & \
             trap 'wait; echo orderly > {0}; exit 0' TERM; while :; do sleep 0.02; done",
            file.display()
        );
        supervisor
            .start(Program::new("a shell", shell(&script), OnEnd::EndAll))
            .unwrap();
        while !folder.path().join("ended.on").exists() {
            assert_eq!(supervisor.poll_once().unwrap(), None);
        }
        signal_hook::low_level::raise(SIGTERM).unwrap();
        let end = wait_for_end(&mut supervisor);
        assert_eq!((end, supervisor.stop_all(end)), (End::Signal(Signal::TERM), 0));
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "orderly");
    }
}
