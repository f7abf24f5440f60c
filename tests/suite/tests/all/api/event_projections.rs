//! Tests of named projections: the activity of a leaderboard, and personal bests.

use leaderboard_test_support::{ApiClient, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

async fn read_activity(api: &ApiClient) -> Value {
    api.get("/leaderboards/b/activity").await.expect_status(200)
}

/// Returns submissions, changes and players of all days together, so that a test may run at midnight.
fn sums(activity: &Value) -> [u64; 3] {
    let days = activity["days"].as_array().unwrap();
    ["submissions", "changes", "players"].map(|name| days.iter().map(|day| day[name].as_u64().unwrap()).sum())
}

/// Returns the values of a player's personal bests, and the periods.
async fn read_bests(api: &ApiClient, player: &str) -> Vec<(i64, String)> {
    let path = format!("/players/{player}/personal-bests?leaderboard=b");
    let found = api.get(&path).await.expect_status(200);
    assert_eq!(found["read_to"], found["last"]);
    let bests = found["bests"].as_array().unwrap().iter();
    bests
        .map(|best| {
            let period = best["period"].as_str().unwrap().to_owned();
            (best["values"]["score"].as_i64().unwrap(), period)
        })
        .collect()
}

api_cases! {
    async fn the_activity_counts_what_was_submitted_since_the_last_read(api) {
        api.create_leaderboard("b", &json!({"operator": "best"})).await;
        for (player, score) in [("p", 5), ("q", 3), ("p", 4)] {
            api.submit_score("b", player, score).await;
        }
        let first = read_activity(api).await;
        assert_eq!((sums(&first), &first["read_to"], &first["last"], &first["missed"]), ([3, 2, 2], &json!(4), &json!(4), &json!(0)));
        assert_eq!(first["days"][0]["players_exact"], true);
        api.submit_score("b", "p", 9).await;
        api.delete("/leaderboards/b/scores/q").await.expect_status(204);
        assert_eq!(sums(&read_activity(api).await), [4, 3, 2]);
        let rebuilt = api.request("POST", "/leaderboards/b/activity/rebuild").send().await.expect_status(200);
        assert_eq!((sums(&rebuilt), &rebuilt["read_to"]), ([4, 3, 2], &json!(6)));
        let past = api.get("/leaderboards/b/activity?from=2001-01-01&to=2001-01-31").await.expect_status(200);
        assert_eq!((&past["days"], &past["read_to"]), (&json!([]), &json!(6)));
    }

    async fn the_activity_keeps_what_the_log_has_lost(api) {
        api.create_leaderboard("b", &json!({"log": {"keep_events": 3}})).await;
        api.submit_score("b", "p", 1).await;
        assert_eq!(sums(&read_activity(api).await), [1, 1, 1]);
        for score in 2..=6 {
            api.submit_score("b", "p", score).await;
        }
        // The log had five new events, and has three.
        let read = read_activity(api).await;
        assert_eq!((sums(&read), &read["missed"]), ([4, 4, 1], &json!(2)));
        let rebuilt = api.request("POST", "/leaderboards/b/activity/rebuild").send().await.expect_status(200);
        assert_eq!((sums(&rebuilt), &rebuilt["missed"]), ([3, 3, 1], &json!(4)));
    }

    async fn a_new_leaderboard_of_the_same_name_begins_its_activity(api) {
        for scores in [3, 1] {
            api.create_leaderboard("b", &json!({})).await;
            for score in 0..scores {
                api.submit_score("b", "p", score).await;
            }
            let read = read_activity(api).await;
            assert_eq!(read["read_to"], json!(scores + 1));
            assert_eq!(sums(&read)[0], u64::try_from(scores).unwrap());
            api.delete("/leaderboards/b").await.expect_status(204);
        }
    }

    async fn an_erased_player_counts_once_in_the_activity(api) {
        api.create_leaderboard("b", &json!({})).await;
        for player in ["p", "q"] {
            api.submit_score("b", player, 1).await;
        }
        read_activity(api).await;
        wait_until(async || api.delete("/players/p").await, |answer| answer.status != 503).await.expect_status(204);
        assert_eq!(sums(&read_activity(api).await), [2, 2, 2]);
        api.submit_score("b", "q", 2).await;
        assert_eq!(sums(&read_activity(api).await), [3, 3, 2]);
    }

    async fn personal_bests_are_what_beat_all_before(api) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        api.create_leaderboard("b", &json!({"operator": "best", "reset": reset, "keep_periods": 1000})).await;
        for (year, score) in [(2001, 5), (2001, 4), (2002, 3), (2003, 7), (2002, 9)] {
            api.submit("b", &json!({"player": "p", "score": score, "occurred_at": format!("{year}-05-05T00:00:00Z")})).await;
        }
        api.submit_score("b", "q", 99).await;
        let year = |year: u32| format!("{year}-01-01T00:00:00Z");
        assert_eq!(read_bests(api, "p").await, [(5, year(2001)), (7, year(2003)), (9, year(2002))]);
        api.delete("/leaderboards/b/scores/p?period=2003-01-01T00:00:00Z").await.expect_status(204);
        assert_eq!(read_bests(api, "p").await, [(5, year(2001)), (9, year(2002))]);
        assert_eq!(read_bests(api, "nobody").await, []);
    }

    async fn personal_bests_add_up_where_scores_are_added(api) {
        api.create_leaderboard("b", &json!({"operator": "increment", "columns": [{"name": "score", "order": "asc"}]})).await;
        for score in [-3, 2, -5] {
            api.submit_score("b", "p", score).await;
        }
        let all = |values: &[i64]| -> Vec<(i64, String)> { values.iter().map(|value| (*value, "all".to_owned())).collect() };
        assert_eq!(read_bests(api, "p").await, all(&[-3, -6]));
        api.patch("/leaderboards/b", &json!({"log": {"keep_events": 2}})).await.expect_status(200);
        api.submit_score("b", "p", -1).await;
        let lost = api.get("/players/p/personal-bests?leaderboard=b").await;
        lost.expect_problem(410, "history-not-kept");
    }

    async fn a_player_reads_the_own_bests_and_an_administrator_the_activity(api) {
        api.create_leaderboard("b", &json!({"access": {"write": "player"}})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&key, "p").await;
        let bests = |player: &str| format!("/api/v1/players/{player}/personal-bests?leaderboard=b");
        for player in ["me", "p"] {
            api.with_token(&token, "GET", &bests(player)).send().await.expect_status(200);
        }
        api.with_token(&token, "GET", &bests("q")).send().await.expect_problem(403, "forbidden");
        api.bare("GET", &bests("p")).send().await.expect_problem(401, "unauthenticated");
        api.with_key(&key, "GET", "/api/v1/leaderboards/b/activity").send().await.expect_problem(403, "forbidden");
        for path in ["/players/p/personal-bests", "/players/p/personal-bests?leaderboard=B", "/leaderboards/b/activity?from=yesterday", "/leaderboards/b/activity?from=2026-02-02&to=2026-02-01"] {
            api.get(path).await.expect_problem(400, "invalid-parameter");
        }
        for path in ["/players/p/personal-bests?leaderboard=none", "/leaderboards/none/activity"] {
            api.get(path).await.expect_problem(404, "leaderboard-not-found");
        }
    }
}
