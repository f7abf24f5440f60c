//! Tests of reading and writing the configuration of a leaderboard.

use super::*;
use crate::json::parse;
use crate::problem::{Location, ProblemType};

/// A configuration with all fields.
const FULL: &str = r#"{"id":"goals","title":"Goals","columns":[{"name":"score","order":"desc"},{"name":"time_ms","order":"asc"}],"operator":"increment","operator_override":true,"ties":"dense","reset":{"cron":"0 0 1 1 *","time_zone":"UTC"},"reset_takes_effect_at":null,"keep_periods":120,"starts_at":"1872-11-30T00:00:00.000Z","ends_at":"2100-01-01T00:00:00.000Z","limits":{"min":-5,"max":"9223372036854775807","max_change":"18446744073709551615","max_attempts":3,"max_entries":1000},"access":{"read":"private","write":"player"},"cache":{"lifetime_ms":1000,"stale_ms":0,"stale_if_error_ms":60000,"strategy":"refresh_ahead","warm":[{"view":"entries","limit":100},{"view":"distribution","buckets":5}]},"log":{"keep_events":1000000,"keep_days":1},"late_scores":"refuse","prizes":[{"name":"Gold","from_rank":1,"to_rank":1},{"name":"Chest","top_percent":10}],"claim_days":7}"#;

fn parse_leaderboard(text: &str) -> Result<Leaderboard, Problem> {
    read(&parse(text.as_bytes())?, &LeaderboardId::new("goals").unwrap())
}

fn write_body(board: &Leaderboard) -> String {
    crate::json::text(&LeaderboardBody::from(board))
}

#[test]
fn a_full_document_is_read_and_written_unchanged() {
    assert_eq!(write_body(&parse_leaderboard(FULL).unwrap()), FULL);
}

