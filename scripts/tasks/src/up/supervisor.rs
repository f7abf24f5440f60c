//! The programs that `up` has started: watched, signalled together, waited for.
//!
//! Each is the leader of a process group of its own. A Ctrl-C in the terminal then reaches this program alone,
//! which passes it on once; and a program that has children of its own (Spin) is signalled with them.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
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
/// The pause before a program is started again: doubled each time up to the longest, the shortest again after
/// the program ran for that long.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// What a shell adds to the signal that ended a program.
const SIGNAL_CODE_BASE: i32 = 128;

/// A program to start.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) command: Command,
    pub(super) on_end: OnEnd,
}

/// What follows when a program ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnEnd {
    /// Everything ends with it.
    EndAll,
    /// It is started again after a pause.
    StartAgain,
    /// Nothing when it succeeded; everything ends when it failed.
    Report,
}

/// Why everything ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A signal asked for it.
    Asked,
    /// A program ended, with this exit code.
    Died { code: u8 },
}

struct Running {
    program: Program,
    child: Option<Child>,
    started: Instant,
    pause: Duration,
}

pub(super) struct Supervisor {
    running: Vec<Running>,
    signals: Signals,
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
    pub(super) fn start(&mut self, mut program: Program) -> Result<()> {
        let child = Some(spawn(&mut program)?);
        self.running.push(Running {
            program,
            child,
            started: Instant::now(),
            pause: PAUSE_MIN,
        });
        Ok(())
    }

