//! Tests of drift: how version 2 of the API reports, on each page, changes of the list since its first page.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

const ENTRIES: &str = "/leaderboards/b/entries";

/// Creates a leaderboard with `p25` at the top and `p1` at the end. Returns the cursor after the tenth entry.
async fn create_list(api: &ApiClient) -> String {
    api.create_leaderboard("b", &json!({})).await;
    let scores: Vec<Value> = (1..=25)
        .map(|n| json!({"player": format!("p{n}"), "score": n}))
        .collect();
    api.submit_all("b", &scores).await;
    api.page("b", "").await["next"].as_str().unwrap().to_owned()
}

/// Reads the page of five entries at a cursor.
async fn read_page(api: &ApiClient, cursor: &str) -> Value {
    api.get_v2(&format!("{ENTRIES}?limit=5&cursor={cursor}"))
        .await
        .expect_status(200)
}

/// Returns the drift that the page at a cursor reports, without the version.
async fn read_drift(api: &ApiClient, cursor: &str) -> Value {
    let mut snapshot = read_page(api, cursor).await["page"]["snapshot"].take();
    snapshot.as_object_mut().unwrap().remove("version");
    snapshot
}

/// Returns the drift of a list whose changes are not known.
fn unknown_drift() -> Value {
    json!({"drifted": true, "touched_ranks": null, "moved_past": null, "gone": null})
}

api_cases! {
    async fn drift_names_players_that_moved_past_a_page_and_counts_removed_players(api) {
        let next = create_list(api).await;
        let first = api.page("b", "").await;
        assert_eq!(read_drift(api, &next).await, json!({"drifted": false, "touched_ranks": []}));
        // p13 is on the page, and p5 is after it. Neither score is better, so nothing changes.
        api.submit_score("b", "p13", 1).await;
        api.submit_score("b", "p5", 1).await;
        // p2 stays after the page, p4 and p1 move in front of the page, and p14 is removed from it.
        for (player, score) in [("p2", 3), ("p4", 50), ("p1", 60)] {
            api.submit_score("b", player, score).await;
        }
        api.delete("/leaderboards/b/scores/p14").await.expect_status(204);
        assert_eq!(read_drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p1", "p4"], "gone": 1}));
        // Backward, the part of the list that was already shown is after the page.
        let back = read_page(api, &next).await["page"]["previous"].as_str().unwrap().to_owned();
        assert_eq!(read_drift(api, &back).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p2"], "gone": 1}));
        assert_eq!(api.page("b", &format!("?cursor={next}")).await["drifted"], true);
        // p12 moves within the page. The snapshot is of the version of the first page.
        api.submit_score("b", "p12", 14).await;
        assert_eq!(read_drift(api, &next).await["touched_ranks"], json!([14]));
        assert_eq!(read_page(api, &next).await["page"]["snapshot"]["version"], first["version"]);
    }

    async fn drift_does_not_name_a_banned_player(api) {
        let next = create_list(api).await;
        api.request("PUT", "/players/p12/ban").send().await.expect_status(204);
        api.submit_score("b", "p12", 14).await;
        assert_eq!(read_drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": [], "gone": 1}));
        api.delete("/players/p12/ban").await.expect_status(204);
        let page = read_page(api, &next).await;
        let entry = page["data"].as_array().unwrap().iter().find(|entry| entry["player"]["id"] == "p12").unwrap();
        assert_eq!(page["page"]["snapshot"]["touched_ranks"], json!([entry["rank"]]));
    }

    async fn after_too_many_changes_the_drift_is_unknown(api) {
        let next = create_list(api).await;
        let changes: Vec<Value> = (100..1101).map(|n| json!({"player": "p25", "score": n})).collect();
        api.submit_all("b", &changes[..1000]).await;
        assert_eq!(read_drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p25"], "gone": 0}));
        api.submit_all("b", &changes[1000..]).await;
        assert_eq!(read_drift(api, &next).await, unknown_drift());
    }

    async fn the_drift_since_before_the_first_kept_event_is_unknown(api) {
        let next = create_list(api).await;
        api.patch("/leaderboards/b", &json!({"log": {"keep_events": 3}})).await.expect_status(200);
        api.submit_score("b", "p1", 99).await;
        assert_eq!(read_drift(api, &next).await["moved_past"], json!(["p1"]));
        for score in 100..103 {
            api.submit_score("b", "p2", score).await;
        }
        assert_eq!(read_drift(api, &next).await, unknown_drift());
    }

    async fn documents_of_version_2_have_pages_and_players(api) {
        create_list(api).await;
        let get = async |path: &str| api.get_v2(path).await.expect_status(200);
        let page = get(&format!("{ENTRIES}?limit=2")).await;
        for gone in ["entries", "next", "previous", "drifted"] {
            assert!(page.get(gone).is_none(), "{gone}");
        }
        assert_eq!(page["page"]["snapshot"], json!({"version": page["version"], "drifted": false, "touched_ranks": []}));
        let around = get(&format!("{ENTRIES}/p13/around?limit=3")).await;
        assert_eq!((&around["data"][1]["player"]["id"], &around["page"]["snapshot"]), (&json!("p13"), &page["page"]["snapshot"]));
        for (way, rank) in [("previous", 11), ("next", 15)] {
            let cursor = around["page"][way].as_str().unwrap();
            assert_eq!(get(&format!("{ENTRIES}?limit=1&cursor={cursor}")).await["data"][0]["rank"], rank);
        }
        let summary = get("/leaderboards/b/summary?player=p13&top=1&around=3").await;
        assert_eq!((&summary["around"], &summary["top"]["data"][0]["rank"]), (&around, &json!(1)));
        api.request("PUT", "/players/p13/ban").send().await.expect_status(204);
        let ban = get("/players/p13/ban").await;
        assert_eq!((&ban["player"], &get("/bans").await["data"]), (&json!({"id": "p13"}), &json!([ban])));
        api.create_leaderboard("c", &json!({})).await;
        // A cursor works in all versions. The header `Location` has the version of the request.
        let next = get("/leaderboards?limit=1").await["page"]["next"].as_str().unwrap().to_owned();
        let rest = api.get(&format!("/leaderboards?cursor={next}")).await.expect_status(200);
        assert_eq!(rest["leaderboards"][0]["id"], "c");
        let created = api.request_at("PUT", "/api/v2/leaderboards/new").json(&json!({})).send().await;
        assert_eq!((created.status, created.header("location")), (201, "/api/v2/leaderboards/new"));
    }
}
