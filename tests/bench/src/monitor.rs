//! Counts the Redis commands of a request.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::data::Data;
use crate::oha::{self, Run, Target};
use crate::process::RunningProgram;
use crate::sample::Case;

/// The number of requests whose commands are counted.
const COUNTED: u32 = 200;
/// The time that `MONITOR` needs to begin, and to show the last command.
const SETTLING: Duration = Duration::from_millis(300);
/// The mark of a command that a script runs.
const IN_SCRIPT: &str = " lua]";

/// Returns the number of Redis commands of one request, without the commands inside a script. It runs
/// requests while `MONITOR` shows all commands.
pub(crate) async fn count_commands(target: &Target, redis_port: u16, data: Data, case: Case) -> Result<f64> {
    let file = tempfile::NamedTempFile::new()?;
    let monitor = Command::new("redis-cli")
        .args(["-p", &redis_port.to_string(), "monitor"])
        .stdin(Stdio::null())
        .stdout(file.reopen()?)
        .spawn()?;
    let monitor = RunningProgram(monitor);
    tokio::time::sleep(SETTLING).await;
    let case = Case {
        connections: 1,
        ..case
    };
    let run = Run {
        duration: oha::Duration::Requests(COUNTED),
        rate: None,
        name: "counted",
    };
    oha::run(target, data, case, &run)?;
    tokio::time::sleep(SETTLING).await;
    drop(monitor);
    Ok(count_outside_scripts(&fs::read(file.path())?) / f64::from(COUNTED))
}

/// Counts the commands in the output of `MONITOR`. Its first line is the reply `OK`.
fn count_outside_scripts(output: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(output);
    let lines = text.lines().skip(1).filter(|line| !line.contains(IN_SCRIPT));
    lines.fold(0.0, |count, _| count + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_inside_a_script_do_not_count() {
        let output = b"OK\n1.1 [0 127.0.0.1:5] \"FCALL\" \"f\"\n1.2 [0 lua] \"GET\" \"a\"\n1.3 [0 127.0.0.1:5] \"GET\" \"b\"\n";
        assert!((count_outside_scripts(output) - 2.0).abs() < f64::EPSILON);
    }
}
