//! Describes the date, the commit and the machine of a measurement.

use std::fs;
use std::process::Command;

use jiff::Timestamp;

const KIB_PER_GIB: u64 = 1_048_576;

/// Returns the date in UTC and the current commit.
pub(crate) fn date_and_commit() -> String {
    let date = Timestamp::now().strftime("%Y-%m-%d");
    let commit = output_of("git", &["describe", "--always", "--dirty"]);
    format!("{date}, commit `{commit}`")
}

/// Returns the processor, the memory, the operating system, and the versions of Redis and oha.
pub(crate) fn describe() -> String {
    let processor = read_field("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory_kib = read_field("/proc/meminfo", "MemTotal");
    let memory_kib = memory_kib
        .trim_end_matches(" kB")
        .parse::<u64>()
        .unwrap_or_default();
    let kernel = output_of("uname", &["-sr"]);
    let redis = output_of("redis-server", &["--version"]);
    let redis = redis
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="))
        .unwrap_or("?");
    let oha = output_of("oha", &["--version"]);
    let memory_gib = memory_kib / KIB_PER_GIB;
    format!("{processor}, {cores} cores, {memory_gib} GiB, {kernel}, Redis {redis}, {oha}")
}

/// Returns the value of the first line `name : value` of a file; `?` if the file has no such line.
fn read_field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    });
    value.unwrap_or_else(|| "?".into())
}

/// Returns the standard output of a program; `?` if the program cannot be started.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "?".into())
}