    /// Runs a program to its end; the others are watched meanwhile. `None` when it succeeded.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(super) fn run(&mut self, program: Program) -> Result<Option<End>> {
        let name = program.name;
        self.start(program)?;
        loop {
            if let Some(end) = self.turn()? {
                return Ok(Some(end));
            }
            if !self.running.iter().any(|running| running.program.name == name) {
                return Ok(None);
            }
        }
    }

    /// Looks after signals and programs once, after a short pause.
    ///
    /// # Errors
    /// When a program cannot be watched or started again.
    pub(super) fn turn(&mut self) -> Result<Option<End>> {
        thread::sleep(TURN);
        if let Some(signal) = self.signals.pending().next() {
            eprintln!("==> stopping");
            self.signal(if signal == SIGINT {
                Signal::INT
            } else {
                Signal::TERM
            });
            return Ok(Some(End::Asked));
        }
        for running in &mut self.running {
            if let Some(end) = running.look()? {
                return Ok(Some(end));
            }
        }
        self.running
            .retain(|running| running.child.is_some() || running.program.on_end == OnEnd::StartAgain);
        Ok(None)
    }

    /// Ends the rest and says with which code this program should end.
    pub(super) fn finish(&mut self, end: &End) -> ExitCode {
        match end {
            End::Died { code } => {
                self.stop_all();
                ExitCode::from(*code)
            }
            End::Asked => ExitCode::from(self.wait()),
        }
    }

    /// Asks every program to end and waits for it.
    pub(super) fn stop_all(&mut self) {
        self.signal(Signal::TERM);
        self.wait();
    }

    /// Waits for every program; a second signal or too long a wait kills them. The result is the first failure
    /// that was not the signal's doing, or 0.
    fn wait(&mut self) -> u8 {
        let asked = Instant::now();
        let (mut failure, mut killed) = (0, false);
        loop {
            for running in &mut self.running {
                if let Some(status) = running
                    .child
                    .as_mut()
                    .and_then(|child| child.try_wait().ok().flatten())
                {
                    running.child = None;
                    if failure == 0 && status.signal().is_none() {
                        failure = code(status);
                    }
                }
            }
            self.running.retain(|running| running.child.is_some());
            if self.running.is_empty() {
                return failure;
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
        for child in self.running.iter().filter_map(|running| running.child.as_ref()) {
            // It fails only when the program has just ended, which is what the signal is for.
            let _ = kill_process_group(Pid::from_child(child), signal);
        }
    }
}

impl Running {
    /// Looks at the program once and does what follows from its end.
    fn look(&mut self) -> Result<Option<End>> {
        let name = self.program.name;
        let Some(child) = &mut self.child else {
            return self.start_again();
        };
        let Some(status) = child.try_wait().with_context(|| format!("cannot watch {name}"))? else {
            return Ok(None);
        };
        self.child = None;
        if self.program.on_end == OnEnd::Report && status.success() {
            return Ok(None);
        }
        if self.program.on_end == OnEnd::StartAgain {
            self.pause = if self.started.elapsed() > PAUSE_MAX {
                PAUSE_MIN
            } else {
                self.pause
            };
            eprintln!(
                "{name} ended with {status}; it is started again in {} s",
                self.pause.as_secs()
            );
            self.started = Instant::now();
            return Ok(None);
        }
        eprintln!("{name} ended with {status}");
        Ok(Some(End::Died { code: code(status) }))
    }

    /// Starts the program again once its pause is over.
    fn start_again(&mut self) -> Result<Option<End>> {
        if self.program.on_end == OnEnd::StartAgain && self.started.elapsed() >= self.pause {
            self.child = Some(spawn(&mut self.program)?);
            self.started = Instant::now();
            self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        }
        Ok(None)
    }
}

fn spawn(program: &mut Program) -> Result<Child> {
    let command = program.command.stdin(Stdio::null()).process_group(0);
    command
        .spawn()
        .with_context(|| format!("cannot start {}", program.name))
}

/// The exit code as a shell would give it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| {
        status
            .signal()
            .map(|signal| SIGNAL_CODE_BASE.saturating_add(signal))
    });
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

    fn shell(script: &str, on_end: OnEnd) -> Program {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Program {
            name: "the shell",
            command,
            on_end,
        }
    }

    fn until_end(supervisor: &mut Supervisor) -> End {
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
        supervisor.start(shell("exec sleep 600", OnEnd::EndAll)).unwrap();
        supervisor.start(shell("exit 7", OnEnd::EndAll)).unwrap();
        let end = until_end(&mut supervisor);
        assert_eq!(end, End::Died { code: 7 });
        assert_eq!(supervisor.finish(&end), ExitCode::from(7));
        assert!(supervisor.running.is_empty());
    }

    #[test]
    fn a_program_that_is_killed_ends_all_as_in_a_shell() {
        let _alone = alone();
        let mut supervisor = Supervisor::new().unwrap();
        supervisor.start(shell("kill -KILL $$", OnEnd::EndAll)).unwrap();
        assert_eq!(until_end(&mut supervisor), End::Died { code: 137 });
    }

    #[test]
    fn a_run_reports_success_and_failure() {
        let _alone = alone();
        let mut supervisor = Supervisor::new().unwrap();
        assert_eq!(supervisor.run(shell("exit 0", OnEnd::Report)).unwrap(), None);
        assert_eq!(
            supervisor.run(shell("exit 2", OnEnd::Report)).unwrap(),
            Some(End::Died { code: 2 })
        );
    }

    #[test]
    fn a_program_is_started_again() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("starts");
        let mut supervisor = Supervisor::new().unwrap();
        let script = format!("echo x >> {}", file.display());
        supervisor.start(shell(&script, OnEnd::StartAgain)).unwrap();
        while std::fs::read_to_string(&file).unwrap_or_default().lines().count() < 2 {
            assert_eq!(supervisor.turn().unwrap(), None);
        }
        supervisor.stop_all();
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
        supervisor.start(shell(&script, OnEnd::EndAll)).unwrap();
        while !folder.path().join("ended.on").exists() {
            assert_eq!(supervisor.turn().unwrap(), None);
        }
        signal_hook::low_level::raise(SIGTERM).unwrap();
        let end = until_end(&mut supervisor);
        assert_eq!(end, End::Asked);
        assert_eq!(supervisor.finish(&end), ExitCode::SUCCESS);
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "orderly");
    }
}
