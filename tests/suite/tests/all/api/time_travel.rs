//! Tests of `at`: a leaderboard as it was at an instant.

use leaderboard_core::Timestamp;
use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns the instant of the newest event, for `at`. Waits until the clock is past this instant.
async fn instant_of_last_event(api: &ApiClient, leaderboard: &str) -> String {
    let last = api
        .get(&format!("/leaderboards/{leaderboard}/events?limit=1000"))
        .await
        .expect_status(200);
    let at = last["events"].as_array().unwrap().last().unwrap()["recorded_at"]
        .as_str()
        .unwrap()
        .to_owned();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    at
}

async fn read(api: &ApiClient, path: &str) -> Value {
    api.get(path).await.expect_status(200)
}

/// Returns the paths of all reads that take `at`, for `at` to follow.
fn paths(player: &str) -> [String; 4] {
    [
        "/leaderboards/b/entries?limit=5".to_owned(),
        format!("/leaderboards/b/entries/{player}?period=current"),
        format!("/leaderboards/b/entries/{player}/around?limit=3"),
        "/leaderboards/b/distribution?buckets=4&score=3".to_owned(),
    ]
}

/// Returns the response without cursors, which contain the instant.
fn without_cursors(mut response: Value) -> Value {
    for name in ["next", "previous"] {
        if let Some(cursor) = response.get_mut(name) {
            *cursor = json!(cursor.is_string());
        }
    }
    response
}

