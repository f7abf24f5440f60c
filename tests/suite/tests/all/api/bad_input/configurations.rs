//! Tests of invalid configurations of leaderboards.

use serde_json::{Value, json};

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

/// Returns two rows with the same invalid document: one creates a leaderboard, and the other patches one.
fn put_and_patch(document: &Value, pointer: &'static str) -> [Row; 2] {
    [("PUT", "/leaderboards/new"), ("PATCH", "/leaderboards/b")].map(|(verb, path)| {
        Row::new(verb, path, 422, "validation", At::Body(pointer)).body(document.to_string())
    })
}

/// Returns both rows for each invalid document, with the pointer to its error.
fn put_and_patch_all(faults: &[(Value, &'static str)]) -> Vec<Row> {
    faults
        .iter()
        .flat_map(|(document, pointer)| put_and_patch(document, pointer))
        .collect()
}

api_cases! {
    async fn bodies_that_are_no_configuration_are_refused(api) {
        let mut rows = put_and_patch_all(&[(json!([]), "#"), (json!("text"), "#"), (Value::Null, "#"), (json!({"colums": []}), "#/colums")]);
        for (verb, path) in [("PUT", "/leaderboards/new"), ("PATCH", "/leaderboards/b")] {
            for body in ["{", "{\"title\":", "{}{}", "NaN"] {
                rows.push(Row::new(verb, path, 400, "malformed", At::Body(if body.ends_with(':') { "#/title" } else { "#" })).body(body));
            }
        }
        assert_all_refused(api, rows).await;
    }

    async fn invalid_titles_columns_and_keywords_are_refused(api) {
        let column = |column: Value| json!({"columns": [column]});
        let named = |name: &str| json!({"name": name, "order": "desc"});
        assert_all_refused(api, put_and_patch_all(&[
            (json!({"id": "another"}), "#/id"),
            (json!({"id": 5}), "#/id"),
            (json!({"title": 5}), "#/title"),
            (json!({"title": "x".repeat(201)}), "#/title"),
            (json!({"title": "a\nb"}), "#/title"),
            (json!({"columns": "score"}), "#/columns"),
            (json!({"columns": []}), "#/columns"),
            (json!({"columns": [named("a"), named("b"), named("c"), named("d")]}), "#/columns"),
            (json!({"columns": [named("a"), named("a")]}), "#/columns/1/name"),
            (json!({"columns": ["score"]}), "#/columns/0"),
            (column(json!({"order": "desc"})), "#/columns/0/name"),
            (column(named("")), "#/columns/0/name"),
            (column(named("Score")), "#/columns/0/name"),
            (column(named("1st")), "#/columns/0/name"),
            (column(named(&"x".repeat(33))), "#/columns/0/name"),
            (column(json!({"name": "a", "order": "up"})), "#/columns/0/order"),
            (column(json!({"name": "a", "direction": "up"})), "#/columns/0/direction"),
            (json!({"operator": "max"}), "#/operator"),
            (json!({"operator": 1}), "#/operator"),
            (json!({"operator_override": "yes"}), "#/operator_override"),
            (json!({"ties": "random"}), "#/ties"),
            (json!({"access": {"read": "everyone"}}), "#/access/read"),
            (json!({"access": {"write": "everyone"}}), "#/access/write"),
            (json!({"access": {"admin": "me"}}), "#/access/admin"),
            (json!({"access": "public"}), "#/access"),
        ])).await;
    }

    async fn invalid_schedules_are_refused(api) {
        let cron = |cron: &str| json!({"reset": {"cron": cron, "time_zone": "UTC"}});
        let zone = |zone: &str| json!({"reset": {"cron": "0 0 * * *", "time_zone": zone}});
        let mut faults: Vec<(Value, &str)> = Vec::new();
        for text in ["", "daily", "@daily", "* * * *", "0 0 0 * * *", "60 * * * *", "* 24 * * *", "0 0 32 * *", "0 0 * 13 *",
            "0 0 * * 9", "0 0 30 2 *", "x x x x x", "*/0 * * * *", "5-1 * * * *", "0 0 1 1 * 2030"] {
            faults.push((cron(text), "#/reset/cron"));
        }
        let long = format!("{}0 0 * * *", "0,".repeat(50));
        faults.push((cron(&long), "#/reset/cron"));
        for text in ["", "Mars/Olympus", "+25:00", "Europe/Madrid/x", "../../etc/passwd", "UTC\u{0}"] {
            faults.push((zone(text), "#/reset/time_zone"));
        }
        faults.push((json!({"reset": "daily"}), "#/reset"));
        faults.push((json!({"reset": {"cron": 5, "time_zone": "UTC"}}), "#/reset/cron"));
        faults.push((json!({"reset": {"cron": "0 0 * * *", "time_zone": "UTC", "at": 5}}), "#/reset/at"));
        let mut rows = put_and_patch_all(&faults);
        // The leaderboard has no reset, so the other field is missing after a patch, too.
        rows.extend(put_and_patch(&json!({"reset": {"cron": "0 0 * * *"}}), "#/reset/time_zone"));
        rows.extend(put_and_patch(&json!({"reset": {"time_zone": "UTC"}}), "#/reset/cron"));
        assert_all_refused(api, rows).await;
    }

    async fn invalid_time_windows_and_limits_are_refused(api) {
        let mut faults: Vec<(Value, &str)> = Vec::new();
        for keep in [json!(0), json!(1001), json!(-1), json!(1.5), json!("x"), json!(70_000)] {
            faults.push((json!({"keep_periods": keep}), "#/keep_periods"));
        }
        for time in [json!("soon"), json!(5), json!("2020-01-01")] {
            faults.push((json!({"starts_at": time}), "#/starts_at"));
        }
        faults.push((json!({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-01T00:00:00Z"}), "#/starts_at"));
        for (limit, value) in [("max_change", json!(0)), ("max_change", json!(-1)), ("max_attempts", json!(0)),
            ("max_attempts", json!(5_000_000_000_u64)), ("max_entries", json!(0)), ("max_entries", json!("many")),
            ("min", json!(0.5)), ("max", json!("9223372036854775808")), ("average", json!(5))] {
            let pointer = match limit {
                "max_change" => "#/limits/max_change",
                "max_attempts" => "#/limits/max_attempts",
                "max_entries" => "#/limits/max_entries",
                "min" => "#/limits/min",
                "max" => "#/limits/max",
                _ => "#/limits/average",
            };
            faults.push((json!({"limits": {limit: value}}), pointer));
        }
        faults.push((json!({"limits": {"min": 5, "max": 4}}), "#/limits/min"));
        faults.push((json!({"limits": []}), "#/limits"));
        assert_all_refused(api, put_and_patch_all(&faults)).await;
    }

    async fn invalid_ids_and_parameters_are_refused(api) {
        let invalid_parameter = |path: String, name: &'static str| {
            Row::new("PUT", path, 400, "invalid-parameter", At::Parameter(name)).body("{}")
        };
        let mut rows = vec![
            invalid_parameter("/leaderboards/new?rebuild=maybe".into(), "rebuild"),
            invalid_parameter("/leaderboards/new?rebuild=true&rebuild=true".into(), "rebuild"),
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
