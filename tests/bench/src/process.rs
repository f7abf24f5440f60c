//! The processor time and the memory of processes.

use std::fs;
use std::process::Child;

use anyhow::{Context, Result};

/// The fields of `/proc/PID/stat` with the clock ticks of the process in user and in system mode, counted
/// after the name of the program (proc(5)).
const OWN_TICKS: [usize; 2] = [11, 12];
/// The fields with the clock ticks of the children of the process that have ended.
const CHILDREN_TICKS: [usize; 2] = [13, 14];

/// A program that is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct RunningProgram(pub(crate) Child);

impl RunningProgram {
    /// Returns the id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // Both calls fail only if the program has already ended, which is not an error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the processor time that a process has used, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    read_ticks(&pid.to_string(), OWN_TICKS)
}

/// Returns the processor time of the children of this program that have ended, in seconds.
pub(crate) fn children_cpu_seconds() -> Result<f64> {
    read_ticks("self", CHILDREN_TICKS)
}

fn read_ticks(process: &str, fields: [usize; 2]) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = sum_fields(&text, fields).with_context(|| format!("/proc/{process}/stat: {text}"))?;
    #[expect(clippy::cast_precision_loss, reason = "clock ticks of a run")]
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Adds up fields of a line of `/proc/PID/stat`. The name of the program, which is in parentheses, can
/// contain spaces.
fn sum_fields(text: &str, fields: [usize; 2]) -> Option<u64> {
    let (_, after_name) = text.rsplit_once(')')?;
    let values: Vec<&str> = after_name.split_whitespace().collect();
    let numbers = fields.iter().map(|field| values.get(*field)?.parse::<u64>().ok());
    numbers.sum()
}

/// Returns the resident memory of a process, in MiB.
pub(crate) fn resident_mib(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = kib.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kib.with_context(|| format!("/proc/{pid}/status has no VmRSS"))? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_space_in_its_name_is_counted() {
        let line = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 50 60 7 8 20 0 1 0 9 10 11";
        assert_eq!(sum_fields(line, OWN_TICKS), Some(110));
        assert_eq!(sum_fields(line, CHILDREN_TICKS), Some(15));
    }

    #[test]
    fn this_program_has_used_memory() {
        assert!(resident_mib(std::process::id()).unwrap() > 0.1);
    }
}
