//! Tests of invalid submissions and bans.

use serde_json::{Value, json};

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

const PATH: &str = "/leaderboards/b/scores";

/// Returns a row with a submission whose JSON is malformed at `at`.
fn malformed(body: impl Into<Vec<u8>>, at: At) -> Row {
    Row::new("POST", PATH, 400, "malformed", at).body(body)
}

/// Returns a row with a submission that is invalid at this JSON pointer.
fn invalid(body: &Value, pointer: &'static str) -> Row {
    Row::new("POST", PATH, 422, "validation", At::Body(pointer)).body(body.to_string())
}

/// Returns a valid submission with one field replaced.
fn with(field: &str, value: Value) -> Value {
    let mut submission = json!({"player": "p", "score": 1});
    submission[field] = value;
    submission
}

/// Returns a valid submission with this text as its score.
fn with_score(text: &str) -> String {
    format!(r#"{{"player":"p","score":{text}}}"#)
}

/// Returns a valid submission without one of its fields.
fn without(field: &str) -> Value {
    let mut submission = json!({"player": "p", "score": 1});
    submission.as_object_mut().unwrap().remove(field);
    submission
}

api_cases! {
    async fn malformed_json_is_refused(api) {
        let deep = format!(r#"{{"player":"p","score":1,"metadata":{{"a":{}1{}}}}}"#, "[".repeat(40), "]".repeat(40));
        assert_all_refused(api, vec![
            malformed(" ", At::Body("#")),
            malformed("{", At::Body("#")),
            malformed(r#"{"player":"p","score":1"#, At::Body("#")),
            malformed(r#"{"player":"p","score":1,}"#, At::Body("#")),
            malformed(r#"{"player":"p","score":1}x"#, At::Body("#")),
            malformed(r#"{"player":"p","score":1}{"player":"p","score":1}"#, At::Body("#")),
            malformed("{'player':'p','score':1}", At::Body("#")),
            malformed(r#"{"player" "p"}"#, At::Body("#/player")),
            malformed("player=p&score=1", At::Body("#")),
            malformed("<score>1</score>", At::Body("#")),
            malformed("\u{feff}{}", At::Body("#")),
            malformed(b"{\"player\":\"\xff\",\"score\":1}".as_slice(), At::Nothing),
            malformed(b"{\"player\":\"\xed\xa0\x80\",\"score\":1}".as_slice(), At::Nothing),
            malformed(r#"{"player":"\ud800","score":1}"#, At::Body("#/player")),
            malformed(r#"{"player":"\x41","score":1}"#, At::Body("#/player")),
            malformed("{\"player\":\"a\nb\",\"score\":1}", At::Body("#/player")),
            malformed(r#"{"player":"p,"score":1}"#, At::Body("#")),
            malformed(r#"{"player":"p","player":"q","score":1}"#, At::Body("#/player")),
            malformed(deep, At::Nothing),
            malformed("[".repeat(100_000), At::Nothing),
        ]).await;
    }

    async fn invalid_numbers_are_refused(api) {
        let rows = ["NaN", "Infinity", "-Infinity", "nan", "0x10", "01", "+1", ".5", "1.", "1e", "--1", "1_000", "undefined"];
        assert_all_refused(api, rows.iter().map(|text| {
            let row = malformed(with_score(text), At::Nothing);
            Row { status: 400, ..row }
        }).collect()).await;
    }

    async fn scores_that_are_no_64_bit_integers_are_refused(api) {
        let huge = "9".repeat(400);
        let texts = [
            "1.5", "1.0", "1e3", "-0.0", "9223372036854775808", "-9223372036854775809", &huge, "true", "[1]", "{}", "null",
            "\"\"", "\"abc\"", "\"1.5\"", "\" 1\"", "\"01\"", "\"+1\"", "\"1e3\"", "\"NaN\"", "\"0x10\"", "\"٣\"",
            "\"9223372036854775808\"", "\"-9223372036854775809\"",
        ];
        let row = |text: &&str| Row::new("POST", PATH, 422, "validation", At::Body("#/score")).body(with_score(text));
        assert_all_refused(api, texts.iter().map(row).collect()).await;
    }

    async fn missing_unknown_and_mistyped_fields_are_refused(api) {
        assert_all_refused(api, vec![
            invalid(&Value::Null, "#"),
            invalid(&json!([]), "#"),
            invalid(&json!("text"), "#"),
            invalid(&json!(7), "#"),
            invalid(&json!({}), "#/player"),
            invalid(&without("player"), "#/player"),
            invalid(&without("score"), "#/score"),
            invalid(&with("scroe", json!(1)), "#/scroe"),
            invalid(&with("Score", json!(1)), "#/Score"),
            invalid(&with("a/b~c d", json!(1)), "#/a~1b~0c%20d"),
            invalid(&with("leaderboards", json!(["b"])), "#/leaderboards"),
            invalid(&with("player", json!(5)), "#/player"),
            invalid(&with("player", Value::Null), "#/player"),
            invalid(&with("player", json!(["p"])), "#/player"),
            invalid(&with("occurred_at", json!(1_600_000_000)), "#/occurred_at"),
            invalid(&with("id", json!(7)), "#/id"),
            invalid(&with("operator", json!("max")), "#/operator"),
            invalid(&with("operator", json!(1)), "#/operator"),
            invalid(&with("operator", json!("increment")), "#/operator"),
        ]).await;
    }

    async fn empty_too_long_and_unprintable_names_of_players_are_refused(api) {
        let names = ["".to_owned(), "x".repeat(129), "é".repeat(65), "a\nb".into(), "\t".into(), "\u{0}".into(),
            "a\u{7f}".into(), "\u{85}".into(), "\u{1b}[31m".into()];
        assert_all_refused(api, names.into_iter().map(|name| invalid(&with("player", json!(name)), "#/player")).collect()).await;
    }

    async fn invalid_ids_metadata_and_times_are_refused(api) {
        let mut rows = Vec::new();
        for id in [String::new(), "x".repeat(129), "a\u{0}b".into()] {
            rows.push(invalid(&with("id", json!(id)), "#/id"));
        }
        let large = json!({"text": "x".repeat(1024 - r#"{"text":""}"#.len() + 1)});
        for metadata in [large, json!([1]), json!("text"), json!(5), json!(true)] {
            rows.push(invalid(&with("metadata", metadata), "#/metadata"));
        }
        for time in ["", "yesterday", "2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z",
            "2020-01-01T25:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
            rows.push(invalid(&with("occurred_at", json!(time)), "#/occurred_at"));
        }
        assert_all_refused(api, rows).await;
    }

    async fn values_that_do_not_fit_the_columns_are_refused(api) {
        let values = |values: Value| json!({"player": "p", "values": values});
        let two = |values: Value, pointer: &'static str| {
            let row = invalid(&json!({"player": "p", "values": values}), pointer);
            Row { path: "/leaderboards/two/scores".into(), ..row }
        };
        let score = Row { path: "/leaderboards/two/scores".into(), ..invalid(&with("score", json!(1)), "#/score") };
        assert_all_refused(api, vec![
            invalid(&with("values", json!({"score": 1})), "#/values"),
            invalid(&values(json!({})), "#/values"),
            invalid(&values(json!([])), "#/values"),
            invalid(&values(json!({"points": 1})), "#/values"),
            invalid(&values(json!({"score": 1, "points": 2})), "#/values"),
            invalid(&values(json!({"a": 1, "b": 1, "c": 1, "d": 1})), "#/values"),
            invalid(&values(json!({"score": 1.5})), "#/values/score"),
            invalid(&values(json!({"score": null})), "#/values/score"),
            score,
            two(json!({"points": 1}), "#/values"),
            two(json!({"points": 1, "time": 2, "more": 3}), "#/values"),
        ]).await;
    }

    async fn empty_and_too_large_batches_and_invalid_items_are_refused(api) {
        let good = json!({"player": "p", "score": 1});
        let many = |count: usize| json!({"scores": vec![good.clone(); count]});
        assert_all_refused(api, vec![
            invalid(&json!({"scores": []}), "#/scores"),
            invalid(&many(1001), "#/scores"),
            invalid(&json!({"scores": {}}), "#/scores"),
            invalid(&json!({"scores": null}), "#/scores"),
            invalid(&json!({"scores": [1]}), "#/scores/0"),
            invalid(&json!({"scores": [good, null]}), "#/scores/1"),
            invalid(&json!({"scores": [good, good], "player": "p"}), "#/player"),
            invalid(&json!({"scores": [good, with("score", json!(1.5)), good]}), "#/scores/1/score"),
            invalid(&json!({"scores": [good, {"scores": [good]}]}), "#/scores/1/scores"),
        ]).await;
    }

    async fn invalid_lists_of_leaderboards_are_refused(api) {
        let to = |leaderboards: Value, pointer: &'static str| {
            let body = json!({"player": "p", "score": 1, "leaderboards": leaderboards});
            Row { path: "/scores".into(), ..invalid(&body, pointer) }
        };
        let seventeen: Vec<_> = (0..17).map(|n| format!("b{n}")).collect();
        let body = json!({"player": "p", "score": 1, "leaderboards": ["b", "none"]}).to_string();
        assert_all_refused(api, vec![
            Row { path: "/scores".into(), ..invalid(&with("score", json!(1)), "#/leaderboards") },
            to(json!([]), "#/leaderboards"),
            to(json!("b"), "#/leaderboards"),
            to(json!(seventeen), "#/leaderboards"),
            to(json!(["b", "b"]), "#/leaderboards/1"),
            to(json!(["b", "Upper"]), "#/leaderboards/1"),
            to(json!(["b", ""]), "#/leaderboards/1"),
            to(json!(["b", 7]), "#/leaderboards/1"),
            Row::new("POST", "/scores", 404, "leaderboard-not-found", At::Nothing).body(body),
            Row::new("POST", "/leaderboards/none/scores", 404, "leaderboard-not-found", At::Nothing).body(with("score", json!(1)).to_string()),
        ]).await;
    }

    async fn invalid_bans_and_scores_of_me_are_refused(api) {
        let long = "x".repeat(501);
        let mut rows: Vec<Row> = [
            (json!({"for": "ever"}), "#/for"),
            (json!({"reason": 7}), "#/reason"),
            (json!({"reason": "a\nb"}), "#/reason"),
            (json!({"reason": long}), "#/reason"),
            (json!({"expires_at": "tomorrow"}), "#/expires_at"),
            (json!({"expires_at": "2020-07-19T21:04:00Z"}), "#/expires_at"),
            (json!([]), "#"),
        ]
        .iter()
        .map(|(body, pointer)| Row::new("PUT", "/players/a/ban", 422, "validation", At::Body(pointer)).body(body.to_string()))
        .collect();
        rows.push(Row::new("PUT", "/players/a/ban", 400, "malformed", At::Body("#")).body("{"));
        let scores = json!({"scores": [{"player": "p", "score": 1}, {"player": "me", "score": 1}]});
        rows.push(invalid(&scores, "#/scores/1/player"));
        assert_all_refused(api, rows).await;
    }

    async fn every_error_of_a_body_is_listed_up_to_twenty(api) {
        api.create_leaderboard("b", &json!({})).await;
        let bad = json!({"player": "", "score": "x", "more": 1});
        let answer = api.post(PATH, &json!({"scores": [bad, bad]})).await.expect_problem(422, "validation");
        let mut pointers: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["#/scores/0/more", "#/scores/0/player", "#/scores/0/score",
            "#/scores/1/more", "#/scores/1/player", "#/scores/1/score"]);
        let answer = api.post(PATH, &json!({"scores": vec![bad; 1000]})).await.expect_problem(422, "validation");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 20);
        assert_eq!(answer["detail"], "3000 values are not valid; the first 20 are listed.");
    }

    async fn values_at_the_bounds_are_accepted(api) {
        api.create_leaderboard("b", &json!({})).await;
        let metadata = json!({"text": "x".repeat(1024 - r#"{"text":""}"#.len())});
        for submission in [
            with("player", json!("x".repeat(128))),
            with("player", json!("é".repeat(64))),
            with("id", json!("y".repeat(128))),
            with("metadata", metadata),
            with("metadata", Value::Null),
            with("occurred_at", json!("0001-01-01T00:00:00Z")),
            with("score", json!("-9223372036854775808")),
        ] {
            api.submit("b", &submission).await;
        }
        // The limit applies to the metadata, not to the white space in the request.
        let spaced = format!(r#"{{"player":"p","score":2,"metadata":{{ {} }}}}"#, " ".repeat(5000));
        api.request("POST", PATH).json(&Value::Null).body(spaced).send().await.expect_status(200);
    }
}
