//! What a cached top ten costs beside the least that it could: a component that does nothing but answer, on the same host, by
//! turns, in the same run; without read limits and with them. And how often the store is asked: not at all for a hit, and
//! once for a thousand requests that find their view expired together.

use std::error::Error;
use std::time::Duration;

use futures::future::try_join_all;
use leaderboard_suite::keep_alive::KeepAlive;
use leaderboard_suite::load::{self, Load, Measured};
use leaderboard_suite::measure::{millis, print_row, rounded};
use leaderboard_suite::monitor::Monitor;
use leaderboard_suite::{HostProcess, RedisServer};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error>>;

const BARE_MANIFEST: &str = "tests/suite/benches/cached/spin.toml";
const LOAD: Load = Load {
    connections: 32,
    warm_up: Duration::from_millis(500),
    measured: Duration::from_secs(2),
};
/// Rounds; in each all have their turn, so that whatever else the machine does hits them alike.
const ROUNDS: usize = 5;
/// What a hit must reach of the bare component's rate, with read limits on.
const MIN_RATIO: f64 = 0.85;
/// Players on the leaderboard.
const PLAYERS: usize = 1_000;
/// Requests of which the Redis commands are counted, one after the other.
const COUNTED: usize = 2_000;
/// Requests that come together when a view has expired.
const TOGETHER: usize = 1_000;
/// For no longer than this after a write, views of a leaderboard are made anew again and again.
const CHANGING: Duration = Duration::from_millis(1_500);
/// Longer than a view of that leaderboard may be used.
const EXPIRED: Duration = Duration::from_millis(1_600);

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let redis = RedisServer::start();
    let bare = HostProcess::start_with(BARE_MANIFEST, None)?;
    let unlimited = HostProcess::start(Some(&redis.url()))?;
    prepare(
        &unlimited,
        ("/operator/limits", json!({"reads": {"limits": "off"}})),
    )
    .await?;
    let mut monitor = Monitor::start(&redis).await?;
    count_hits(&unlimited, &mut monitor).await?;
    count_together(&unlimited, &mut monitor).await?;
    let limited_redis = RedisServer::start();
    let limited = HostProcess::start(Some(&limited_redis.url()))?;
    let generous = json!({"quota": 1_000_000, "window_s": 1});
    prepare(
        &limited,
        (
            "/limits",
            json!({"policies": {"client": generous, "tenant": generous}}),
        ),
    )
    .await?;
    let hello = vec![format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", bare.address()).into_bytes()];
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        eprintln!("    round {} of {ROUNDS}", round + 1);
        let [least, without, with] = &mut rounds;
        least.push(load::run(bare.address(), &hello, &LOAD).await?);
        without.push(load::run(unlimited.address(), &[top(&unlimited, "read")], &LOAD).await?);
        with.push(load::run(limited.address(), &[top(&limited, "read")], &LOAD).await?);
    }
    print(&rounds);
    Ok(())
}

async fn prepare(host: &HostProcess, limits: (&str, serde_json::Value)) -> Outcome<()> {
    let mut client = KeepAlive::connect(host.address()).await?;
    let mut ask = async |method: &str, path: &str, body: serde_json::Value| -> Outcome<()> {
        let answer = client
            .send(&host.request(method, path, &body.to_string()))
            .await?;
        if !(200..300).contains(&answer.status) {
            let text = String::from_utf8_lossy(answer.body);
            return Err(format!("{method} {path}: {} {text}", answer.status).into());
        }
        Ok(())
    };
    let (path, document) = limits;
    ask("PUT", path, document).await?;
    ask(
        "PUT",
        "/leaderboards/read",
        json!({"cache": {"lifetime_ms": 600_000}}),
    )
    .await?;
    let short = json!({"cache": {"lifetime_ms": 1_000, "stale_ms": 0}});
    ask("PUT", "/leaderboards/short", short).await?;
    for board in ["read", "short"] {
        let scores: Vec<_> = (0..PLAYERS)
            .map(|number| json!({"player": format!("player-{number}"), "score": number}))
            .collect();
        let path = format!("/leaderboards/{board}/scores");
        ask("POST", &path, json!({"scores": scores})).await?;
    }
    tokio::time::sleep(CHANGING).await;
    Ok(())
}

/// A top ten, as somebody without a credential asks for it.
fn top(host: &HostProcess, board: &str) -> Vec<u8> {
    format!(
        "GET /api/v1/leaderboards/{board}/entries HTTP/1.1\r\nhost: {}\r\n\r\n",
        host.address()
    )
    .into_bytes()
}

/// Counts the commands that Redis gets while a view that is good is asked for.
async fn count_hits(host: &HostProcess, monitor: &mut Monitor) -> Outcome<()> {
    let request = top(host, "read");
    let mut client = KeepAlive::connect(host.address()).await?;
    client.send(&request).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let commands = monitor
        .during(async {
            for _ in 0..COUNTED {
                client.send(&request).await?;
            }
            Ok(())
        })
        .await?;
    print_row(&json!({
        "measured": "Redis commands of hits, read limits off", "requests": COUNTED, "commands": commands.len(),
        "names": commands.join(", "), "target": "0", "reached": commands.is_empty(),
    }));
    Ok(())
}

/// Counts the questions to the store when a view has expired and a thousand ask for it together.
async fn count_together(host: &HostProcess, monitor: &mut Monitor) -> Outcome<()> {
    let request = top(host, "short");
    let mut clients = Vec::new();
    for _ in 0..TOGETHER {
        clients.push(KeepAlive::connect(host.address()).await?);
    }
    if let Some(first) = clients.first_mut() {
        first.send(&request).await?;
    }
    tokio::time::sleep(EXPIRED).await;
    let commands = monitor
        .during(async {
            let asks = clients.iter_mut().map(|client| client.send(&request));
            for answer in try_join_all(asks).await? {
                if answer.status != 200 {
                    return Err(format!("{}", answer.status).into());
                }
            }
            Ok(())
        })
        .await?;
    // Opening a connection sends commands of its own.
    let calls = commands.iter().filter(|name| name.starts_with("EVAL")).count();
    print_row(&json!({
        "measured": "store calls of requests that find a view expired together", "requests": TOGETHER,
        "commands": calls, "names": commands.join(", "), "target": "1", "reached": calls == 1,
    }));
    Ok(())
}

fn print(rounds: &[Vec<Measured>; 3]) {
    let median = |values: Vec<f64>| {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let [bare, ..] = rounds;
    for (name, runs) in [
        "hello",
        "a cached top ten, read limits off",
        "a cached top ten, read limits on",
    ]
    .into_iter()
    .zip(rounds)
    {
        let pairs = runs.iter().zip(bare);
        let ratio = median(
            pairs
                .map(|(run, bare)| run.per_second / bare.per_second)
                .collect(),
        );
        let mut row = json!({
            "measured": name,
            "requests_per_second": rounded(median(runs.iter().map(|run| run.per_second).collect()), 0),
            "ratio": rounded(ratio, 3),
            "p50_ms": rounded(median(runs.iter().map(|run| millis(run.times.percentile(50))).collect()), 2),
            "p99_ms": rounded(median(runs.iter().map(|run| millis(run.times.percentile(99))).collect()), 2),
            "errors": runs.iter().map(|run| run.errors).sum::<u64>(),
        });
        if let (true, Some(fields)) = (name.ends_with("on"), row.as_object_mut()) {
            fields.insert("target".into(), format!("ratio ≥ {MIN_RATIO}").into());
            fields.insert("reached".into(), (ratio >= MIN_RATIO).into());
        }
        print_row(&row);
    }
}
