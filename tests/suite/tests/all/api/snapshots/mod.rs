//! Whole responses, compared with files in `tests/suite/snapshots`. Both stores give the same ones.
//!
//! `UPDATE_SNAPSHOTS=1` writes the files anew; what changed is then seen in the diff. The description of the API has them as
//! its examples, so what is different in every run is replaced by something that looks like it.

mod administration;
mod credentials;
mod flags;
mod health;

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Reply, over_http};

/// The headers that matter to a client.
const HEADERS: [&str; 12] = [
    "accept-patch",
    "allow",
    "api-version",
    "cache-control",
    "content-type",
    "etag",
    "location",
    "preference-applied",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-request-id",
];
/// An instant for one that is different in every run.
const INSTANT: &str = "2026-11-21T10:00:00.000Z";
/// The version of a document for one that is different in every run: an instant in microseconds.
const VERSION: u64 = 1_795_255_200_000_000;
/// A trace id for one that is different in every run.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// Which of the metrics do not grow with every request.
const STEADY_METRICS: [&str; 2] = ["edgeboard_build_info", "edgeboard_store_up"];

/// What stands in for the value of a field that is different in every run, or by store.
fn stand_in(name: &str, value: &Value) -> Option<Value> {
    Some(match (name, value) {
        ("instance" | "trace", Value::String(_)) => json!(TRACE),
        ("last_checked" | "at" | "time" | "created_at" | "banned_at", Value::String(_)) => json!(INSTANT),
        ("replaced_secret_until" | "revoked_at", Value::String(_)) => json!(INSTANT),
        ("day", Value::String(_)) => json!("2026-11-21"),
        ("kind", Value::String(_)) => json!("redis"),
        ("took_ms" | "observedValue", Value::Number(_)) => json!(1),
        ("requests", Value::Number(_)) => json!(1207),
        ("holdings", Value::Object(holdings)) => {
            let mut holdings = holdings.clone();
            holdings.insert("log_bytes".into(), json!(1184));
            Value::Object(holdings)
        }
        // Only a store with a server has settings.
        ("settings", Value::Array(_)) => json!([]),
        // An attempt that follows another one at once is not made.
        ("key_set", Value::Object(_)) => json!({"fetched": false, "detail": "The reason."}),
        ("next" | "previous", Value::String(_)) => json!(format!("<{name}>")),
        _ => return None,
    })
}

fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(fields) => {
            for (name, value) in fields {
                match stand_in(name, value) {
                    Some(other) => *value = other,
                    None => mask(value),
                }
            }
        }
        _ => {}
    }
}

fn written(answer: &Reply) -> String {
    let mut text = format!("{}\n", answer.status);
    for name in HEADERS {
        for value in answer.headers.get_all(name) {
            let value = value.to_str().unwrap();
            match name {
                "x-request-id" => writeln!(text, "{name}: <id>").unwrap(),
                _ => writeln!(text, "{name}: {value}").unwrap(),
            }
        }
    }
    if answer.header_or("content-type", "").starts_with("text/plain") {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let steady = |line: &&str| STEADY_METRICS.iter().any(|name| line.contains(name));
        let lines: Vec<&str> = body.lines().filter(steady).collect();
        writeln!(text, "\n{}", lines.join("\n")).unwrap();
    } else if !answer.body.is_empty() {
        let mut body = answer.json();
        mask(&mut body);
        writeln!(text, "\n{}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
    }
    mask_versions(&text)
}

/// The text with [`VERSION`] in place of each version of a document: a number of as many digits.
fn mask_versions(text: &str) -> String {
    let digits = VERSION.to_string().len();
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        masked.push_str(before);
        if number.len() == digits {
            masked.push_str(&VERSION.to_string());
        } else {
            masked.push_str(number);
        }
        rest = after;
    }
    masked + rest
}

pub(crate) fn compare(name: &str, answer: &Reply) {
    compare_but(name, answer, &[]);
}

/// As [`compare`]; in place of each text on the left stands the one on the right.
fn compare_but(name: &str, answer: &Reply, instead: &[(&str, &str)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(format!("{name}.http"));
    let replace = |text: String, (own, other): &(&str, &str)| text.replace(own, other);
    let seen = instead.iter().fold(written(answer), replace);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &seen).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(seen == expected, "{} is now\n{seen}", path.display());
}

