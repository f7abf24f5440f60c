//! Tests of exports and imports of leaderboards with their history.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns all lines of the export of a leaderboard.
async fn export(api: &ApiClient, leaderboard: &str) -> Vec<Value> {
    let path = format!("/leaderboards/{leaderboard}/export");
    let (mut lines, mut query) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}{query}")).await.expect_status(200);
        lines.extend(page["lines"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => query = format!("?cursor={next}"),
            None => return lines,
        }
    }
}

/// Returns the body of an import.
fn body(first_line: usize, lines: &[Value]) -> Value {
    json!({"first_line": first_line, "lines": lines})
}

/// Returns the responses to all public reads of the leaderboard `b` that do not depend on the time of the request.
async fn read_all(api: &ApiClient, at: &str) -> Vec<Value> {
    let mut responses = Vec::new();
    for path in [
        "entries?limit=100",
        "entries?limit=3&period=current",
        "entries/p7/around?limit=4",
        "distribution?buckets=5&score=9",
        "periods",
        "events?limit=1000",
        &format!("entries?limit=100&at={at}"),
        &format!("distribution?at={at}"),
        "activity",
    ] {
        let mut response = api
            .get(&format!("/leaderboards/b/{path}"))
            .await
            .expect_status(200);
        // Cursors have the version of the configuration.
        for name in ["next", "previous"] {
            if let Some(cursor) = response.get_mut(name) {
                *cursor = json!(cursor.is_string());
            }
        }
        responses.push(response);
    }
    let bests = api
        .get("/players/p7/personal-bests?leaderboard=b")
        .await
        .expect_status(200);
    responses.push(bests);
    responses
}

api_cases! {
    async fn an_imported_leaderboard_is_the_exported_one(api) {
        api.create_leaderboard("b", &json!({"ties": "dense", "operator": "increment", "title": "Gole"})).await;
        for score in 1..=30_i64 {
            api.submit("b", &json!({"player": format!("p{}", score % 11), "score": score % 7, "metadata": {"n": score}})).await;
        }
        api.request("PUT", "/players/p3/ban").send().await.expect_status(204);
        let events = api.get("/leaderboards/b/events?after=14&limit=1").await.expect_status(200);
        let at = events["events"][0]["recorded_at"].as_str().unwrap().to_owned();
        api.delete("/leaderboards/b/scores/p5").await.expect_status(204);
        let before = read_all(api, &at).await;
        let lines = export(api, "b").await;
        assert_eq!((&lines[0]["type"], &lines[lines.len() - 1]["type"]), (&json!("header"), &json!("end")));
        api.delete("/leaderboards/b").await.expect_status(204);
        let half = lines.len() / 2;
        let done = api.post("/leaderboards/b/import", &body(1, &lines[..half])).await.expect_status(200);
        assert_eq!(done, json!({"leaderboard": "b", "lines": half, "finished": false}));
        api.get("/leaderboards/b/entries").await.expect_problem(404, "leaderboard-not-found");
        api.put("/leaderboards/b", &json!({})).await.expect_problem(409, "import-under-way");
        assert_eq!(api.get("/leaderboards/b/import").await.expect_status(200), done);
        let done = api.post("/leaderboards/b/import", &body(1, &lines)).await.expect_status(200);
        assert_eq!(done, json!({"leaderboard": "b", "lines": lines.len(), "finished": true}));
        assert_eq!(read_all(api, &at).await, before);
        assert_eq!(export(api, "b").await, lines);
        api.get("/leaderboards/b/import").await.expect_problem(404, "import-not-found");
        api.post("/leaderboards/b/import", &body(1, &lines)).await.expect_problem(409, "leaderboard-exists");
    }

    async fn a_line_that_is_wrong_is_named(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 1).await;
        let lines = export(api, "b").await;
        api.delete("/leaderboards/b").await.expect_status(204);
        api.request("POST", "/leaderboards/b/import").body("nonsense").header("content-type", "application/json")
            .send().await.expect_problem(400, "malformed");
        let with = |at: usize, field: &str, value: Value| {
            let mut changed = lines.clone();
            changed[at][field] = value;
            changed
        };
        for (wrong, pointer) in [
            (with(0, "format", json!(2)), "#/lines/0/format"),
            (with(0, "leaderboard", json!("c")), "#/lines/0/leaderboard"),
            (with(0, "configuration", json!("AAAA")), "#/lines/0/configuration"),
            (with(1, "type", json!("point")), "#/lines/1/type"),
            (with(2, "values", json!(["many"])), "#/lines/2/values/0"),
            (with(2, "metadata", json!("{")), "#/lines/2/metadata"),
            (with(3, "event", json!("?")), "#/lines/3/event"),
            (lines[1..].to_vec(), "#/lines/0/type"),
            ([&lines[..1], &lines[2..]].concat(), "#/lines/1/type"),
            ([&lines[..3], &lines[4..]].concat(), "#/lines/4/lines"),
            (with(lines.len() - 1, "lines", json!(99)), "#/lines/5/lines"),
        ] {
            let problem = api.post("/leaderboards/b/import", &body(1, &wrong)).await.expect_problem(422, "validation");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        api.post("/leaderboards/b/import", &body(1, &lines[..2])).await.expect_status(200);
        let missing = api.post("/leaderboards/b/import", &body(4, &lines[3..])).await.expect_problem(422, "validation");
        assert_eq!(missing["errors"][0]["detail"], "must be at most 3: line 3 comes next");
        let problem = api.post("/leaderboards/c/import", &body(1, &lines)).await.expect_problem(409, "import-under-way");
        assert!(problem["detail"].as_str().unwrap().contains("importing b"), "{problem}");
        api.delete("/leaderboards/b/import").await.expect_status(204);
        api.delete("/leaderboards/b/import").await.expect_problem(404, "import-not-found");
        api.post("/leaderboards/b/import", &body(2, &lines[1..])).await.expect_problem(404, "import-not-found");
        api.post("/leaderboards/b/import", &body(0, &lines)).await.expect_problem(422, "validation");
        api.post("/leaderboards/b/import", &body(1, &[])).await.expect_problem(422, "validation");
    }

    async fn a_leaderboard_that_changes_is_exported_again(api) {
        api.create_leaderboard("b", &json!({})).await;
        let scores: Vec<_> = (0..600).map(|n| json!({"player": format!("p{n}"), "score": n})).collect();
        api.submit_all("b", &scores).await;
        let page = api.get("/leaderboards/b/export").await.expect_status(200);
        let next = page["next"].as_str().unwrap();
        api.submit_score("b", "p0", 1000).await;
        api.get(&format!("/leaderboards/b/export?cursor={next}")).await.expect_problem(410, "stale-cursor");
        api.get("/leaderboards/b/export?cursor=x").await.expect_problem(400, "invalid-cursor");
        api.get("/leaderboards/none/export").await.expect_problem(404, "leaderboard-not-found");
    }
}
