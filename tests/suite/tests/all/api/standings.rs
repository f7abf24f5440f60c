//! Tests of final standings, prizes and claims.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// A day in the period of most tests, which has ended.
const DAY: &str = "2001-05-05";

/// Creates the leaderboard `b`, whose periods are years, with these fields and some scores of 2001: `a` is first, `b` second and so
/// on.
async fn create(api: &ApiClient, mut fields: Value, players: &[&str]) {
    fields["reset"] = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    fields["keep_periods"] = json!(1000);
    api.create_leaderboard("b", &fields).await;
    let scores = players.iter().rev().zip(1..);
    let scores = scores.map(|(player, score)| late_score(player, score));
    api.submit_all("b", &scores.collect::<Vec<_>>()).await;
}

/// Returns a score of 2001.
fn late_score(player: &str, score: i64) -> Value {
    json!({"player": player, "score": score, "occurred_at": format!("{DAY}T00:00:00Z")})
}

/// Returns prizes for the first rank and for the best half.
fn prizes() -> Value {
    json!({"prizes": [{"name": "Gold", "from_rank": 1, "to_rank": 1}, {"name": "Chest", "top_percent": 50}]})
}

async fn read_standings(api: &ApiClient) -> Value {
    api.get(&format!("/leaderboards/b/standings?period={DAY}"))
        .await
        .expect_status(200)
}

/// Returns player and prize of each entry.
fn prizes_of(standings: &Value) -> Vec<(String, Value)> {
    let entries = standings["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            (
                entry["player"].as_str().unwrap().to_owned(),
                entry["prize"].clone(),
            )
        })
        .collect()
}

async fn claim(api: &ApiClient, player: &str) -> leaderboard_test_support::ApiResponse {
    api.post(
        "/leaderboards/b/claims",
        &json!({"player": player, "period": DAY}),
    )
    .await
}

/// Returns the players of a list of claims with their state and prize.
fn lines(claims: &Value) -> Vec<String> {
    let line = |claim: &Value| {
        let text = |field: &str| claim[field].as_str().unwrap().to_owned();
        format!(
            "{} {} {} {}",
            claim["rank"],
            text("player"),
            text("state"),
            text("prize")
        )
    };
    claims["claims"].as_array().unwrap().iter().map(line).collect()
}

async fn list_claims(api: &ApiClient) -> Vec<String> {
    lines(
        &api.get(&format!("/leaderboards/b/claims?period={DAY}"))
            .await
            .expect_status(200),
    )
}