async fn goals(edgeboard: &Edgeboard) {
    let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    edgeboard
        .board(
            "goals",
            &json!({"title": "Goals", "operator": "increment", "ties": "shared"}),
        )
        .await;
    edgeboard
        .board(
            "goals-by-year",
            &json!({"operator": "increment", "reset": reset, "keep_periods": 1000}),
        )
        .await;
    for (player, score, day) in [
        ("José Piendibene (Uruguay)", 2, "1916-07-02"),
        ("Isabelino Gradín (Uruguay)", 2, "1916-07-02"),
        ("Alberto Ohaco (Argentina)", 1, "1916-07-06"),
        ("Ali Daei (Iran)", i64::MAX, "2000-01-01"),
    ] {
        let submission = json!({
            "player": player, "score": score, "metadata": {"source": "test"},
            "occurred_at": format!("{day}T00:00:00Z"), "leaderboards": ["goals", "goals-by-year"],
        });
        edgeboard.post("/scores", &submission).await.is(200);
    }
}

over_http! {
    async fn configurations(edgeboard) {
        let body = json!({"title": "Laps", "columns": [{"name": "laps"}, {"name": "time_ms", "order": "asc"}],
            "reset": {"cron": "0 4 * * 1", "time_zone": "Europe/Madrid"}, "limits": {"max": "9223372036854775807"}});
        compare("leaderboard-created", &edgeboard.put("/leaderboards/laps", &body).await);
        compare("leaderboard-replaced", &edgeboard.put("/leaderboards/laps", &body).await);
        compare("leaderboard-patched", &edgeboard.patch("/leaderboards/laps", &json!({"title": "Rounds"})).await);
        compare("leaderboard-read", &edgeboard.get("/leaderboards/laps").await);
        edgeboard.board("other", &json!({})).await;
        compare("leaderboards-listed", &edgeboard.get("/leaderboards?limit=1").await);
        let known = edgeboard.call("GET", "/leaderboards/laps").header("if-none-match", "*").send().await;
        compare("leaderboard-not-modified", &known);
        compare("leaderboard-deleted", &edgeboard.delete("/leaderboards/laps").await);
    }

    async fn outcomes(edgeboard) {
        goals(edgeboard).await;
        let one = json!({"player": "Ali Daei (Iran)", "score": -7, "id": "1", "occurred_at": "2001-01-01T00:00:00Z"});
        compare("score-taken", &edgeboard.post("/leaderboards/goals/scores", &one).await);
        compare("score-replayed", &edgeboard.post("/leaderboards/goals/scores", &one).await);
        let several = json!({"player": "New", "score": 1, "leaderboards": ["goals", "goals-by-year"], "occurred_at": "2001-01-01T00:00:00Z"});
        compare("score-on-several", &edgeboard.post("/scores", &several).await);
        let batch = json!({"scores": [several, {"player": "New", "score": i64::MAX, "leaderboards": ["goals"]},
            {"player": "New", "score": 1, "leaderboards": ["none"]}]});
        compare("scores-in-a-batch", &edgeboard.post("/scores", &batch).await);
        let minimal = edgeboard.call("POST", "/leaderboards/goals/scores").header("prefer", "return=minimal");
        compare("score-minimal", &minimal.json(&json!({"player": "New", "score": 1})).send().await);
        compare("entry-removed", &edgeboard.delete("/leaderboards/goals/scores/New").await);
        let ban = json!({"reason": "speed hack", "expires_at": "2100-01-01T00:00:00Z"});
        compare("player-banned", &edgeboard.put("/players/New/ban", &ban).await);
        compare("ban-read", &edgeboard.get("/players/New/ban").await);
        compare("bans-listed", &edgeboard.get("/bans").await);
        compare("v2-ban-read", &edgeboard.anywhere("GET", "/api/v2/players/New/ban").send().await);
        compare("v2-bans-listed", &edgeboard.anywhere("GET", "/api/v2/bans").send().await);
    }

    async fn ranks(edgeboard) {
        goals(edgeboard).await;
        compare("entries", &edgeboard.get("/leaderboards/goals/entries").await);
        compare("entries-of-a-period", &edgeboard.get("/leaderboards/goals-by-year/entries?limit=2&period=1916-05-05T00:00:00Z").await);
        compare("entries-of-players", &edgeboard.get("/leaderboards/goals/entries?players=Ali%20Daei%20(Iran),nobody").await);
        compare("entry", &edgeboard.get("/leaderboards/goals/entries/Isabelino%20Grad%C3%ADn%20(Uruguay)").await);
        compare("around", &edgeboard.get("/leaderboards/goals/entries/Alberto%20Ohaco%20(Argentina)/around?limit=2").await);
        compare("summary", &edgeboard.get("/leaderboards/goals/summary?player=Alberto%20Ohaco%20(Argentina)&top=2&around=2").await);
        compare("periods", &edgeboard.get("/leaderboards/goals-by-year/periods").await);
        compare("distribution", &edgeboard.get("/leaderboards/goals-by-year/distribution?period=1916-01-01T00:00:00Z&buckets=3&score=2").await);
        let versioned = edgeboard.call("GET", "/leaderboards/goals/entries?limit=1").header("accept", "application/vnd.edgeboard.v1+json");
        compare("entries-versioned", &versioned.send().await);
    }

    async fn version_2(edgeboard) {
        goals(edgeboard).await;
        let read = |path: &str| edgeboard.anywhere("GET", &format!("/api/v2{path}")).send();
        compare("v2-entries", &read("/leaderboards/goals/entries?limit=2").await);
        compare("v2-entries-of-players", &read("/leaderboards/goals/entries?players=Ali%20Daei%20(Iran),nobody").await);
        compare("v2-entry", &read("/leaderboards/goals/entries/Isabelino%20Grad%C3%ADn%20(Uruguay)").await);
        compare("v2-around", &read("/leaderboards/goals/entries/Alberto%20Ohaco%20(Argentina)/around?limit=2").await);
        compare("v2-summary", &read("/leaderboards/goals/summary?player=Alberto%20Ohaco%20(Argentina)&top=2&around=2").await);
        compare("v2-periods", &read("/leaderboards/goals-by-year/periods").await);
        compare("v2-leaderboards-listed", &read("/leaderboards?limit=1").await);
        let one = json!({"player": "Ali Daei (Iran)", "score": -7, "id": "1", "occurred_at": "2001-01-01T00:00:00Z"});
        let post = |path: &str, body: &Value| edgeboard.anywhere("POST", &format!("/api/v2{path}")).json(body);
        compare("v2-score-taken", &post("/leaderboards/goals/scores", &one).send().await);
        compare("v2-score-replayed", &post("/leaderboards/goals/scores", &one).send().await);
        let several = json!({"player": "New", "score": 1, "leaderboards": ["goals", "goals-by-year"], "occurred_at": "2001-01-01T00:00:00Z"});
        compare("v2-score-on-several", &post("/scores", &several).send().await);
        let batch = json!({"scores": [several, {"player": "New", "score": 1, "leaderboards": ["none"]}]});
        compare("v2-scores-in-a-batch", &post("/scores", &batch).send().await);
        let minimal = post("/leaderboards/goals/scores", &json!({"player": "New", "score": 1})).header("prefer", "return=minimal");
        compare("v2-score-minimal", &minimal.send().await);
    }

    async fn problems(edgeboard) {
        goals(edgeboard).await;
        let post = |body: &'static str| edgeboard.call("POST", "/leaderboards/goals/scores").header("content-type", "application/json").body(body).send();
        compare("problem-malformed", &post("{\"player\": NaN}").await);
        compare("problem-validation", &post("{\"player\": \"\", \"score\": 1.5, \"scroe\": 1}").await);
        compare("problem-media-type", &edgeboard.call("POST", "/scores").body("x").send().await);
        compare("problem-not-found", &edgeboard.get("/leaderboards/none/entries").await);
        compare("problem-parameter", &edgeboard.get("/leaderboards/goals/entries?limit=0&page=2").await);
        compare("problem-cursor", &edgeboard.get("/leaderboards/goals/entries?cursor=x").await);
        compare("problem-method", &edgeboard.delete("/leaderboards").await);
        compare("problem-credential", &edgeboard.call("GET", "/limits").without("x-api-key").send().await);
        compare("problem-precondition", &edgeboard.call("PUT", "/leaderboards/goals").header("if-none-match", "*").json(&json!({})).send().await);
        compare("problem-rebuild", &edgeboard.patch("/leaderboards/goals", &json!({"ties": "dense"})).await);
        compare("problem-version", &edgeboard.anywhere("GET", "/api/v9/leaderboards").send().await);
    }
}
