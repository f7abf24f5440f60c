//! Tests of the erasure of a player over the API.

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Erases a player, and sends the request again while the erasure needs more time.
async fn erase(api: &ApiClient, player: &str) -> ApiResponse {
    let path = format!("/players/{player}");
    wait_until(async || api.delete(&path).await, |answer| answer.status != 503).await
}

/// Returns the players of the audit log's administrative actions, newest first, with their routes.
async fn audited_players(api: &ApiClient) -> Vec<(String, String)> {
    let records = api.get("/audit").await.expect_status(200)["records"].take();
    let events = records.as_array().unwrap().iter().map(|record| &record["event"]);
    let acts = events.filter(|event| event["parameters"]["player"].is_string());
    acts.map(|event| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&event["route"]), text(&event["parameters"]["player"]))
    })
    .collect()
}

api_cases! {
    async fn an_erased_player_is_gone_and_the_history_has_a_pseudonym(api) {
        for board in ["a", "b"] {
            api.create_leaderboard(board, &json!({})).await;
            api.submit(board, &json!({"player": "p", "score": 3, "metadata": {"name": "Pia"}, "id": "1"})).await;
            api.submit_score(board, "q", 2).await;
        }
        api.request("PUT", "/players/p/ban").json(&json!({"reason": "Pia cheats"})).send().await.expect_status(204);
        erase(api, "p").await.expect_status(204);
        for board in ["a", "b"] {
            assert_eq!(api.list_ranks(board).await, [(1, "q".to_owned())]);
            api.read_entry(board, "p").await.expect_problem(404, "entry-not-found");
        }
        api.get("/players/p/ban").await.expect_problem(404, "ban-not-found");
        assert_eq!(api.get("/players/p/events").await.expect_status(200)["events"], json!([]));
        let events = api.get("/leaderboards/a/events").await.expect_status(200);
        let players: Vec<&Value> = events["events"].as_array().unwrap().iter().map(|event| &event["player"]).filter(|player| player.is_string()).collect();
        let pseudonym = players[0].as_str().unwrap();
        assert!(pseudonym.starts_with("erased-"), "{players:?}");
        assert_eq!(players, [pseudonym, "q", pseudonym, pseudonym]);
        // The audit log keeps what was done, and the pseudonym stands for the player.
        assert_eq!(audited_players(api).await, [
            ("/players/:player".to_owned(), pseudonym.to_owned()),
            ("/players/:player/ban".to_owned(), pseudonym.to_owned()),
        ]);
        for text in [api.get("/audit").await.json().to_string(), events.to_string()] {
            assert!(!text.contains("Pia") && !text.contains("\"p\""), "{text}");
        }
        // The id can be used again, by a new player.
        let again = api.submit("a", &json!({"player": "p", "score": 1, "id": "1"})).await;
        assert_eq!((&again["status"], &again["replayed"], &again["rank"]), (&json!("created"), &json!(false), &json!(2)));
    }

    async fn the_history_before_the_erasure_has_the_same_ranks(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (player, score) in [("p", 3), ("q", 2), ("r", 1)] {
            api.submit_score("b", player, score).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let events = api.get("/leaderboards/b/events").await.expect_status(200)["events"].take();
        let at = events.as_array().unwrap().last().unwrap()["recorded_at"].as_str().unwrap().to_owned();
        erase(api, "p").await.expect_status(204);
        let past = api.get(&format!("/leaderboards/b/entries?at={at}")).await.expect_status(200);
        let line = |n: usize| (past["entries"][n]["rank"].clone(), past["entries"][n]["player"].clone());
        assert!(line(0).1.as_str().unwrap().starts_with("erased-"), "{past}");
        assert_eq!([line(1), line(2)], [(json!(2), json!("q")), (json!(3), json!("r"))]);
        assert_eq!(api.list_ranks("b").await, [(1, "q".to_owned()), (2, "r".to_owned())]);
    }

    async fn queued_results_and_dead_letters_of_the_player_are_deleted(api) {
        api.create_leaderboard("b", &json!({"limits": {"max": 10}})).await;
        let mut states = Vec::new();
        for player in ["p", "q"] {
            let request = api.request("POST", "/leaderboards/b/scores").header("prefer", "respond-async");
            let accepted = request.json(&json!({"player": player, "score": 1})).send().await;
            states.push(accepted.header("location").to_owned());
        }
        erase(api, "p").await.expect_status(204);
        api.request_at("GET", &states[0]).send().await.expect_problem(404, "submission-not-found");
        let other = wait_until(async || api.request_at("GET", &states[1]).send().await.expect_status(200), |state| state["state"] != "pending").await;
        assert_eq!(other["state"], "applied");
        assert_eq!(api.list_ranks("b").await, [(1, "q".to_owned())]);
    }

    async fn only_an_administrator_erases_and_an_unknown_player_is_no_error(api) {
        api.create_leaderboard("b", &json!({"access": {"write": "player"}})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&key, "p").await;
        api.with_key(&key, "DELETE", "/api/v1/players/p").send().await.expect_problem(403, "forbidden");
        api.with_token(&token, "DELETE", "/api/v1/players/me").send().await.expect_problem(403, "forbidden");
        api.bare("DELETE", "/api/v1/players/p").send().await.expect_problem(401, "unauthenticated");
        api.delete("/players/p?x=1").await.expect_problem(400, "invalid-parameter");
        for _ in 0..2 {
            erase(api, "nobody").await.expect_status(204);
        }
    }
}