api_cases! {
    async fn standings_are_frozen_by_the_first_request_and_refuse_late_scores(api) {
        create(api, json!({}), &["a", "b"]).await;
        api.submit("b", &late_score("c", 9)).await;
        let first = read_standings(api).await;
        assert_eq!(first["entries"][0]["player"], "c");
        assert_eq!((&first["final"]["count"], &first["final"]["reopened"]), (&json!(3), &json!(0)));
        assert_eq!(first["final"]["version"], first["version"]);
        let late = api.post("/leaderboards/b/scores", &late_score("d", 99)).await;
        late.expect_problem(409, "standings-final");
        assert_eq!(read_standings(api).await, first);
        api.delete(&format!("/leaderboards/b/scores/c?period={DAY}")).await.expect_status(204);
        let closed_up = read_standings(api).await;
        assert_eq!((&closed_up["final"], &closed_up["count"]), (&first["final"], &json!(2)));
        assert_eq!((&closed_up["entries"][0]["player"], &closed_up["entries"][0]["rank"]), (&json!("a"), &json!(1)));
        api.submit_score("b", "d", 1).await;
    }

    async fn a_late_score_reopens_standings_visibly_where_the_leaderboard_allows_it(api) {
        create(api, json!({"late_scores": "reopen"}), &["a"]).await;
        let first = read_standings(api).await;
        api.submit("b", &late_score("b", 7)).await;
        let second = read_standings(api).await;
        assert_eq!((&second["final"]["count"], &second["final"]["reopened"]), (&json!(2), &json!(1)));
        assert_ne!(second["final"]["version"], first["final"]["version"]);
        assert_eq!(read_standings(api).await, second);
    }

    async fn standings_have_pages_in_both_versions(api) {
        create(api, prizes(), &["a", "b", "c"]).await;
        let first = api.get(&format!("/leaderboards/b/standings?period={DAY}&limit=2")).await.expect_status(200);
        assert_eq!(prizes_of(&first), [("a".to_owned(), json!("Gold")), ("b".to_owned(), json!("Chest"))]);
        let next = first["next"].as_str().unwrap();
        let second = api.get(&format!("/leaderboards/b/standings?cursor={next}")).await.expect_status(200);
        assert_eq!(prizes_of(&second), [("c".to_owned(), json!(null))]);
        assert_eq!((&second["next"], &second["final"]), (&json!(null), &first["final"]));
        let v2 = api.get_v2(&format!("/leaderboards/b/standings?cursor={next}")).await.expect_status(200);
        assert_eq!((&v2["data"][0]["player"]["id"], &v2["data"][0]["prize"]), (&json!("c"), &json!(null)));
        assert_eq!(v2["page"]["next"], json!(null));
    }

    async fn a_period_that_has_not_ended_has_no_standings(api) {
        create(api, prizes(), &["a"]).await;
        for path in ["standings", "claims", "claims/a"] {
            let path = format!("/leaderboards/b/{path}?period=current");
            api.get(&path).await.expect_problem(409, "period-not-ended");
        }
        let body = json!({"player": "a", "period": "current"});
        api.post("/leaderboards/b/claims", &body).await.expect_problem(409, "period-not-ended");
        api.create_leaderboard("endless", &json!({})).await;
        api.get("/leaderboards/endless/standings?period=all").await.expect_problem(409, "period-not-ended");
        api.get("/leaderboards/endless/standings").await.expect_problem(404, "period-not-found");
        api.get("/leaderboards/none/standings").await.expect_problem(404, "leaderboard-not-found");
        api.get(&format!("/leaderboards/b/standings?period={DAY}&limit=0")).await.expect_problem(400, "invalid-parameter");
    }

    async fn an_ended_leaderboard_without_resets_has_standings(api) {
        api.create_leaderboard("b", &prizes()).await;
        api.submit("b", &late_score("a", 1)).await;
        api.patch("/leaderboards/b", &json!({"ends_at": "2001-12-31T00:00:00Z"})).await.expect_status(200);
        for period in ["all", "current"] {
            let found = api.get(&format!("/leaderboards/b/standings?period={period}")).await.expect_status(200);
            assert_eq!(prizes_of(&found), [("a".to_owned(), json!("Gold"))]);
        }
        let late = api.post("/leaderboards/b/scores", &late_score("d", 99)).await;
        late.expect_problem(409, "standings-final");
    }

    async fn a_prize_is_claimed_once(api) {
        create(api, prizes(), &["a", "b", "c", "d"]).await;
        assert_eq!(list_claims(api).await, ["1 a claimable Gold", "2 b claimable Chest"]);
        let first = claim(api, "b").await.expect_status(201);
        assert_eq!((&first["claim"]["state"], &first["claim"]["prize"]), (&json!("claimed"), &json!("Chest")));
        assert_eq!(claim(api, "b").await.expect_status(200), first);
        let read = api.get(&format!("/leaderboards/b/claims/b?period={DAY}")).await.expect_status(200);
        assert_eq!(read, first);
        assert_eq!(list_claims(api).await, ["1 a claimable Gold", "2 b claimed Chest"]);
        for player in ["c", "nobody"] {
            claim(api, player).await.expect_problem(404, "prize-not-found");
            let path = format!("/leaderboards/b/claims/{player}?period={DAY}");
            api.get(&path).await.expect_problem(404, "prize-not-found");
        }
    }

    async fn the_prize_of_a_banned_player_goes_to_the_next_player(api) {
        create(api, prizes(), &["a", "b", "c", "d"]).await;
        assert_eq!(list_claims(api).await, ["1 a claimable Gold", "2 b claimable Chest"]);
        api.put("/players/a/ban", &json!({})).await.expect_status(204);
        assert_eq!(list_claims(api).await, ["1 b claimable Gold", "2 c claimable Chest"]);
        claim(api, "a").await.expect_problem(404, "prize-not-found");
        assert_eq!(claim(api, "b").await.expect_status(201)["claim"]["prize"], "Gold");
        api.delete("/players/a/ban").await.expect_status(204);
        // What is claimed stays claimed.
        assert_eq!(list_claims(api).await, ["1 a claimable Gold", "1 b claimed Gold"]);
    }

    async fn who_moves_up_after_a_claim_exchanges_the_prize(api) {
        let prize = |name: &str, rank| json!({"name": name, "from_rank": rank, "to_rank": rank});
        let ranks = json!([prize("Gold", 1), prize("Silver", 2), prize("Bronze", 3)]);
        create(api, json!({"prizes": ranks}), &["a", "b", "c", "d"]).await;
        claim(api, "b").await.expect_status(201);
        api.put("/players/a/ban", &json!({})).await.expect_status(204);
        let expected = ["1 b claimable Gold", "2 c claimable Silver", "3 d claimable Bronze"];
        assert_eq!(list_claims(api).await, expected);
        let exchanged = claim(api, "b").await.expect_status(201);
        let fields = ["state", "prize", "replaces"].map(|field| exchanged["claim"][field].clone());
        assert_eq!(fields, ["claimed", "Gold", "Silver"]);
        assert_eq!(claim(api, "b").await.expect_status(200), exchanged);
        assert_eq!(claim(api, "c").await.expect_status(201)["claim"]["replaces"], json!(null));
        assert_eq!(list_claims(api).await, ["1 b claimed Gold", "2 c claimed Silver", "3 d claimable Bronze"]);
    }

    async fn a_changed_configuration_changes_no_prize_of_final_standings(api) {
        create(api, prizes(), &["a", "b"]).await;
        let before = read_standings(api).await;
        let claims = list_claims(api).await;
        let patch = json!({"prizes": [], "late_scores": "reopen"});
        api.patch("/leaderboards/b", &patch).await.expect_status(200);
        assert_eq!(read_standings(api).await, before);
        assert_eq!(list_claims(api).await, claims);
        // Otherwise another player could have the same prize.
        let late = api.post("/leaderboards/b/scores", &late_score("c", 99)).await;
        late.expect_problem(409, "standings-final");
        assert_eq!(claim(api, "a").await.expect_status(201)["claim"]["prize"], "Gold");
    }

    async fn claims_are_listed_in_pages_up_to_the_last_prize(api) {
        let ranks = json!([{"name": "Cup", "from_rank": 1, "to_rank": 1}, {"name": "Lucky", "from_rank": 3, "to_rank": 4}]);
        create(api, json!({"prizes": ranks}), &["a", "b", "c", "d", "e", "f"]).await;
        let mut path = format!("/leaderboards/b/claims?limit=2&period={DAY}");
        let mut pages = Vec::new();
        loop {
            let page = api.get(&path).await.expect_status(200);
            pages.push(lines(&page));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/leaderboards/b/claims?limit=2&cursor={next}");
        }
        assert_eq!(pages, [vec!["1 a claimable Cup"], vec!["3 c claimable Lucky", "4 d claimable Lucky"]]);
    }

    async fn players_who_share_the_last_prize_are_on_all_pages(api) {
        let gold = json!([{"name": "Gold", "from_rank": 1, "to_rank": 1}]);
        create(api, json!({"ties": "shared", "prizes": gold}), &["z"]).await;
        let scores = ["a", "b", "c"].map(|player| late_score(player, 9));
        api.submit_all("b", &scores).await;
        let page = api.get(&format!("/leaderboards/b/claims?limit=2&period={DAY}")).await.expect_status(200);
        let next = page["next"].as_str().unwrap();
        let rest = api.get(&format!("/leaderboards/b/claims?limit=2&cursor={next}")).await.expect_status(200);
        let all = [lines(&page), lines(&rest)].concat();
        assert_eq!(all, ["1 a claimable Gold", "1 b claimable Gold", "1 c claimable Gold"]);
    }

    async fn a_player_reads_and_claims_only_the_own_prize(api) {
        create(api, prizes(), &["a", "b", "c", "d"]).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&key, "a").await;
        let read = async |path: &str| {
            let path = format!("/leaderboards/b/{path}?period={DAY}");
            api.with_token(&token, "GET", &path).send().await
        };
        assert_eq!(read("claims/me").await.expect_status(200)["claim"]["state"], "claimable");
        read("claims/b").await.expect_problem(403, "forbidden");
        read("claims").await.expect_problem(403, "forbidden");
        let post = async |player: &str| {
            let body = json!({"player": player, "period": DAY});
            api.with_token(&token, "POST", "/leaderboards/b/claims").json(&body).send().await
        };
        post("b").await.expect_problem(403, "forbidden");
        assert_eq!(post("me").await.expect_status(201)["claim"]["player"], "a");
        post("a").await.expect_status(200);
        let nobody = api.bare("GET", &format!("/leaderboards/b/claims/a?period={DAY}"));
        nobody.send().await.expect_problem(401, "unauthenticated");
        let reader = api.make_key(json!(["scores:read"])).await.1;
        let body = json!({"player": "b", "period": DAY});
        let refused = api.with_key(&reader, "POST", "/leaderboards/b/claims").json(&body).send().await;
        refused.expect_problem(403, "forbidden");
    }

    async fn anyone_reads_the_standings_of_a_public_leaderboard_only(api) {
        create(api, prizes(), &["a"]).await;
        let read = async || {
            let path = format!("/leaderboards/b/standings?period={DAY}");
            api.bare("GET", &path).header("x-tenant-id", &api.tenant).send().await
        };
        read().await.expect_status(200);
        api.patch("/leaderboards/b", &json!({"access": {"read": "private"}})).await.expect_status(200);
        read().await.expect_problem(404, "leaderboard-not-found");
    }

    async fn a_claim_names_its_faults(api) {
        create(api, prizes(), &["a"]).await;
        for (body, pointer) in [
            (json!({}), "#/player"),
            (json!({"player": ""}), "#/player"),
            (json!({"player": "me"}), "#/player"),
            (json!({"player": "a", "period": "yesterday"}), "#/period"),
            (json!({"player": "a", "prize": "Gold"}), "#/prize"),
        ] {
            let problem = api.post("/leaderboards/b/claims", &body).await.expect_problem(422, "validation");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
    }

    async fn prizes_need_refused_late_scores(api) {
        let mut fields = prizes();
        fields["late_scores"] = json!("reopen");
        let problem = api.put("/leaderboards/b", &fields).await.expect_problem(422, "validation");
        let errors = problem["errors"].as_array().unwrap().iter();
        let pointers: Vec<_> = errors.map(|error| error["pointer"].clone()).collect();
        assert_eq!(pointers, ["#/late_scores", "#/prizes"]);
    }
}
