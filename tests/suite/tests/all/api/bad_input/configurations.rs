//! Tests of invalid configurations of leaderboards.

use serde_json::json;

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

api_cases! {
    async fn invalid_configurations_are_refused(api) {
        let mut rows = Vec::new();
        for (verb, path) in [("PUT", "/leaderboards/new"), ("PATCH", "/leaderboards/b")] {
            rows.push(Row::new(verb, path, 400, "malformed", At::Body("#")).body("{"));
            for (document, pointer) in [
                (json!([]), "#"),
                (json!({"colums": []}), "#/colums"),
                (json!({"id": "another"}), "#/id"),
                (json!({"columns": [{"name": "a"}, {"name": "a"}]}), "#/columns/1/name"),
                (json!({"ties": "random"}), "#/ties"),
                (json!({"access": {"read": "everyone"}}), "#/access/read"),
                (json!({"keep_periods": 1001}), "#/keep_periods"),
                (json!({"starts_at": "soon"}), "#/starts_at"),
                (json!({"limits": {"min": 5, "max": 4}}), "#/limits/min"),
                (json!({"reset": {"cron": "@daily", "time_zone": "UTC"}}), "#/reset/cron"),
                (json!({"reset": {"cron": "0 0 * * *", "time_zone": "Mars/Olympus"}}), "#/reset/time_zone"),
                // The leaderboard has no reset, so the other field is missing after a patch, too.
                (json!({"reset": {"cron": "0 0 * * *"}}), "#/reset/time_zone"),
                (json!({"reset": {"time_zone": "UTC"}}), "#/reset/cron"),
            ] {
                rows.push(Row::new(verb, path, 422, "validation", At::Body(pointer)).body(document.to_string()));
            }
        }
        assert_all_refused(api, rows).await;
    }

    async fn invalid_ids_and_parameters_are_refused(api) {
        let invalid_parameter = |path: String, name: &'static str| {
            Row::new("PUT", path, 400, "invalid-parameter", At::Parameter(name)).body("{}")
        };
        let mut rows = vec![
            invalid_parameter("/leaderboards/new?rebuild=maybe".into(), "rebuild"),
            invalid_parameter("/leaderboards/new?rebuild=true&rebuild=true".into(), "rebuild"),
            invalid_parameter("/leaderboards/new?rebuild=true&period=never".into(), "period"),
            invalid_parameter("/leaderboards/new?rebuild=false&period=current".into(), "period"),
            invalid_parameter("/leaderboards/new?period=current".into(), "period"),
            Row::new("PUT", "/leaderboards/b?rebuild=true&period=previous", 404, "period-not-found", At::Nothing).body("{}"),
            invalid_parameter("/leaderboards/new?force=true".into(), "force"),
            Row::new("PUT", "/leaderboards/new", 400, "invalid-header", At::Header("If-Match")).body("{}").header("if-match", "17"),
            Row::new("PUT", "/leaderboards/new", 400, "invalid-header", At::Header("If-None-Match")).body("{}").header("if-none-match", "\"1"),
            Row::new("GET", "/leaderboards/b?x=1", 400, "invalid-parameter", At::Parameter("x")),
            Row::new("DELETE", "/leaderboards/b?x=1", 400, "invalid-parameter", At::Parameter("x")),
            Row::new("GET", "/leaderboards?limit=201", 400, "invalid-parameter", At::Parameter("limit")),
            Row::new("GET", "/leaderboards?limit=0", 400, "invalid-parameter", At::Parameter("limit")),
            Row::new("GET", "/leaderboards?cursor=%21", 400, "invalid-cursor", At::Parameter("cursor")),
        ];
        for id in ["Upper", "-a", ".a", "a%20b", "a%2Fb", "%C3%A9", "%FF", "%00", &"x".repeat(65)] {
            rows.push(invalid_parameter(format!("/leaderboards/{id}"), "leaderboard"));
        }
        assert_all_refused(api, rows).await;
    }
}
