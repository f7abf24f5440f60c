//! Tests of requests for streams and tickets that are refused, and of tickets.

use serde_json::json;

use crate::cases::api_cases;

const LIVE: &str = "/leaderboards/b/live";
const TICKETS: &str = "/leaderboards/b/live-tickets";

api_cases! {
    async fn an_invalid_parameter_of_a_stream_is_named(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (query, name) in [("top=0", "top"), ("top=101", "top"), ("player=", "player"), ("player=me", "player"), ("period=soon", "period"), ("limit=5", "limit")] {
            let problem = api.get(&format!("{LIVE}?{query}")).await.expect_problem(400, "invalid-parameter");
            assert_eq!(problem["errors"][0]["parameter"], name, "{query}");
        }
    }

    async fn a_stream_of_what_cannot_be_read_is_refused(api) {
        api.get(LIVE).await.expect_problem(404, "leaderboard-not-found");
        api.create_leaderboard("b", &json!({"access": {"read": "private"}})).await;
        let tenant = format!("?tenant={}", api.tenant);
        api.bare("GET", &format!("{LIVE}{tenant}")).send().await.expect_problem(404, "leaderboard-not-found");
        api.get(&format!("{LIVE}?period=previous")).await.expect_problem(404, "period-not-found");
    }

    async fn a_ticket_needs_a_credential(api) {
        let path = format!("{TICKETS}?tenant={}", api.tenant);
        for access in ["public", "private"] {
            api.put("/leaderboards/b", &json!({"access": {"read": access}})).await;
            api.bare("POST", &path).send().await.expect_problem(401, "unauthenticated");
        }
    }

    async fn a_ticket_is_for_one_leaderboard_and_one_player(api) {
        for id in ["b", "c"] {
            api.create_leaderboard(id, &json!({"access": {"read": "private"}})).await;
        }
        let server = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let player = api.issue_token(&server, "p").await;
        let own = api.with_token(&player, "POST", TICKETS).send().await.expect_status(201);
        assert_eq!((&own["leaderboard"], &own["player"], &own["expires_in"]), (&json!("b"), &json!("p"), &json!(60)));
        let by_server = api.with_key(&server, "POST", TICKETS).json(&json!({"player": "q"})).send().await;
        assert_eq!(by_server.expect_status(201)["player"], "q");
        let without = api.with_key(&server, "POST", TICKETS).send().await;
        assert_eq!(without.expect_status(201)["player"], json!(null));
        let named = api.with_key(&server, "POST", TICKETS).json(&json!({"player": ""})).send().await;
        assert_eq!(named.expect_problem(422, "validation")["errors"][0]["pointer"], "#/player");

        let ticket = own["ticket"].as_str().unwrap();
        let tenant = &api.tenant;
        let refused = async |path: &str, ticket: &str| {
            let path = format!("{path}?tenant={tenant}&ticket={ticket}");
            let problem = api.bare("GET", &path).send().await.expect_problem(401, "unauthenticated");
            assert_eq!(problem["errors"][0]["parameter"], "ticket", "{problem}");
        };
        refused("/leaderboards/c/live", ticket).await;
        refused(LIVE, "nonsense").await;
        // A token is no ticket, and a ticket is no token.
        refused(LIVE, &player).await;
        api.with_token(ticket, "GET", "/leaderboards/b/entries").send().await.expect_problem(401, "unauthenticated");
        let elsewhere = api.bare("GET", &format!("{LIVE}?ticket={ticket}")).send().await;
        elsewhere.expect_problem(401, "unauthenticated");
        let another = api.bare("GET", &format!("{LIVE}?tenant={tenant}&ticket={ticket}&player=q")).send().await;
        assert_eq!(another.expect_problem(400, "invalid-parameter")["errors"][0]["parameter"], "player");
    }
}
