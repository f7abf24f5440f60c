//! Tests of players' tokens: what they allow and what they do not allow.

use leaderboard_test_support::{ApiClient, ApiResponse, ListedEntry};
use serde_json::{Value, json};

use crate::cases::api_cases;

const SCORES: &str = "/leaderboards/b/scores";

/// Creates the leaderboard `b` and the key of a server. Returns the key.
async fn create_leaderboard_and_key(api: &ApiClient, configuration: Value) -> String {
    api.create_leaderboard("b", &configuration).await;
    api.make_key(json!(["scores:read", "scores:write"])).await.1
}

/// Returns the configuration of a private leaderboard to which players may submit.
fn player_access() -> Value {
    json!({"access": {"read": "private", "write": "player"}})
}

/// Posts a submission or a batch with a player's token.
async fn submit_with_token(api: &ApiClient, token: &str, body: &Value) -> ApiResponse {
    api.with_token(token, "POST", SCORES).json(body).send().await
}

/// Asserts that a response is a validation error at this JSON pointer.
#[track_caller]
fn assert_refused_at(answer: &ApiResponse, pointer: &str) {
    assert_eq!(
        answer.expect_problem(422, "validation")["errors"][0]["pointer"],
        pointer
    );
}

api_cases! {
    async fn a_caller_cannot_issue_a_token_with_more_scopes_than_its_own(api) {
        let issue = async |key: &str, body: Value| api.with_key(key, "POST", "/tokens").json(&body).send().await;
        let writer = api.make_key(json!(["scores:write"])).await.1;
        let all = issue(&writer, json!({"player": "p"})).await.expect_status(201);
        assert_eq!(all["scopes"], json!(["scores:write"]));
        for scopes in [json!(["scores:read"]), json!(["admin"]), json!(["scores:write", "admin"])] {
            assert_refused_at(&issue(&writer, json!({"player": "p", "scopes": scopes})).await, "#/scopes");
        }
        let admin = api.make_key(json!(["admin"])).await.1;
        assert_refused_at(&issue(&admin, json!({"player": "p", "scopes": ["admin"]})).await, "#/scopes");
        let reader = api.make_key(json!(["scores:read"])).await.1;
        issue(&reader, json!({"player": "p"})).await.expect_problem(403, "forbidden");
        let nobody = api.bare("POST", "/tokens").json(&json!({"player": "p"}));
        nobody.send().await.expect_problem(401, "unauthenticated");
        let token = all["token"].as_str().unwrap();
        let player = api.with_token(token, "POST", "/tokens").json(&json!({"player": "q"}));
        player.send().await.expect_problem(403, "forbidden");
    }

    async fn a_player_may_submit_only_an_own_score_of_the_present(api) {
        let key = create_leaderboard_and_key(api, player_access()).await;
        let token = api.issue_token(&key, "p").await;
        submit_with_token(api, &token, &json!({"player": "p", "score": 1})).await.expect_status(200);
        submit_with_token(api, &token, &json!({"player": "q", "score": 1})).await.expect_problem(403, "forbidden");
        let dated = json!({"player": "p", "score": 2, "occurred_at": "2020-07-01T00:00:00Z"});
        assert_refused_at(&submit_with_token(api, &token, &dated).await, "#/occurred_at");
        for (verb, path) in [
            ("DELETE", "/leaderboards/b/scores/p"),
            ("DELETE", "/leaderboards/b/scores/q"),
            ("DELETE", "/leaderboards/b"),
            ("GET", "/keys"),
            ("GET", "/issuers"),
            ("GET", "/operator/issuers"),
        ] {
            api.with_token(&token, verb, path).send().await.expect_problem(403, "forbidden");
        }
        let both = api.request("GET", "/leaderboards/b/entries").header("authorization", &format!("Bearer {token}"));
        assert_eq!(both.send().await.expect_problem(400, "invalid-header")["errors"][0]["header"], "X-API-Key");
    }

    async fn a_player_may_not_override_the_operator(api) {
        let key = create_leaderboard_and_key(api, json!({"access": {"write": "player"}, "operator_override": true})).await;
        let token = api.issue_token(&key, "p").await;
        for operator in ["increment", "decrement", "set"] {
            let body = json!({"player": "p", "score": 5, "operator": operator});
            assert_refused_at(&submit_with_token(api, &token, &body).await, "#/operator");
            let batch = submit_with_token(api, &token, &json!({"scores": [{"player": "p", "score": 1}, body]})).await;
            let results = batch.expect_status(207)["results"].take();
            assert_eq!([&results[0]["status_code"], &results[1]["status_code"]], [200, 422]);
            assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "#/scores/1/operator");
            let several = json!({"leaderboards": ["b"], "player": "p", "score": 5, "operator": operator});
            assert_refused_at(&api.with_token(&token, "POST", "/scores").json(&several).send().await, "#/operator");
        }
        // A player may name the leaderboard's own operator. A server may name another operator.
        let own = submit_with_token(api, &token, &json!({"player": "p", "score": 2, "operator": "best"})).await.expect_status(200);
        assert_eq!(own["values"]["score"], 2);
        let body = json!({"player": "p", "score": 5, "operator": "increment"});
        let server = api.with_key(&key, "POST", SCORES).json(&body).send().await.expect_status(200);
        assert_eq!(server["values"]["score"], 7);
    }

    /// The id of a player's submission does not block a submission of another player with the same id.
    async fn submission_ids_of_players_and_servers_are_separate(api) {
        let key = create_leaderboard_and_key(api, player_access()).await;
        let (ann, bob) = (api.issue_token(&key, "ann").await, api.issue_token(&key, "bob").await);
        let body = |player: &str, score: i64| json!({"player": player, "score": score, "id": "match-7"});
        for (token, player, score, replayed) in [(&ann, "ann", 1, false), (&bob, "bob", 2, false), (&bob, "bob", 2, true)] {
            let outcome = submit_with_token(api, token, &body(player, score)).await.expect_status(200);
            assert_eq!(outcome["replayed"], replayed, "{player}");
        }
        submit_with_token(api, &bob, &body("bob", 3)).await.expect_problem(422, "id-conflict");
        let server = async |player: &str| api.with_key(&key, "POST", SCORES).json(&body(player, 5)).send().await;
        assert_eq!(server("carl").await.expect_status(200)["replayed"], false);
        server("dora").await.expect_problem(422, "id-conflict");
        // An id may have its maximum length, even if the player's name has its maximum length.
        let long = "x".repeat(128);
        let token = api.issue_token(&key, &long).await;
        submit_with_token(api, &token, &json!({"player": long, "score": 1, "id": long})).await.expect_status(200);
        let body = json!({"player": long, "score": 1, "id": "x".repeat(129)});
        assert_refused_at(&submit_with_token(api, &token, &body).await, "#/id");
    }

    async fn an_idempotency_key_belongs_to_its_caller(api) {
        let one = create_leaderboard_and_key(api, player_access()).await;
        let two = api.make_key(json!(["scores:write"])).await.1;
        for (key, player) in [(Some(&one), "a"), (Some(&two), "b"), (None, "c")] {
            let send = async |player: &str| {
                let call = key.map_or_else(|| api.request("POST", SCORES), |key| api.with_key(key, "POST", SCORES));
                call.header("idempotency-key", "\"k\"").json(&json!({"player": player, "score": 1})).send().await
            };
            for replayed in [false, true] {
                assert_eq!(send(player).await.expect_status(200)["replayed"], replayed, "{player}");
            }
            send("other").await.expect_problem(422, "id-conflict");
        }
    }

    async fn me_is_the_player_of_the_token(api) {
        let key = create_leaderboard_and_key(api, json!({"access": {"write": "player"}})).await;
        for (player, score) in [("a", 5), ("b", 4), ("c", 3), ("e", 1)] {
            api.submit_score("b", player, score).await;
        }
        let token = api.issue_token(&key, "b").await;
        let get = async |path: &str| {
            let answer = api.with_token(&token, "GET", &format!("/leaderboards/b{path}")).send().await;
            (answer.header("etag").to_owned(), answer.expect_status(200))
        };
        assert_eq!(get("/entries/me").await, get("/entries/b").await);
        let ranked = |page: &Value| -> Vec<(u64, String)> {
            ListedEntry::parse_all(&page["entries"]).into_iter().map(|entry| (entry.rank, entry.player)).collect()
        };
        let line = |rank: u64, player: &str| (rank, player.to_owned());
        assert_eq!(ranked(&get("/entries/me/around?limit=3").await.1), [line(1, "a"), line(2, "b"), line(3, "c")]);
        let answer = api.with_token(&token, "GET", "/leaderboards/b/entries?players=me,e,b,nobody").send().await;
        let found = answer.expect_status(200);
        assert_eq!((ranked(&found), &found["not_found"]), (vec![line(2, "b"), line(4, "e")], &json!(["nobody"])));
        let taken = submit_with_token(api, &token, &json!({"player": "me", "score": 9})).await.expect_status(200);
        assert_eq!([&taken["player"], &taken["rank"]], [&json!("b"), &json!(1)]);
        // With the token of a player who is named `me`, `me` is this player.
        let token = api.issue_token(&key, "me").await;
        let taken = submit_with_token(api, &token, &json!({"player": "me", "score": 1})).await.expect_status(200);
        assert_eq!(taken["player"], "me");
    }
}
