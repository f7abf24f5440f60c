//! What makes a submission count once: its `id`, or the request's `Idempotency-Key`.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Reply, over_http};

async fn keyed(edgeboard: &Edgeboard, path: &str, key: &str, body: &Value) -> Reply {
    edgeboard
        .call("POST", path)
        .header("idempotency-key", key)
        .json(body)
        .send()
        .await
}

over_http! {
    async fn a_replay_returns_the_first_outcome_and_changes_nothing(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let submission = json!({"player": "p", "score": 5, "id": "match 1/goal 1", "metadata": {"m": 1}});
        let first = edgeboard.submit("b", &submission).await;
        edgeboard.score("b", "q", 100).await;
        edgeboard.score("b", "p", 1).await;
        let before = edgeboard.page("b", "").await;
        for _ in 0..3 {
            let mut replay = edgeboard.submit("b", &submission).await;
            assert_eq!(replay["replayed"].take(), true);
            replay["replayed"] = json!(false);
            // Rank and version are those of then, not of now.
            assert_eq!(replay, first);
        }
        assert_eq!(edgeboard.page("b", "").await, before);
    }

    async fn the_same_id_with_other_content_is_refused(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment", "operator_override": true})).await;
        let submission = json!({"player": "p", "score": 5, "id": "x"});
        edgeboard.submit("b", &submission).await;
        let before = edgeboard.page("b", "").await;
        for (field, value) in [
            ("player", json!("q")),
            ("score", json!(6)),
            ("metadata", json!({"a": 1})),
            ("occurred_at", json!("2020-01-01T00:00:00Z")),
            ("operator", json!("set")),
        ] {
            let mut other = submission.clone();
            other[field] = value;
            let refused = edgeboard.post("/leaderboards/b/scores", &other).await.problem(422, "id-conflict");
            assert_eq!(refused["errors"][0]["pointer"], "#/id", "{field}");
        }
        assert_eq!(edgeboard.page("b", "").await, before);
    }

    async fn an_id_twice_in_one_batch_counts_once(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let one = json!({"player": "p", "score": 5, "id": "x"});
        let other = json!({"player": "p", "score": 6, "id": "x"});
        let answer = edgeboard.post("/leaderboards/b/scores", &json!({"scores": [one, one, other]})).await.is(207);
        let results = answer["results"].as_array().unwrap();
        assert_eq!((&results[0]["replayed"], &results[1]["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(results[2]["problem"]["type"], "/problems/id-conflict");
        assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "#/scores/2/id");
        assert_eq!(edgeboard.list("b").await[0].score, 5);
    }

    async fn an_id_belongs_to_a_leaderboard_and_a_tenant(edgeboard) {
        let other = Edgeboard::new(&edgeboard.url);
        for (tenant, board) in [(edgeboard, "a"), (edgeboard, "b"), (&other, "a")] {
            tenant.board(board, &json!({})).await;
            let outcome = tenant.submit(board, &json!({"player": "p", "score": 5, "id": "x"})).await;
            assert_eq!(outcome["replayed"], false);
        }
    }

    async fn a_refused_submission_is_not_remembered(edgeboard) {
        edgeboard.board("b", &json!({"limits": {"max": 4}})).await;
        let submission = json!({"player": "p", "score": 5, "id": "x"});
        edgeboard.post("/leaderboards/b/scores", &submission).await.problem(422, "validation");
        edgeboard.patch("/leaderboards/b", &json!({"limits": {"max": 9}})).await.is(200);
        assert_eq!(edgeboard.submit("b", &submission).await["replayed"], false);
    }

    async fn an_idempotency_key_stands_for_the_whole_request(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let body = json!({"scores": [{"player": "p", "score": 1}, {"player": "p", "score": 1}, {"player": "q", "score": 7}]});
        let path = "/leaderboards/b/scores";
        let first = keyed(edgeboard, path, "\"req-1\"", &body).await.is(207);
        let after = edgeboard.page("b", "").await;
        assert_eq!(after["entries"][1]["values"]["score"], 2);
        let again = keyed(edgeboard, path, "\"req-1\"", &body).await.is(207);
        for at in 0..3 {
            assert_eq!((&first["results"][at]["replayed"], &again["results"][at]["replayed"]), (&json!(false), &json!(true)));
            assert_eq!(first["results"][at]["version"], again["results"][at]["version"]);
        }
        assert_eq!(edgeboard.page("b", "").await, after);
        // Another key is another request.
        keyed(edgeboard, path, "\"req-2\"", &body).await.is(207);
        assert_eq!(edgeboard.page("b", "").await["entries"][1]["values"]["score"], 4);
    }

    async fn an_idempotency_key_with_another_body_is_refused_for_every_submission(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let path = "/leaderboards/b/scores";
        let first = json!({"scores": [{"player": "p", "score": 1}, {"player": "q", "score": 1}]});
        let other = json!({"scores": [{"player": "p", "score": 1}, {"player": "q", "score": 2}]});
        keyed(edgeboard, path, "\"k\"", &first).await.is(207);
        let before = edgeboard.page("b", "").await;
        let answer = keyed(edgeboard, path, "\"k\"", &other).await.is(207);
        for result in answer["results"].as_array().unwrap() {
            assert_eq!(result["problem"]["type"], "/problems/id-conflict", "{result}");
            assert_eq!(result["problem"]["errors"][0]["header"], "Idempotency-Key");
        }
        assert_eq!(edgeboard.page("b", "").await, before);
    }

    async fn an_idempotency_key_works_for_one_submission_and_for_several_leaderboards(edgeboard) {
        edgeboard.board("a", &json!({"operator": "increment"})).await;
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let body = json!({"player": "p", "score": 3, "leaderboards": ["a", "b"]});
        for replayed in [false, true] {
            let answer = keyed(edgeboard, "/scores", "\"k\"", &body).await.is(200);
            assert_eq!((&answer["results"][0]["replayed"], &answer["results"][1]["replayed"]), (&json!(replayed), &json!(replayed)));
        }
        let other = json!({"player": "p", "score": 4, "leaderboards": ["a", "b"]});
        let refused = keyed(edgeboard, "/scores", "\"k\"", &other).await.problem(422, "id-conflict");
        assert_eq!(refused["errors"][0]["header"], "Idempotency-Key");
        assert_eq!(edgeboard.list("a").await[0].score, 3);
    }

    async fn a_submission_with_its_own_id_keeps_it_under_a_key(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let body = json!({"player": "p", "score": 3, "id": "own"});
        let path = "/leaderboards/b/scores";
        assert_eq!(keyed(edgeboard, path, "\"k1\"", &body).await.is(200)["replayed"], false);
        assert_eq!(keyed(edgeboard, path, "\"k2\"", &body).await.is(200)["replayed"], true);
    }

    async fn retries_that_race_count_once(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let mut retries = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let edgeboard = edgeboard.clone();
            retries.spawn(async move {
                edgeboard.submit("b", &json!({"player": "p", "score": 5, "id": "x"})).await["replayed"] == false
            });
        }
        let fresh = retries.join_all().await.into_iter().filter(|fresh| *fresh).count();
        assert_eq!((fresh, edgeboard.list("b").await[0].score), (1, 5));
    }
}
