//! Where a list drifted since it was begun: what version 2 says of it on each page.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

const ENTRIES: &str = "/leaderboards/b/entries";

/// Creates a leaderboard with `p25` at the top and `p1` at the end, and returns the cursor after the tenth.
async fn begin(api: &ApiClient) -> String {
    api.create_leaderboard("b", &json!({})).await;
    let scores: Vec<Value> = (1..=25)
        .map(|n| json!({"player": format!("p{n}"), "score": n}))
        .collect();
    api.submit_all("b", &scores).await;
    api.page("b", "").await["next"].as_str().unwrap().to_owned()
}

async fn page_after(api: &ApiClient, cursor: &str) -> Value {
    api.get_v2(&format!("{ENTRIES}?limit=5&cursor={cursor}"))
        .await
        .expect_status(200)
}

/// What a page says of the drift, without the version.
async fn drift(api: &ApiClient, cursor: &str) -> Value {
    let mut snapshot = page_after(api, cursor).await["page"]["snapshot"].take();
    snapshot.as_object_mut().unwrap().remove("version");
    snapshot
}

fn unknown() -> Value {
    json!({"drifted": true, "touched_ranks": null, "moved_past": null, "gone": null})
}

api_cases! {
    async fn a_page_names_players_that_moved_past_it_and_counts_those_that_left_it(api) {
        let next = begin(api).await;
        assert_eq!(drift(api, &next).await, json!({"drifted": false, "touched_ranks": []}));
        // On the page, and after it: neither score is better.
        api.submit_score("b", "p13", 1).await;
        api.submit_score("b", "p5", 1).await;
        // One player stays after the page, two move in front of it, and one of the page is removed.
        for (player, score) in [("p2", 3), ("p4", 50), ("p1", 60)] {
            api.submit_score("b", player, score).await;
        }
        api.delete("/leaderboards/b/scores/p14").await.expect_status(204);
        assert_eq!(drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p1", "p4"], "gone": 1}));
        // On the way back, players after the page are those that moved past it.
        let back = page_after(api, &next).await["page"]["previous"].as_str().unwrap().to_owned();
        assert_eq!(drift(api, &back).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p2"], "gone": 1}));
    }

    async fn a_banned_player_is_not_named(api) {
        let next = begin(api).await;
        api.request("PUT", "/players/p12/ban").send().await.expect_status(204);
        api.submit_score("b", "p12", 14).await;
        assert_eq!(drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": [], "gone": 1}));
        api.delete("/players/p12/ban").await.expect_status(204);
        let page = page_after(api, &next).await;
        let entry = page["data"].as_array().unwrap().iter().find(|entry| entry["player"]["id"] == "p12").unwrap();
        assert_eq!(page["page"]["snapshot"]["touched_ranks"], json!([entry["rank"]]));
    }

    async fn after_too_many_changes_the_drift_is_unknown(api) {
        let next = begin(api).await;
        let changes: Vec<Value> = (100..1101).map(|n| json!({"player": "p25", "score": n})).collect();
        api.submit_all("b", &changes[..1000]).await;
        assert_eq!(drift(api, &next).await, json!({"drifted": true, "touched_ranks": [], "moved_past": ["p25"], "gone": 0}));
        api.submit_all("b", &changes[1000..]).await;
        assert_eq!(drift(api, &next).await, unknown());
    }

    async fn a_list_from_before_the_first_kept_event_does_not_know_where_it_drifted(api) {
        let next = begin(api).await;
        api.patch("/leaderboards/b", &json!({"log": {"keep_events": 3}})).await.expect_status(200);
        api.submit_score("b", "p1", 99).await;
        assert_eq!(drift(api, &next).await["moved_past"], json!(["p1"]));
        for score in 100..103 {
            api.submit_score("b", "p2", score).await;
        }
        assert_eq!(drift(api, &next).await, unknown());
    }

    async fn documents_of_version_2_have_pages_and_players(api) {
        begin(api).await;
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
        // A cursor is the same in all versions, and an address stays in its version.
        let next = get("/leaderboards?limit=1").await["page"]["next"].as_str().unwrap().to_owned();
        let rest = api.get(&format!("/leaderboards?cursor={next}")).await.expect_status(200);
        assert_eq!(rest["leaderboards"][0]["id"], "c");
        let created = api.request_at("PUT", "/api/v2/leaderboards/new").json(&json!({})).send().await;
        assert_eq!((created.status, created.header("location")), (201, "/api/v2/leaderboards/new"));
    }
}
