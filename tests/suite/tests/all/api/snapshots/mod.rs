//! Tests that compare whole responses with the snapshots in `tests/suite/snapshots`. The snapshots are the
//! same for both stores.
//!
//! `INSTA_UPDATE=always` writes the snapshots again, and the diff shows what changed. The API description
//! uses the snapshots as examples, so an example replaces each value that differs in every run.

mod administration;
mod credentials;
mod event_projections;
mod flags;
mod health;
mod standings;
mod transfers;
mod webhooks;

use std::fmt::Write;

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

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
/// The metrics that do not grow with every request.
const STEADY_METRICS: [&str; 2] = ["edgeboard_build_info", "edgeboard_store_up"];
/// An example of an instant.
const INSTANT: &str = "2026-11-21T10:00:00.000Z";
/// Regular expressions of values that differ in every run or between stores, each with the example that
/// replaces the value. The API description shows these examples.
const REPLACEMENTS: [(&str, &str); 15] = [
    // The bytes of an event have its instant.
    (r#""event": "[A-Za-z0-9+/=]*""#, r#""event": "BgAAAAAAAAAA""#),
    // The version of a document is an instant in microseconds.
    (r"\b\d{16}\b", "1795255200000000"),
    ("(?m)^x-request-id: .*", "x-request-id: <id>"),
    (
        r#""(instance|trace)": "[^"]*""#,
        r#""$1": "0af7651916cd43dd8448eb211c80319c""#,
    ),
    (
        r#""(last_checked|recorded_at|retained_until|at|time|created_at|banned_at|reported_at|started_at|replaced_secret_until|revoked_at|frozen_at|claimed_at|next_attempt_at)": "[^"]*""#,
        r#""$1": "2026-11-21T10:00:00.000Z""#,
    ),
    (r#""day": "[^"]*""#, r#""day": "2026-11-21""#),
    (r#""kind": "[^"]*""#, r#""kind": "redis""#),
    (r#""(took_ms|observedValue)": [\d.]+"#, r#""$1": 1"#),
    (r#""requests": \d+"#, r#""requests": 1207"#),
    (r#"("holdings": \{[^}]*"log_bytes": )\d+"#, "${1}1184"),
    // Only a store with a server has settings.
    (r#""settings": \[[^\]]*\]"#, r#""settings": []"#),
    // The service fetches a key set at most once in some seconds, so this field depends on earlier requests.
    (
        r#""key_set": \{[^}]*\}"#,
        "\"key_set\": {\n    \"detail\": \"The reason.\",\n    \"fetched\": false\n  }",
    ),
    // A delivery run serves the webhooks of all tests.
    (r#""(webhooks|delivered|failed)": \d+"#, r#""$1": 1"#),
    (r#""duration_ms": \d+"#, r#""duration_ms": 87"#),
    (r#""(next|previous)": "[^"]*""#, r#""$1": "<$1>""#),
];

/// Writes a response as text: status, headers that matter to a client, and the body.
fn format_response(response: &ApiResponse) -> String {
    let mut text = format!("{}\n", response.status);
    for name in HEADERS {
        for value in response.headers.get_all(name) {
            writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    if response.header_or("content-type", "").starts_with("text/plain") {
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let is_steady = |line: &&str| STEADY_METRICS.iter().any(|name| line.contains(name));
        let lines: Vec<&str> = body.lines().filter(is_steady).collect();
        writeln!(text, "\n{}", lines.join("\n")).unwrap();
    } else if !response.body.is_empty() {
        writeln!(
            text,
            "\n{}",
            serde_json::to_string_pretty(&response.json()).unwrap()
        )
        .unwrap();
    }
    text
}

/// Compares a response with its snapshot.
pub(crate) fn compare(name: &str, response: &ApiResponse) {
    compare_with_replacements(name, response, &[]);
}

/// Replaces the first text of each pair by the second text, and then compares the response with its snapshot.
fn compare_with_replacements(name: &str, response: &ApiResponse, replacements: &[(&str, &str)]) {
    let replace = |text: String, (own, example): &(&str, &str)| text.replace(own, example);
    compare_text(
        name,
        &replacements.iter().fold(format_response(response), replace),
    );
}

/// Compares a text with its snapshot.
pub(crate) fn compare_text(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_filters(REPLACEMENTS);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Creates the leaderboards `goals` and `goals-by-year` with the goals of four football players.
pub(super) async fn create_goals(api: &ApiClient) {
    let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    api.create_leaderboard(
        "goals",
        &json!({"title": "Goals", "operator": "increment", "ties": "shared"}),
    )
    .await;
    api.create_leaderboard(
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
        api.post("/scores", &submission).await.expect_status(200);
    }
}

api_cases! {
    async fn configurations(api) {
        let body = json!({"title": "Laps", "columns": [{"name": "laps"}, {"name": "time_ms", "order": "asc"}],
            "reset": {"cron": "0 4 * * 1", "time_zone": "Europe/Madrid"}, "limits": {"max": "9223372036854775807"}});
        compare("leaderboard-created", &api.put("/leaderboards/laps", &body).await);
        compare("leaderboard-replaced", &api.put("/leaderboards/laps", &body).await);
        compare("leaderboard-patched", &api.patch("/leaderboards/laps", &json!({"title": "Rounds"})).await);
        compare("leaderboard-read", &api.get("/leaderboards/laps").await);
        api.create_leaderboard("other", &json!({})).await;
        compare("leaderboards-listed", &api.get("/leaderboards?limit=1").await);
        let known = api.request("GET", "/leaderboards/laps").header("if-none-match", "*").send().await;
        compare("leaderboard-not-modified", &known);
        compare("leaderboard-deleted", &api.delete("/leaderboards/laps").await);
    }

    async fn outcomes(api) {
        create_goals(api).await;
        let one = json!({"player": "Ali Daei (Iran)", "score": -7, "id": "1", "occurred_at": "2001-01-01T00:00:00Z"});
        compare("score-taken", &api.post("/leaderboards/goals/scores", &one).await);
        compare("score-replayed", &api.post("/leaderboards/goals/scores", &one).await);
        let several = json!({"player": "New", "score": 1, "leaderboards": ["goals", "goals-by-year"], "occurred_at": "2001-01-01T00:00:00Z"});
        compare("score-on-several", &api.post("/scores", &several).await);
        let batch = json!({"scores": [several, {"player": "New", "score": i64::MAX, "leaderboards": ["goals"]},
            {"player": "New", "score": 1, "leaderboards": ["none"]}]});
        compare("scores-in-a-batch", &api.post("/scores", &batch).await);
        let minimal = api.request("POST", "/leaderboards/goals/scores").header("prefer", "return=minimal");
        compare("score-minimal", &minimal.json(&json!({"player": "New", "score": 1})).send().await);
        let queued = api.request("POST", "/leaderboards/goals/scores").header("prefer", "respond-async");
        let queued = queued.header("idempotency-key", "\"import-7\"").json(&json!({"player": "Queued", "score": 1})).send().await;
        let id = queued.json()["id"].as_str().unwrap().to_owned();
        let example = [(id.as_str(), "0af7651916cd43dd8448eb211c80319c")];
        compare_with_replacements("score-queued", &queued, &example);
        let path = format!("/submissions/{id}");
        let is_done = |read: &ApiResponse| read.json()["state"] != "pending";
        compare_with_replacements("submission-read", &wait_until(async || api.get(&path).await, is_done).await, &example);
        let read = async || api.request_at("GET", &format!("/api/v2{path}")).send().await;
        compare_with_replacements("v2-submission-read", &read().await, &example);
        wait_until(async || api.request_at("POST", "/internal/tick").send().await, |tick| tick.json()["finished"] == 0).await;
        compare("queue-drained", &api.request_at("POST", "/internal/tick").send().await);
        compare("entry-removed", &api.delete("/leaderboards/goals/scores/New").await);
        let ban = json!({"reason": "speed hack", "expires_at": "2100-01-01T00:00:00Z"});
        compare("player-banned", &api.put("/players/New/ban", &ban).await);
        compare("ban-read", &api.get("/players/New/ban").await);
        compare("bans-listed", &api.get("/bans").await);
        compare("v2-ban-read", &api.request_at("GET", "/api/v2/players/New/ban").send().await);
        compare("v2-bans-listed", &api.request_at("GET", "/api/v2/bans").send().await);
        compare("rebuild", &api.request("POST", "/leaderboards/goals/rebuild").send().await);
        compare("events", &api.get("/leaderboards/goals/events?after=6&limit=2").await);
        compare("v2-events", &api.get_v2("/leaderboards/goals/events?after=6&limit=2").await);
        compare("player-events", &api.get("/players/New/events?limit=2").await);
        compare("v2-player-events", &api.get_v2("/players/New/events?limit=2").await);
    }

    async fn ranks(api) {
        create_goals(api).await;
        compare("entries", &api.get("/leaderboards/goals/entries").await);
        compare("entries-of-a-period", &api.get("/leaderboards/goals-by-year/entries?limit=2&period=1916-05-05T00:00:00Z").await);
        compare("entries-of-players", &api.get("/leaderboards/goals/entries?players=Ali%20Daei%20(Iran),nobody").await);
        compare("entry", &api.get("/leaderboards/goals/entries/Isabelino%20Grad%C3%ADn%20(Uruguay)").await);
        compare("around", &api.get("/leaderboards/goals/entries/Alberto%20Ohaco%20(Argentina)/around?limit=2").await);
        compare("summary", &api.get("/leaderboards/goals/summary?player=Alberto%20Ohaco%20(Argentina)&top=2&around=2").await);
        compare("periods", &api.get("/leaderboards/goals-by-year/periods").await);
        compare("distribution", &api.get("/leaderboards/goals-by-year/distribution?period=1916-01-01T00:00:00Z&buckets=3&score=2").await);
        let versioned = api.request("GET", "/leaderboards/goals/entries?limit=1").header("accept", "application/vnd.edgeboard.v1+json");
        compare("entries-versioned", &versioned.send().await);
    }

    async fn version_2(api) {
        create_goals(api).await;
        let read = |path: &str| api.request_at("GET", &format!("/api/v2{path}")).send();
        compare("v2-entries", &read("/leaderboards/goals/entries?limit=2").await);
        compare("v2-entries-of-players", &read("/leaderboards/goals/entries?players=Ali%20Daei%20(Iran),nobody").await);
        compare("v2-entry", &read("/leaderboards/goals/entries/Isabelino%20Grad%C3%ADn%20(Uruguay)").await);
        compare("v2-around", &read("/leaderboards/goals/entries/Alberto%20Ohaco%20(Argentina)/around?limit=2").await);
        compare("v2-summary", &read("/leaderboards/goals/summary?player=Alberto%20Ohaco%20(Argentina)&top=2&around=2").await);
        compare("v2-periods", &read("/leaderboards/goals-by-year/periods").await);
        compare("v2-leaderboards-listed", &read("/leaderboards?limit=1").await);
        let one = json!({"player": "Ali Daei (Iran)", "score": -7, "id": "1", "occurred_at": "2001-01-01T00:00:00Z"});
        let post = |path: &str, body: &Value| api.request_at("POST", &format!("/api/v2{path}")).json(body);
        compare("v2-score-taken", &post("/leaderboards/goals/scores", &one).send().await);
        compare("v2-score-replayed", &post("/leaderboards/goals/scores", &one).send().await);
        let several = json!({"player": "New", "score": 1, "leaderboards": ["goals", "goals-by-year"], "occurred_at": "2001-01-01T00:00:00Z"});
        compare("v2-score-on-several", &post("/scores", &several).send().await);
        let batch = json!({"scores": [several, {"player": "New", "score": 1, "leaderboards": ["none"]}]});
        compare("v2-scores-in-a-batch", &post("/scores", &batch).send().await);
        let minimal = post("/leaderboards/goals/scores", &json!({"player": "New", "score": 1})).header("prefer", "return=minimal");
        compare("v2-score-minimal", &minimal.send().await);
    }

    async fn problems(api) {
        create_goals(api).await;
        let post = |body: &'static str| api.request("POST", "/leaderboards/goals/scores").header("content-type", "application/json").body(body).send();
        compare("problem-malformed", &post("{\"player\": NaN}").await);
        compare("problem-validation", &post("{\"player\": \"\", \"score\": 1.5, \"scroe\": 1}").await);
        compare("problem-media-type", &api.request("POST", "/scores").body("x").send().await);
        compare("problem-not-found", &api.get("/leaderboards/none/entries").await);
        compare("problem-parameter", &api.get("/leaderboards/goals/entries?limit=0&page=2").await);
        compare("problem-cursor", &api.get("/leaderboards/goals/entries?cursor=x").await);
        compare("problem-method", &api.delete("/leaderboards").await);
        compare("problem-credential", &api.request("GET", "/limits").without_header("x-api-key").send().await);
        compare("problem-precondition", &api.request("PUT", "/leaderboards/goals").header("if-none-match", "*").json(&json!({})).send().await);
        compare("problem-rebuild", &api.patch("/leaderboards/goals", &json!({"ties": "dense"})).await);
        compare("problem-version", &api.request_at("GET", "/api/v9/leaderboards").send().await);
    }
}
