//! How many Redis commands a request takes, as MONITOR sees them: through the components as shipped, on the local
//! host, over HTTP. What a script does inside the server is part of its one command.

use std::error::Error;

use leaderboard_suite::keep_alive::KeepAlive;
use leaderboard_suite::measure::print_row;
use leaderboard_suite::monitor::Monitor;
use leaderboard_suite::{HostProcess, RedisServer};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Requests of each kind that are counted: more than an instance serves, so that new ones are among them.
const REQUESTS: usize = 200;
/// Requests before: a host that has just started opens connections, and Redis does not know the scripts yet.
const WARM_UP: usize = 50;
const PLAYERS: usize = 1000;
const LEADERBOARDS: [&str; 3] = ["first", "second", "third"];

/// A kind of request.
struct Kind {
    name: &'static str,
    request: Vec<u8>,
    /// Whether it is promised to be one command.
    promised: bool,
}

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(count())
}

async fn count() -> Outcome<()> {
    let redis = RedisServer::start();
    let host = HostProcess::start(Some(&redis.url()))?;
    let mut client = KeepAlive::connect(host.address()).await?;
    let mut monitor = Monitor::start(&redis).await?;
    let cursor = fill(&host, &mut client).await?;
    for kind in kinds(&host, &cursor) {
        send(&mut client, &kind, WARM_UP).await?;
        let commands = monitor.during(send(&mut client, &kind, REQUESTS)).await?;
        let names: std::collections::BTreeSet<&str> = commands.iter().map(String::as_str).collect();
        let mut row = json!({
            "measured": kind.name, "requests": REQUESTS, "commands": commands.len(),
            "names": names.into_iter().collect::<Vec<_>>().join(", "),
        });
        if let (true, Some(fields)) = (kind.promised, row.as_object_mut()) {
            fields.insert("target".into(), "1 each".into());
            fields.insert("reached".into(), (commands.len() == REQUESTS).into());
        }
        print_row(&row);
    }
    Ok(())
}

async fn send(client: &mut KeepAlive, kind: &Kind, requests: usize) -> Outcome<()> {
    for _ in 0..requests {
        succeed(client, &kind.request).await?;
    }
    Ok(())
}

/// The document that a request is answered with, which has to succeed.
async fn succeed(client: &mut KeepAlive, request: &[u8]) -> Outcome<Value> {
    let answer = client.send(request).await?;
    if !(200..300).contains(&answer.status) {
        let text = String::from_utf8_lossy(answer.body);
        return Err(format!("status {}: {text}", answer.status).into());
    }
    Ok(serde_json::from_slice(answer.body)?)
}

/// Makes the leaderboards and gives everybody a score; a cursor to the second page of the first of them.
async fn fill(host: &HostProcess, client: &mut KeepAlive) -> Outcome<String> {
    for board in LEADERBOARDS {
        let make = host.request(
            "PUT",
            &format!("/leaderboards/{board}"),
            r#"{"operator":"increment"}"#,
        );
        succeed(client, &make).await?;
    }
    let score = |number| json!({"player": player(number), "score": number, "leaderboards": LEADERBOARDS});
    let scores: Vec<Value> = (0..PLAYERS).map(score).collect();
    succeed(
        client,
        &host.request("POST", "/scores", &json!({ "scores": scores }).to_string()),
    )
    .await?;
    let page = succeed(client, &host.request("GET", "/leaderboards/first/entries", "")).await?;
    let next = page
        .get("next")
        .and_then(Value::as_str)
        .ok_or("a page without a next one")?;
    Ok(next.to_owned())
}

fn player(number: usize) -> String {
    format!("player-{number}")
}

fn kinds(host: &HostProcess, cursor: &str) -> Vec<Kind> {
    let get = |name, promised, path: &str| Kind {
        name,
        promised,
        request: host.request("GET", &format!("/leaderboards/first/{path}"), ""),
    };
    let post = |name, promised, path: &str, body: &Value| Kind {
        name,
        promised,
        request: host.request("POST", path, &body.to_string()),
    };
    let one = json!({"player": player(7), "score": 1});
    let three = json!({"player": player(7), "score": 1, "leaderboards": LEADERBOARDS});
    let batch: Vec<Value> = (0..100)
        .map(|number| json!({"player": player(number), "score": 1}))
        .collect();
    let some: Vec<String> = (0..50).map(player).collect();
    vec![
        post("one submission", true, "/leaderboards/first/scores", &one),
        post("one submission to three leaderboards", true, "/scores", &three),
        post(
            "a batch of 100",
            false,
            "/leaderboards/first/scores",
            &json!({ "scores": batch }),
        ),
        get("top ten", true, "entries"),
        get(
            "the page after a cursor",
            true,
            &format!("entries?cursor={cursor}"),
        ),
        get("one player", true, "entries/player-7"),
        get(
            "50 players",
            false,
            &format!("entries?players={}", some.join(",")),
        ),
        get("around a player", true, "entries/player-500/around"),
        get("distribution", false, "distribution"),
        get("periods", false, "periods"),
    ]
}
