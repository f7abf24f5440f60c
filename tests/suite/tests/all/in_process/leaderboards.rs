//! Tests of leaderboards: deletion, rebuilds, and documents that change with the period.

use crate::in_process::environment::{Instance, Region};

const GOALS: &str = "/leaderboards/goals";

#[test]
fn deleting_a_missing_leaderboard_touches_no_key_and_is_not_announced() {
    let service = Region::with_options().announcing().instance();
    let count_calls = || {
        (
            service.key_value.deletes.get(),
            service.key_value.puts.get(),
            service.store.announcements.get(),
        )
    };
    let before = count_calls();
    for n in 0..20 {
        let answer = service.call("DELETE", &format!("/leaderboards/none{n}"), "");
        assert_eq!(answer.problem().1, "leaderboard-not-found");
        let guarded = service.call_with("DELETE", GOALS, "", &[("if-match", "*")]);
        assert_eq!(guarded.problem().1, "leaderboard-not-found");
    }
    assert_eq!(count_calls(), before);
    service.call("PUT", GOALS, "{}");
    let before = count_calls();
    service.call("DELETE", GOALS, "").expect_status(204);
    let after = count_calls();
    assert!(after.0 > before.0, "{before:?} {after:?}");
    assert_eq!(after.2, before.2 + 1);
}

#[test]
fn a_rebuild_continues_step_by_step_within_one_request() {
    let service = Instance::new();
    service.call("PUT", GOALS, "{}");
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"p","score":1}"#,
    );
    let body = r#"{"ties":"dense"}"#;
    // The largest rebuild has 100 steps.
    service.store.rebuild_steps.set(100);
    let rebuilt = service.call("PUT", "/leaderboards/goals?rebuild=true", body);
    assert_eq!((rebuilt.status, service.store.rebuild_steps.get()), (200, 0));
    // More steps than one request does, as in a rebuild that other changes restart again and again.
    service.store.rebuild_steps.set(1_000);
    for (method, body) in [("PUT", r#"{"ties":"latest"}"#), ("PATCH", r#"{"ties":"latest"}"#)] {
        let before = service.store.rebuild_steps.get();
        let refused = service.call(method, "/leaderboards/goals?rebuild=true", body);
        refused.expect_problem(503, "rebuilding", "");
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(before - service.store.rebuild_steps.get(), 400);
    }
    assert_eq!(service.call("GET", GOALS, "").json()["ties"], "dense");
}

#[test]
fn a_score_is_refused_during_a_rebuild_and_accepted_afterwards() {
    let service = Instance::new();
    service.call("PUT", GOALS, "{}");
    service.store.is_rebuilding.set(true);
    let score = r#"{"player":"p","score":1}"#;
    let refused = service.call("POST", "/leaderboards/goals/scores", score);
    refused.expect_problem(503, "rebuilding", "");
    assert_eq!(refused.header("retry-after"), "1");
    let batch = format!(r#"{{"scores":[{score}]}}"#);
    let answer = service.call("POST", "/leaderboards/goals/scores", &batch);
    let result = &answer.json()["results"][0];
    assert_eq!((answer.status, result["status_code"].as_u64()), (207, Some(503)));
    service.store.is_rebuilding.set(false);
    service
        .call("POST", "/leaderboards/goals/scores", score)
        .expect_status(200);
}

#[test]
fn the_data_of_a_deleted_leaderboard_is_swept_after_the_response() {
    let service = Instance::new();
    for (left, swept) in [(0, 1), (7, 8), (5_000, 1_000)] {
        service.call("PUT", GOALS, "{}");
        service.store.sweeps.set(0);
        service.store.sweeps_left.set(left);
        service.call("DELETE", GOALS, "").expect_status(204);
        assert_eq!(service.store.sweeps.get(), swept);
    }
    service.store.sweeps.set(0);
    service.call("DELETE", GOALS, "").expect_status(404);
    assert_eq!(service.store.sweeps.get(), 0);
}

#[test]
fn an_abandoned_import_does_not_keep_its_id() {
    const DAY_MS: i64 = 86_400_000;
    let service = Instance::new();
    service.call("PUT", GOALS, "{}").expect_status(201);
    let page = service.call("GET", "/leaderboards/goals/export", "").json();
    service.call("DELETE", GOALS, "").expect_status(204);
    let first = format!(r#"{{"first_line":1,"lines":[{}]}}"#, page["lines"][0]);
    service
        .call("POST", "/leaderboards/goals/import", &first)
        .expect_status(200);
    service.pass_ms(DAY_MS - 1);
    service
        .call("PUT", GOALS, "{}")
        .expect_problem(409, "import-under-way", "");
    service.pass_ms(1);
    service
        .call("GET", "/leaderboards/goals/import", "")
        .expect_problem(404, "import-not-found", "");
    service.call("PUT", GOALS, "{}").expect_status(201);
}

#[test]
fn the_public_document_of_a_leaderboard_changes_with_its_period() {
    let service = Instance::new();
    let daily = r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#;
    service.call("PUT", GOALS, daily).expect_status(201);
    service.settle();
    service.pass_ms(2_000);
    let before = service.anonymous(GOALS);
    service.settle();
    service.pass_ms(500);
    assert!(service.anonymous(GOALS).header("cache-status").contains("hit"));
    // The test begins less than three hours before midnight, so the next period has begun.
    service.pass_ms(3 * 3_600_000);
    let after = service.anonymous(GOALS);
    assert_eq!(after.json()["current_period"]["id"], "2026-07-20T00:00:00Z");
    assert_ne!(after.header("etag"), before.header("etag"));
    service
        .call("PATCH", GOALS, r#"{"title":"Now"}"#)
        .expect_status(200);
    assert_eq!(service.anonymous(GOALS).json()["title"], "Now");
}