#[test]
fn a_missing_field_has_its_default() {
    let default = Leaderboard::new(LeaderboardId::new("goals").unwrap());
    assert_eq!(parse_leaderboard("{}").unwrap(), default);
    assert_eq!(
        parse_leaderboard(r#"{"reset":null,"limits":{"min":null},"columns":null}"#).unwrap(),
        default
    );
    assert_eq!(parse_leaderboard(&write_body(&default)).unwrap(), default);
    assert_eq!(
        parse_leaderboard(r#"{"columns":[{"name":"score"}]}"#).unwrap(),
        default
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, a row for each error")]
fn every_error_names_its_field() {
    for (body, expected) in [
        ("[]", "#"),
        ("null", "#"),
        (r#""text""#, "#"),
        (r#"{"id":"other"}"#, "#/id"),
        (r#"{"id":7}"#, "#/id"),
        (r#"{"name":"x"}"#, "#/name"),
        (r#"{"title":"\n"}"#, "#/title"),
        (r#"{"title":5}"#, "#/title"),
        (r#"{"late_scores":"later"}"#, "#/late_scores"),
        (r#"{"claim_days":0}"#, "#/claim_days"),
        (r#"{"claim_days":366}"#, "#/claim_days"),
        (r#"{"prizes":{}}"#, "#/prizes"),
        (r#"{"prizes":[{"name":"a"}]}"#, "#/prizes/0"),
        (r#"{"prizes":[{"name":"a","from_rank":1}]}"#, "#/prizes/0"),
        (
            r#"{"prizes":[{"name":"a","top_percent":1,"to_rank":1}]}"#,
            "#/prizes/0",
        ),
        (r#"{"prizes":[{"top_percent":1}]}"#, "#/prizes/0/name"),
        (r#"{"prizes":[{"name":"","top_percent":1}]}"#, "#/prizes/0/name"),
        (
            r#"{"prizes":[{"name":"a","top_percent":0}]}"#,
            "#/prizes/0/top_percent",
        ),
        (
            r#"{"prizes":[{"name":"a","top_percent":300}]}"#,
            "#/prizes/0/top_percent",
        ),
        (
            r#"{"prizes":[{"name":"a","from_rank":0,"to_rank":1}]}"#,
            "#/prizes/0/from_rank",
        ),
        (&format!(r#"{{"title":"{}"}}"#, "x".repeat(201)), "#/title"),
        (r#"{"columns":[]}"#, "#/columns"),
        (r#"{"columns":"score"}"#, "#/columns"),
        (
            r#"{"columns":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"}]}"#,
            "#/columns",
        ),
        (r#"{"columns":["score"]}"#, "#/columns/0"),
        (r#"{"columns":[{"name":"A"}]}"#, "#/columns/0/name"),
        (r#"{"columns":[{"name":""}]}"#, "#/columns/0/name"),
        (r#"{"columns":[{"name":"1st"}]}"#, "#/columns/0/name"),
        (
            &format!(r#"{{"columns":[{{"name":"{}"}}]}}"#, "x".repeat(33)),
            "#/columns/0/name",
        ),
        (r#"{"columns":[{"name":"a"},{"name":"a"}]}"#, "#/columns/1/name"),
        (r#"{"columns":[{"name":"a","order":"up"}]}"#, "#/columns/0/order"),
        (r#"{"columns":[{"order":"asc"}]}"#, "#/columns/0/name"),
        (r#"{"columns":[{"name":"a","x":1}]}"#, "#/columns/0/x"),
        (r#"{"operator":"add"}"#, "#/operator"),
        (r#"{"operator":1}"#, "#/operator"),
        (r#"{"operator_override":"yes"}"#, "#/operator_override"),
        (r#"{"ties":"first"}"#, "#/ties"),
        (r#"{"reset":{"cron":"0 0 1 1 *"}}"#, "#/reset/time_zone"),
        (
            r#"{"reset":{"cron":"0 0 31 2 *","time_zone":"UTC"}}"#,
            "#/reset/cron",
        ),
        (
            r#"{"reset":{"cron":"0 0 1 1 *","time_zone":"Mars/Olympus"}}"#,
            "#/reset/time_zone",
        ),
        (r#"{"reset":{"time_zone":"UTC"}}"#, "#/reset/cron"),
        (r#"{"reset":{"cron":5,"time_zone":"UTC"}}"#, "#/reset/cron"),
        (
            r#"{"reset":{"cron":"0 0 1 1 *","time_zone":"UTC","at":5}}"#,
            "#/reset/at",
        ),
        (r#"{"reset":"daily"}"#, "#/reset"),
        (r#"{"keep_periods":0}"#, "#/keep_periods"),
        (r#"{"keep_periods":1001}"#, "#/keep_periods"),
        (r#"{"keep_periods":-1}"#, "#/keep_periods"),
        (r#"{"keep_periods":1.5}"#, "#/keep_periods"),
        (r#"{"keep_periods":"x"}"#, "#/keep_periods"),
        (r#"{"log":5}"#, "#/log"),
        (r#"{"log":{"keep":5}}"#, "#/log/keep"),
        (r#"{"log":{"keep_events":0}}"#, "#/log/keep_events"),
        (r#"{"log":{"keep_events":1000001}}"#, "#/log/keep_events"),
        (r#"{"log":{"keep_days":3651}}"#, "#/log/keep_days"),
        (r#"{"cache":5}"#, "#/cache"),
        (r#"{"cache":{"ttl":5}}"#, "#/cache/ttl"),
        (r#"{"cache":{"lifetime_ms":-1}}"#, "#/cache/lifetime_ms"),
        (r#"{"cache":{"lifetime_ms":3600001}}"#, "#/cache/lifetime_ms"),
        (r#"{"cache":{"stale_ms":3600001}}"#, "#/cache/stale_ms"),
        (r#"{"cache":{"strategy":"behind"}}"#, "#/cache/strategy"),
        (r#"{"cache":{"warm":{}}}"#, "#/cache/warm"),
        (r#"{"cache":{"warm":[{}]}}"#, "#/cache/warm/0/view"),
        (
            r#"{"cache":{"warm":[{"view":"entries","buckets":5}]}}"#,
            "#/cache/warm/0/buckets",
        ),
        (
            r#"{"cache":{"warm":[{"view":"entries","limit":0}]}}"#,
            "#/cache/warm/0/limit",
        ),
        (
            r#"{"cache":{"warm":[{"view":"distribution","buckets":101}]}}"#,
            "#/cache/warm/0/buckets",
        ),
        (r#"{"keep_periods":70000}"#, "#/keep_periods"),
        (r#"{"starts_at":"2026-01-01"}"#, "#/starts_at"),
        (r#"{"starts_at":5}"#, "#/starts_at"),
        (
            r#"{"starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"}"#,
            "#/starts_at",
        ),
        (
            r#"{"starts_at":"2026-01-01T00:00:00Z","ends_at":"2025-01-01T00:00:00Z"}"#,
            "#/starts_at",
        ),
        (r#"{"limits":{"min":2,"max":1}}"#, "#/limits/min"),
        (r#"{"limits":[]}"#, "#/limits"),
        (r#"{"limits":{"min":0.5}}"#, "#/limits/min"),
        (r#"{"limits":{"max":"9223372036854775808"}}"#, "#/limits/max"),
        (r#"{"limits":{"max_attempts":0}}"#, "#/limits/max_attempts"),
        (
            r#"{"limits":{"max_attempts":5000000000}}"#,
            "#/limits/max_attempts",
        ),
        (r#"{"limits":{"max_change":-1}}"#, "#/limits/max_change"),
        (r#"{"limits":{"max_change":0}}"#, "#/limits/max_change"),
        (r#"{"limits":{"max_entries":0}}"#, "#/limits/max_entries"),
        (r#"{"limits":{"max_entries":"many"}}"#, "#/limits/max_entries"),
        (r#"{"limits":{"most":1}}"#, "#/limits/most"),
        (r#"{"access":{"read":"all"}}"#, "#/access/read"),
        (r#"{"access":{"write":"all"}}"#, "#/access/write"),
        (r#"{"access":{"admin":"me"}}"#, "#/access/admin"),
        (r#"{"access":"public"}"#, "#/access"),
    ] {
        let problem = parse_leaderboard(body).unwrap_err();
        assert_eq!(problem.kind, ProblemType::Validation, "{body}");
        assert_eq!(
            problem.errors[0].location,
            Location::Body(expected.into()),
            "{body}"
        );
    }
}
