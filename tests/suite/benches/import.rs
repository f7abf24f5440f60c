//! How long the sample takes, from the file to both leaderboards: the command-line tool and the local host as
//! processes, the components as shipped, over HTTP.

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use leaderboard_suite::measure::{print_row, rounded};
use leaderboard_suite::{BENCH_KEY, HostProcess, RedisServer, program, project_root};
use serde_json::{Value, json};

/// Goals of the sample that count for somebody.
const GOALS: u64 = 46_934;

fn main() -> Result<(), Box<dyn Error>> {
    measure("on SQLite", None, 60)?;
    let redis = RedisServer::start();
    measure("on Redis", Some(&redis.url()), 20)
}

/// Imports into a fresh store, and prints how long it took from the start of the program to its end.
fn measure(name: &str, redis_url: Option<&str>, target_s: u32) -> Result<(), Box<dyn Error>> {
    let host = HostProcess::start(redis_url)?;
    let mut import = Command::new(program("edgeboard")?);
    import
        .current_dir(project_root().join("tests/data"))
        .args([
            "import",
            "--json",
            "--config",
            "goalscorers.toml",
            "goalscorers.csv",
            "--checkpoint",
        ])
        .arg(host.directory().join("checkpoint"))
        .env("EDGEBOARD_ADDRESS", format!("http://{}", host.address()))
        .env("EDGEBOARD_KEY", BENCH_KEY);
    let started = Instant::now();
    let output = import.output()?;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the import ended with {}: {said}", output.status).into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    if report.get("imported").and_then(Value::as_u64) != Some(GOALS) {
        return Err(format!("not all goals were imported: {report}").into());
    }
    print_row(&json!({
        "measured": format!("{GOALS} goals into two leaderboards {name}"),
        "seconds": rounded(seconds, 2), "goals_per_second": rounded(f64::from(u32::try_from(GOALS)?) / seconds, 0),
        "target": format!("< {target_s} s"), "reached": seconds < f64::from(target_s),
    }));
    Ok(())
}
