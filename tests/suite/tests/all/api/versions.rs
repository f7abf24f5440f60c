//! The versions of the API on the real components: by path, by header, by media type, and by none of them.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Reply, over_http};

const V2: &str = "application/vnd.edgeboard.v2+json";

async fn read(edgeboard: &Edgeboard, path: &str, headers: &[(&str, &str)]) -> Reply {
    let call = edgeboard.anywhere("GET", path);
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    call.send().await
}

fn players(page: &Value) -> Vec<&str> {
    let entries = page["data"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["player"]["id"].as_str().unwrap())
        .collect()
}

over_http! {
    async fn every_way_to_ask_for_a_version_is_routed(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        edgeboard.submit("b", &json!({"player": "p", "score": 1, "metadata": {"a": 1}})).await;
        let path = "leaderboards/b/entries";
        for (base, headers, version) in [
            ("/api/v1", vec![], "1"),
            ("/api/v2", vec![], "2"),
            ("/api", vec![], "1"),
            ("/api", vec![("api-version", "2")], "2"),
            ("/api", vec![("accept", V2)], "2"),
            ("/api", vec![("accept", V2), ("api-version", "1")], "1"),
            ("/api/v2", vec![("accept", "application/vnd.edgeboard.v1+json")], "2"),
        ] {
            let answer = read(edgeboard, &format!("{base}/{path}"), &headers).await;
            let body = answer.is(200);
            assert_eq!(answer.header("api-version"), version, "{base} {headers:?}");
            let player = if version == "1" { json!("p") } else { json!({"id": "p", "metadata": {"a": 1}}) };
            let entries = if version == "1" { "entries" } else { "data" };
            assert_eq!(body[entries][0]["player"], player, "{base} {headers:?}");
        }
        read(edgeboard, &format!("/api/v2/{path}"), &[("api-version", "1")]).await.problem(400, "version-conflict");
        read(edgeboard, &format!("/api/{path}"), &[("api-version", "3")]).await.problem(400, "invalid-header");
        read(edgeboard, &format!("/api/{path}"), &[("accept", "application/vnd.edgeboard.v3+json")]).await.problem(406, "not-acceptable");
        read(edgeboard, &format!("/api/v3/{path}"), &[]).await.problem(404, "unknown-version");
        read(edgeboard, "/api/v3/health/live", &[]).await.problem(404, "unknown-version");
        read(edgeboard, "/api/v2/health/live", &[]).await.is(200);
        read(edgeboard, "/api/health/live", &[]).await.is(200);
    }

    /// The name of a leaderboard may be that of a segment of the routes.
    async fn names_that_are_words_of_routes(edgeboard) {
        for id in ["leaderboards", "scores", "entries", "dead-letters", "players", "v1", "v2"] {
            let created = edgeboard.anywhere("PUT", &format!("/api/leaderboards/{id}")).json(&json!({})).send().await;
            created.is(201);
            assert_eq!(created.header("location"), format!("/api/v1/leaderboards/{id}"));
            let one = json!({"player": "around", "score": 1});
            let taken = edgeboard.anywhere("POST", &format!("/api/leaderboards/{id}/scores")).json(&one).send().await.is(200);
            assert_eq!(taken["leaderboard"], id);
            let entry = read(edgeboard, &format!("/api/leaderboards/{id}/entries/around/around"), &[]).await.is(200);
            assert_eq!(entry["entries"][0]["player"], "around");
        }
        let page = read(edgeboard, "/api/leaderboards?limit=2", &[("api-version", "2")]).await.is(200);
        assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"]), (&json!("dead-letters"), &json!("entries")));
    }

    async fn a_list_says_where_it_drifted(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        for n in 1..=9 {
            edgeboard.score("b", &format!("p{n}"), n * 10).await;
        }
        let first = read(edgeboard, "/api/v2/leaderboards/b/entries?limit=3", &[]).await.is(200);
        assert_eq!(players(&first), ["p9", "p8", "p7"]);
        let start = first["page"]["snapshot"]["version"].clone();
        assert_eq!(first["version"], start);
        // Within the next page, from behind it to the top, and one that does not count.
        edgeboard.score("b", "p4", 55).await;
        edgeboard.score("b", "p1", 500).await;
        edgeboard.call("PUT", "/players/p8/ban").send().await.is(204);
        let next = first["page"]["next"].as_str().unwrap();
        let second = read(edgeboard, &format!("/api/v2/leaderboards/b/entries?limit=3&cursor={next}"), &[]).await.is(200);
        assert_eq!(players(&second), ["p6", "p4", "p5"]);
        assert_eq!(second["page"]["snapshot"], json!({
            "version": start, "drifted": true, "touched_ranks": [5], "moved_past": ["p1"], "gone": 1,
        }));
        assert_eq!(second["data"][1]["rank"], 5);
        let back = second["page"]["previous"].as_str().unwrap();
        let old = edgeboard.get(&format!("/leaderboards/b/entries?limit=9&cursor={back}")).await.is(200);
        assert_eq!((&old["entries"][0]["player"], &old["drifted"]), (&json!("p1"), &json!(true)));
    }
}
