//! The four operators, their limits, and several columns.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, over_http};

/// Submits each score in turn: the status and the value after it.
async fn story(edgeboard: &Edgeboard, board: &str, scores: &[i64]) -> Vec<(String, i64)> {
    let mut told = Vec::new();
    for score in scores {
        let outcome = edgeboard.score(board, "p", *score).await;
        told.push((
            outcome["status"].as_str().unwrap().to_owned(),
            outcome["values"]["score"].as_i64().unwrap(),
        ));
    }
    told
}

fn told(story: &[(&str, i64)]) -> Vec<(String, i64)> {
    story
        .iter()
        .map(|(status, value)| ((*status).to_owned(), *value))
        .collect()
}

over_http! {
    async fn best_keeps_the_better_one(edgeboard) {
        edgeboard.board("desc", &json!({"operator": "best"})).await;
        let expected = told(&[("created", 5), ("kept", 5), ("kept", 5), ("improved", 6), ("kept", 6)]);
        assert_eq!(story(edgeboard, "desc", &[5, 3, 5, 6, -1]).await, expected);
        edgeboard.board("asc", &json!({"operator": "best", "columns": [{"name": "score", "order": "asc"}]})).await;
        let expected = told(&[("created", 5), ("improved", 3), ("kept", 3), ("improved", -1)]);
        assert_eq!(story(edgeboard, "asc", &[5, 3, 4, -1]).await, expected);
    }

    async fn set_replaces(edgeboard) {
        edgeboard.board("b", &json!({"operator": "set"})).await;
        let expected = told(&[("created", 5), ("changed", 3), ("kept", 3), ("improved", 4)]);
        assert_eq!(story(edgeboard, "b", &[5, 3, 3, 4]).await, expected);
    }

    async fn increment_and_decrement_start_from_zero(edgeboard) {
        edgeboard.board("up", &json!({"operator": "increment"})).await;
        let expected = told(&[("created", 5), ("improved", 8), ("changed", 6), ("kept", 6)]);
        assert_eq!(story(edgeboard, "up", &[5, 3, -2, 0]).await, expected);
        edgeboard.board("down", &json!({"operator": "decrement"})).await;
        let expected = told(&[("created", -5), ("changed", -8), ("improved", -6)]);
        assert_eq!(story(edgeboard, "down", &[5, 3, -2]).await, expected);
    }

    async fn another_operator_only_where_the_leaderboard_says_so(edgeboard) {
        edgeboard.board("fixed", &json!({"operator": "best"})).await;
        let other = json!({"player": "p", "score": 1, "operator": "increment"});
        let refused = edgeboard.post("/leaderboards/fixed/scores", &other).await.problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/operator");
        // Its own is no other.
        edgeboard.submit("fixed", &json!({"player": "p", "score": 1, "operator": "best"})).await;
        edgeboard.board("free", &json!({"operator": "best", "operator_override": true})).await;
        for (operator, score, value) in [("best", 7, 7), ("increment", 3, 10), ("decrement", 1, 9), ("set", 2, 2)] {
            let outcome = edgeboard.submit("free", &json!({"player": "p", "score": score, "operator": operator})).await;
            assert_eq!(outcome["values"]["score"], value, "{operator}");
        }
    }

    async fn the_whole_tuple_is_compared_column_by_column(edgeboard) {
        let columns = json!([
            {"name": "laps", "order": "desc"}, {"name": "time_ms", "order": "asc"}, {"name": "stops", "order": "asc"},
        ]);
        edgeboard.board("race", &json!({"columns": columns})).await;
        let run = async |player: &str, values: [i64; 3]| {
            let values = json!({"stops": values[2], "laps": values[0], "time_ms": values[1]});
            edgeboard.submit("race", &json!({"player": player, "values": values})).await["status"].clone()
        };
        assert_eq!(run("a", [50, 9000, 2]).await, "created");
        assert_eq!(run("a", [50, 9000, 3]).await, "kept");
        assert_eq!(run("a", [50, 8999, 9]).await, "improved");
        assert_eq!(run("a", [49, 1, 0]).await, "kept");
        assert_eq!(run("b", [51, 99_999, 9]).await, "created");
        assert_eq!(run("c", [50, 8999, 8]).await, "created");
        let ranks: Vec<_> = edgeboard.page("race", "").await["entries"].as_array().unwrap().clone();
        let players: Vec<_> = ranks.iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["b", "c", "a"]);
        // The values are those of one attempt, in the order of the columns.
        let written = edgeboard.entry("race", "a").await;
        let written = String::from_utf8_lossy(&written.body);
        assert!(written.contains(r#""values":{"laps":50,"time_ms":8999,"stops":9}"#), "{written}");
    }

    async fn an_increment_adds_the_first_column_and_replaces_the_others(edgeboard) {
        let columns = json!([{"name": "points", "order": "desc"}, {"name": "level", "order": "desc"}]);
        edgeboard.board("b", &json!({"operator": "increment", "columns": columns})).await;
        for values in [json!({"points": 5, "level": 9}), json!({"points": 2, "level": 4})] {
            edgeboard.submit("b", &json!({"player": "p", "values": values})).await;
        }
        let entry = edgeboard.entry("b", "p").await.is(200);
        assert_eq!(entry["entry"]["values"], json!({"points": 7, "level": 4}));
    }

    async fn limits_refuse_and_change_nothing(edgeboard) {
        let limits = json!({"min": -5, "max": 100, "max_change": 50});
        edgeboard.board("b", &json!({"operator": "set", "limits": limits})).await;
        edgeboard.score("b", "p", 10).await;
        let before = edgeboard.page("b", "").await;
        for (score, detail) in [
            (101, "above the leaderboard's max of 100"),
            (-6, "below the leaderboard's min of -5"),
            (61, "changes the entry by more than 50"),
        ] {
            let refused = edgeboard.post("/leaderboards/b/scores", &json!({"player": "p", "score": score})).await;
            let problem = refused.problem(422, "validation");
            assert_eq!(problem["errors"], json!([{"pointer": "#/score", "detail": detail}]));
        }
        assert_eq!(edgeboard.page("b", "").await, before);
        edgeboard.score("b", "p", 60).await;
    }

    async fn attempts_and_room_run_out(edgeboard) {
        edgeboard.board("b", &json!({"limits": {"max_attempts": 2, "max_entries": 2}})).await;
        for player in ["a", "b", "a"] {
            edgeboard.score("b", player, 1).await;
        }
        let refused = async |player: &str| {
            edgeboard.post("/leaderboards/b/scores", &json!({"player": player, "score": 9})).await
        };
        refused("a").await.problem(409, "attempts-exhausted");
        refused("c").await.problem(409, "leaderboard-full");
        assert_eq!(edgeboard.list("b").await.iter().map(|entry| entry.score).collect::<Vec<_>>(), [1, 1]);
        // A removed entry makes room, and its attempts are gone with it.
        edgeboard.delete("/leaderboards/b/scores/a").await.is(204);
        refused("c").await.is(200);
    }

    async fn before_the_start_and_after_the_end_nothing_counts(edgeboard) {
        let window = json!({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2021-01-01T00:00:00Z"});
        edgeboard.board("b", &window).await;
        let at = async |time: &str| {
            edgeboard.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1, "occurred_at": time})).await
        };
        at("2019-12-31T23:59:59.999Z").await.problem(409, "not-started");
        at("2021-01-01T00:00:00Z").await.problem(409, "ended");
        edgeboard.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1})).await.problem(409, "ended");
        assert_eq!(edgeboard.page("b", "").await["count"], 0);
        at("2020-01-01T00:00:00Z").await.is(200);
        at("2020-12-31T23:59:59.999Z").await.is(200);
    }

    async fn metadata_alone_moves_nobody(edgeboard) {
        edgeboard.board("b", &json!({"operator": "set"})).await;
        let submit = async |player: &str, metadata: Value, time: &str| {
            let submission = json!({"player": player, "score": 1, "metadata": metadata, "occurred_at": time});
            edgeboard.submit("b", &submission).await["status"].clone()
        };
        assert_eq!(submit("first", json!({"n": 1}), "2020-01-01T00:00:00Z").await, "created");
        assert_eq!(submit("second", json!({}), "2020-01-02T00:00:00Z").await, "created");
        assert_eq!(submit("first", json!({"n": 2}), "2020-01-03T00:00:00Z").await, "changed");
        let entries = edgeboard.page("b", "").await["entries"].clone();
        assert_eq!((&entries[0]["player"], &entries[0]["metadata"]), (&json!("first"), &json!({"n": 2})));
        assert_eq!(entries[0]["reached_at"], "2020-01-01T00:00:00.000Z");
    }
}
