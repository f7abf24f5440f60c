//! What a write costs beside the least that it could: one submission with a key of a server, under rate limits and with an
//! id, against a component that runs one trivial script in Redis. Both through the local host, by turns, on one Redis.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use leaderboard_redis::Connection;
use leaderboard_suite::keep_alive::KeepAlive;
use leaderboard_suite::load::{self, Load, Measured};
use leaderboard_suite::measure::{millis, print_row, rounded};
use leaderboard_suite::monitor::Monitor;
use leaderboard_suite::native_redis::connect;
use leaderboard_suite::{HostProcess, RedisServer};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const BARE_MANIFEST: &str = "tests/suite/benches/writes/spin.toml";
/// What the bare component runs; it knows the digest.
const BARE_SCRIPT: &[u8] = b"return redis.call(\"INCR\", KEYS[1])";
const LOAD: Load = Load {
    connections: 32,
    warm_up: Duration::from_millis(500),
    measured: Duration::from_secs(2),
};
/// Rounds; in each both have their turn, so that whatever else the machine does hits them alike.
const ROUNDS: usize = 5;
/// What a write must reach of the bare component's rate.
const MIN_RATIO: f64 = 0.6;
/// Players that submit.
const PLAYERS: usize = 20_000;
/// Different requests: more than one run sends, so that every id is new.
const REQUESTS: usize = 60_000;
/// Requests of which the Redis commands are counted.
const COUNTED: usize = 500;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let redis = RedisServer::start();
    let native = connect(&redis.url()).await;
    let loaded = native.command("SCRIPT", &[b"LOAD", BARE_SCRIPT]).await;
    loaded.map_err(|error| format!("{error:?}"))?;
    let bare = HostProcess::start_with(BARE_MANIFEST, Some(&redis.url()))?;
    let edgeboard = HostProcess::start(Some(&redis.url()))?;
    let key = prepare(&edgeboard).await?;
    let bare_request = vec![format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", bare.address()).into_bytes()];
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        eprintln!("    round {} of {ROUNDS}", round + 1);
        let least = load::run(bare.address(), &bare_request, &LOAD).await?;
        let writes = load::run(edgeboard.address(), &submissions(&edgeboard, &key, round), &LOAD).await?;
        rounds.push((least, writes));
    }
    count(&edgeboard, &key, &mut Monitor::start(&redis).await?).await?;
    print(rounds);
    Ok(())
}

/// Makes the leaderboard and the key, and lifts the limits so high that they are counted and never reached.
async fn prepare(host: &HostProcess) -> Outcome<String> {
    let mut client = KeepAlive::connect(host.address()).await?;
    let mut ask = async |method: &str, path: &str, body: Value| -> Outcome<Value> {
        let answer = client
            .send(&host.request(method, path, &body.to_string()))
            .await?;
        let text = String::from_utf8_lossy(answer.body).into_owned();
        if !(200..300).contains(&answer.status) {
            return Err(format!("{method} {path}: {} {text}", answer.status).into());
        }
        Ok(serde_json::from_str(&text)?)
    };
    ask("PUT", "/leaderboards/written", json!({})).await?;
    let generous = json!({"quota": 1_000_000, "window_s": 1});
    let policies = json!({"key": generous, "client": generous, "tenant": generous});
    ask("PUT", "/limits", json!({"policies": policies})).await?;
    let key = ask(
        "POST",
        "/keys",
        json!({"name": "writer", "scopes": ["scores:write"]}),
    )
    .await?;
    let text = key.get("key").and_then(Value::as_str).ok_or("no key")?;
    Ok(text.to_owned())
}

fn submissions(host: &HostProcess, key: &str, round: usize) -> Vec<Vec<u8>> {
    (0..REQUESTS)
        .map(|number| {
            let player = format!("player-{}", (number * 7919) % PLAYERS);
            let body = json!({"player": player, "score": round * REQUESTS + number}).to_string();
            let (address, length) = (host.address(), body.len());
            format!(
                "POST /api/v1/leaderboards/written/scores HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\n\
                 idempotency-key: \"{round}-{number}\"\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            )
            .into_bytes()
        })
        .collect()
}

/// Counts the commands that Redis gets for some writes, one after the other.
async fn count(host: &HostProcess, key: &str, monitor: &mut Monitor) -> Outcome<()> {
    let requests = submissions(host, key, ROUNDS);
    let mut client = KeepAlive::connect(host.address()).await?;
    let sending = async {
        for request in requests.iter().take(COUNTED) {
            let answer = client.send(request).await?;
            if answer.status != 200 {
                return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body)).into());
            }
        }
        Ok(())
    };
    let commands = monitor.during(sending).await?;
    let names: BTreeSet<&str> = commands.iter().map(String::as_str).collect();
    print_row(&json!({
        "measured": "Redis commands of an authenticated, limited, idempotent write", "requests": COUNTED,
        "commands": commands.len(), "names": names.into_iter().collect::<Vec<_>>().join(", "),
        "target": "1 each", "reached": commands.len() == COUNTED,
    }));
    Ok(())
}

fn print(rounds: Vec<(Measured, Measured)>) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let ratio = median(
        rounds
            .iter()
            .map(|(bare, write)| write.per_second / bare.per_second)
            .collect(),
    );
    let (bare, writes): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    for (name, runs) in [
        ("a component that makes one EVALSHA", bare),
        ("one submission", writes),
    ] {
        let mut row = json!({
            "measured": name,
            "requests_per_second": rounded(median(runs.iter().map(|run| run.per_second).collect()), 0),
            "p50_ms": rounded(median(runs.iter().map(|run| millis(run.times.percentile(50))).collect()), 2),
            "p99_ms": rounded(median(runs.iter().map(|run| millis(run.times.percentile(99))).collect()), 2),
            "errors": runs.iter().map(|run| run.errors).sum::<u64>(),
        });
        if let ("one submission", Some(fields)) = (name, row.as_object_mut()) {
            fields.insert("ratio".into(), rounded(ratio, 3).into());
            fields.insert("target".into(), format!("ratio ≥ {MIN_RATIO}").into());
            fields.insert("reached".into(), (ratio >= MIN_RATIO).into());
        }
        print_row(&row);
    }
}
