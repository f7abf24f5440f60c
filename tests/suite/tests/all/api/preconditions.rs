//! `If-Match`, `If-None-Match`, and changes that would reorder entries.

use serde_json::json;

use crate::edgeboard::{Edgeboard, Reply, over_http};

async fn conditional(edgeboard: &Edgeboard, verb: &str, header: &str, tag: &str) -> Reply {
    let call = edgeboard.call(verb, "/leaderboards/b").header(header, tag);
    let call = match verb {
        "PUT" | "PATCH" => call.json(&json!({"title": format!("{verb} {header} {tag}")})),
        _ => call,
    };
    call.send().await
}

over_http! {
    async fn create_only_and_replace_only(edgeboard) {
        conditional(edgeboard, "PUT", "if-match", "*").await.problem(412, "precondition-failed");
        edgeboard.get("/leaderboards/b").await.problem(404, "leaderboard-not-found");
        conditional(edgeboard, "PUT", "if-none-match", "*").await.is(201);
        let refused = conditional(edgeboard, "PUT", "if-none-match", "*").await;
        refused.problem(412, "precondition-failed");
        conditional(edgeboard, "PUT", "if-match", "*").await.is(200);
    }

    async fn a_change_on_an_old_tag_is_refused_and_changes_nothing(edgeboard) {
        let old = edgeboard.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        let new = edgeboard.patch("/leaderboards/b", &json!({"title": "mine"})).await.header("etag").to_owned();
        assert_ne!(old, new);
        for verb in ["PUT", "PATCH", "DELETE"] {
            let refused = conditional(edgeboard, verb, "if-match", &old).await;
            refused.problem(412, "precondition-failed");
            let weak = conditional(edgeboard, verb, "if-match", &format!("W/{new}")).await;
            weak.problem(412, "precondition-failed");
        }
        let read = edgeboard.get("/leaderboards/b").await;
        assert_eq!((read.is(200)["title"].clone(), read.header("etag")), (json!("mine"), new.as_str()));
        let patched = conditional(edgeboard, "PATCH", "if-match", &format!("\"x\", {new}")).await;
        patched.is(200);
        let newest = patched.header("etag").to_owned();
        conditional(edgeboard, "DELETE", "if-match", &newest).await.is(204);
    }

    async fn a_reader_who_has_it_already_gets_304(edgeboard) {
        let tag = edgeboard.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), "*".to_owned(), format!("\"0\", {tag}")] {
            let unchanged = conditional(edgeboard, "GET", "if-none-match", &known).await;
            assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
            assert_eq!(unchanged.header("etag"), tag);
        }
        conditional(edgeboard, "GET", "if-none-match", "\"0\"").await.is(200);
        conditional(edgeboard, "GET", "if-match", &tag).await.is(200);
        conditional(edgeboard, "GET", "if-match", "\"0\"").await.problem(412, "precondition-failed");
    }

    async fn a_tag_of_an_earlier_life_does_not_match(edgeboard) {
        let tag = edgeboard.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        edgeboard.delete("/leaderboards/b").await.is(204);
        edgeboard.board("b", &json!({})).await;
        conditional(edgeboard, "PUT", "if-match", &tag).await.problem(412, "precondition-failed");
    }

    async fn of_many_writers_on_one_tag_one_wins(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        let tag = edgeboard.get("/leaderboards/b").await.header("etag").to_owned();
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (edgeboard, tag) = (edgeboard.clone(), tag.clone());
            writers.spawn(async move {
                let title = json!({"title": format!("writer {number}")});
                edgeboard.call("PUT", "/leaderboards/b").header("if-match", &tag).json(&title).send().await.status
            });
        }
        let mut statuses = writers.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1..].iter().all(|status| *status == 412)), (200, true), "{statuses:?}");
    }

    async fn what_would_reorder_entries_needs_a_rebuild(edgeboard) {
        edgeboard.board("b", &json!({"ties": "earliest"})).await;
        // Without entries there is nothing to reorder.
        edgeboard.patch("/leaderboards/b", &json!({"ties": "shared"})).await.is(200);
        edgeboard.score("b", "high", 9).await;
        edgeboard.score("b", "low", 1).await;
        let ascending = json!({"columns": [{"name": "score", "order": "asc"}]});
        let before = edgeboard.page("b", "").await;
        for (change, sent) in [(&ascending, "#/columns"), (&json!({"ties": "latest"}), "#/ties")] {
            let problem = edgeboard.patch("/leaderboards/b", change).await.problem(409, "rebuild-needed");
            let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
            assert_eq!(pointers, [sent]);
        }
        assert_eq!(edgeboard.page("b", "").await, before);
        edgeboard.patch("/leaderboards/b", &json!({"title": "not an order"})).await.is(200);
        edgeboard.patch("/leaderboards/b?rebuild=true", &ascending).await.is(200);
        assert_eq!(edgeboard.ranks("b").await, [(1, "low".to_owned()), (2, "high".to_owned())]);
        edgeboard.score("b", "lowest", 0).await;
        assert_eq!(edgeboard.ranks("b").await[0], (1, "lowest".to_owned()));
    }
}
