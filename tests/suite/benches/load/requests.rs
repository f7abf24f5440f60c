//! What is asked for, and of what.

use leaderboard_suite::HostProcess;
use leaderboard_suite::keep_alive::KeepAlive;
use serde_json::{Value, json};

use super::Outcome;

/// Players of the leaderboard.
const PLAYERS: usize = 20_000;
/// The most submissions that one request takes.
const BATCH: usize = 1000;
/// Different requests of a kind.
const VARIETY: usize = 4096;
/// A prime, so that players come in an order that has nothing to do with their ranks.
const STRIDE: usize = 7919;

/// A kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    NoComponent,
    NoStore,
    TopTen,
    Rank,
    Around,
    Submission,
}

impl Target {
    pub(super) const ALL: [Self; 6] = [
        Self::NoComponent,
        Self::NoStore,
        Self::TopTen,
        Self::Rank,
        Self::Around,
        Self::Submission,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoComponent => "no component",
            Self::NoStore => "a component without a store (health/live)",
            Self::TopTen => "top ten",
            Self::Rank => "one player's rank",
            Self::Around => "around a player (11)",
            Self::Submission => "one submission, with ranks",
        }
    }

    /// Its requests, each for another player where there is one.
    pub(super) fn requests(self, host: &HostProcess) -> Vec<Vec<u8>> {
        let get = |path: &str| host.request("GET", path, "");
        let players = (0..VARIETY).map(|number| number * STRIDE % PLAYERS);
        match self {
            Self::NoComponent => {
                let (path, address) = ("/.well-known/spin/health", host.address());
                vec![format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes()]
            }
            Self::NoStore => vec![get("/health/live")],
            Self::TopTen => vec![get("/leaderboards/load/entries")],
            Self::Rank => players
                .map(|number| get(&format!("/leaderboards/load/entries/{}", player(number))))
                .collect(),
            Self::Around => players
                .map(|number| get(&format!("/leaderboards/load/entries/{}/around", player(number))))
                .collect(),
            Self::Submission => players
                .map(|number| host.request("POST", "/leaderboards/load/scores", &score(number).to_string()))
                .collect(),
        }
    }
}

fn player(number: usize) -> String {
    format!("player{number:010}")
}

/// A score that moves the player.
fn score(number: usize) -> Value {
    json!({"player": player(number), "score": number * STRIDE % 1000 + 1})
}

/// Makes the leaderboard and its players.
pub(super) async fn fill(host: &HostProcess) -> Outcome<()> {
    let mut client = KeepAlive::connect(host.address()).await?;
    let make = host.request("PUT", "/leaderboards/load", r#"{"operator":"increment"}"#);
    let made = client.send(&make).await?.status;
    if made != 201 {
        return Err(format!("the leaderboard was answered with {made}").into());
    }
    let numbers: Vec<usize> = (0..PLAYERS).collect();
    for batch in numbers.chunks(BATCH) {
        let scores: Vec<Value> = batch.iter().map(|number| score(*number)).collect();
        let body = json!({ "scores": scores }).to_string();
        let answer = client
            .send(&host.request("POST", "/leaderboards/load/scores", &body))
            .await?;
        let failed = String::from_utf8_lossy(answer.body).contains("problem");
        if answer.status != 207 || failed {
            return Err(format!("a batch was answered with {}", answer.status).into());
        }
    }
    Ok(())
}