api_cases! {
    async fn every_read_returns_what_it_returned_at_the_instant(api) {
        api.create_leaderboard("b", &json!({"ties": "shared"})).await;
        for score in 1..=8 {
            api.submit_score("b", &format!("p{score}"), score / 2).await;
        }
        api.request("PUT", "/players/p8/ban").send().await.expect_status(204);
        let mut then = Vec::new();
        for path in paths("p5") {
            then.push(without_cursors(read(api, &path).await));
        }
        let at = instant_of_last_event(api, "b").await;
        api.delete("/players/p8/ban").await.expect_status(204);
        api.submit_score("b", "p5", 99).await;
        api.delete("/leaderboards/b/scores/p1").await.expect_status(204);
        let ascending = json!({"columns": [{"name": "score", "order": "asc"}]});
        api.patch("/leaderboards/b?rebuild=true", &ascending).await.expect_status(200);
        for (path, then) in paths("p5").iter().zip(then) {
            assert_eq!(without_cursors(read(api, &format!("{path}&at={at}")).await), then, "{path}");
        }
        api.get(&format!("/leaderboards/b/entries/p9?at={at}")).await.expect_problem(404, "entry-not-found");
        let now = Timestamp::parse(&instant_of_last_event(api, "b").await).unwrap();
        for path in paths("p5") {
            let now_by_log = without_cursors(read(api, &format!("{path}&at={now}")).await);
            assert_eq!(now_by_log, without_cursors(read(api, &path).await), "{path}");
        }
    }

    async fn the_cursors_of_a_past_list_stay_in_the_past(api) {
        api.create_leaderboard("b", &json!({})).await;
        for score in 1..=6 {
            api.submit_score("b", &format!("p{score}"), score).await;
        }
        let at = instant_of_last_event(api, "b").await;
        api.submit_score("b", "p1", 100).await;
        let first = read(api, &format!("/leaderboards/b/entries?limit=4&at={at}")).await;
        let next = first["next"].as_str().unwrap();
        for query in [format!("cursor={next}"), format!("cursor={next}&at={at}")] {
            let second = read(api, &format!("/leaderboards/b/entries?{query}")).await;
            let players: Vec<_> = second["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
            assert_eq!((players, &second["next"], &second["drifted"]), (vec![json!("p2"), json!("p1")], &Value::Null, &json!(false)));
        }
        let of_now = read(api, "/leaderboards/b/entries?limit=2").await["next"].as_str().unwrap().to_owned();
        let later = instant_of_last_event(api, "b").await;
        for query in [format!("cursor={next}&at={later}"), format!("cursor={of_now}&at={at}")] {
            api.get(&format!("/leaderboards/b/entries?{query}")).await.expect_problem(400, "invalid-cursor");
        }
    }

    async fn an_instant_outside_the_history_is_refused(api) {
        api.create_leaderboard("b", &json!({"log": {"keep_events": 3}})).await;
        let problem = api.get("/leaderboards/b/entries?at=2020-01-01T00:00:00Z").await.expect_problem(410, "history-not-kept");
        assert_eq!(problem["errors"][0]["parameter"], "at");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("begins at 20"), "{problem}");
        for bad in ["2999-01-01T00:00:00Z", "yesterday", "2026-01-01", "2026-01-01T00:00:00+01:00"] {
            let problem = api.get(&format!("/leaderboards/b/entries/p?at={bad}")).await.expect_problem(400, "invalid-parameter");
            assert_eq!(problem["errors"][0]["parameter"], "at", "{bad}");
        }
        api.submit_score("b", "p", 1).await;
        let at = instant_of_last_event(api, "b").await;
        for score in 2..=20 {
            api.submit_score("b", "p", score).await;
        }
        for path in paths("p") {
            api.get(&format!("{path}&at={at}")).await.expect_problem(410, "history-not-kept");
        }
        let players = api.get(&format!("/leaderboards/b/entries?players=p&at={at}")).await.expect_problem(400, "invalid-parameter");
        assert_eq!(players["errors"][0]["parameter"], "at");
    }

    async fn the_history_stays_readable_when_the_log_loses_its_first_events(api) {
        api.create_leaderboard("b", &json!({"log": {"keep_events": 400}})).await;
        for round in 0..40 {
            let scores: Vec<_> = (0..20).map(|n| json!({"player": format!("p{}", (round * 7 + n) % 30), "score": round * 3 + n})).collect();
            api.post("/leaderboards/b/scores", &json!({"scores": scores})).await.expect_status(207);
        }
        let kept = read(api, "/leaderboards/b/events?limit=1").await;
        assert!(kept["events"][0]["position"].as_u64().unwrap() > 1, "{kept}");
        let mut then = Vec::new();
        for path in paths("p5") {
            then.push(without_cursors(read(api, &path).await));
        }
        let at = instant_of_last_event(api, "b").await;
        api.submit_score("b", "p5", 999).await;
        for (path, then) in paths("p5").iter().zip(then) {
            assert_eq!(without_cursors(read(api, &format!("{path}&at={at}")).await), then, "{path}");
        }
        let before = api.get("/leaderboards/b/entries?at=2020-01-01T00:00:00Z").await.expect_problem(410, "history-not-kept");
        assert!(before["errors"][0]["detail"].as_str().unwrap().contains("begins at 20"), "{before}");
    }

    async fn the_past_of_a_private_leaderboard_is_private(api) {
        api.create_leaderboard("b", &json!({"access": {"read": "private"}})).await;
        api.submit_score("b", "p", 1).await;
        let at = instant_of_last_event(api, "b").await;
        for path in paths("p") {
            api.request("GET", &format!("{path}&at={at}")).without_header("x-api-key").send().await.expect_problem(404, "leaderboard-not-found");
            read(api, &format!("{path}&at={at}")).await;
        }
        api.get(&format!("/leaderboards/none/entries?at={at}")).await.expect_problem(404, "leaderboard-not-found");
    }

    async fn the_past_of_a_public_leaderboard_needs_a_credential(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 1).await;
        let at = instant_of_last_event(api, "b").await;
        for path in paths("p") {
            let refused = api.request("GET", &format!("{path}&at={at}")).without_header("x-api-key").send().await;
            assert!(refused.headers.contains_key("www-authenticate"), "{path}");
            refused.expect_problem(401, "unauthenticated");
        }
    }
}
