//! Examples: real responses from `tests/suite/snapshots`, and bodies of requests.

use std::path::Path;

use serde_json::{Value, json};

/// A real response.
pub(crate) struct Example {
    pub(crate) status: u16,
    /// The value of `Content-Type` without parameters.
    pub(crate) media_type: String,
    pub(crate) body: Value,
}

/// Reads a response from a snapshot; `None` when the file does not exist or has no body.
pub(crate) fn read_example(name: &str) -> Option<Example> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/suite/snapshots")
        .join(format!("{name}.snap"));
    let text = std::fs::read_to_string(file).ok()?;
    let (_, snapshot) = text.split_once("\n---\n")?;
    let (head, body) = snapshot.split_once("\n\n")?;
    let media_type = head
        .lines()
        .find_map(|line| line.strip_prefix("content-type: "))?;
    let media_type = media_type.split(';').next()?.to_owned();
    let body = if media_type.ends_with("json") {
        serde_json::from_str(body).ok()?
    } else {
        body.into()
    };
    Some(Example {
        status: head.lines().next()?.parse().ok()?,
        media_type,
        body,
    })
}

/// Returns examples of a request's body: a name for each, and the body.
#[expect(clippy::too_many_lines, reason = "one table, a row for each schema")]
pub(crate) fn list_body_examples(schema: &str) -> Vec<(&'static str, Value)> {
    match schema {
        "LeaderboardWritten" => vec![
            ("defaults", json!({})),
            (
                "weekly-race",
                json!({
                    "title": "Weekly race", "columns": [{"name": "time_ms", "order": "asc"}], "ties": "shared",
                    "reset": {"cron": "0 0 * * 1", "time_zone": "Europe/Madrid"}, "limits": {"min": 1, "max_attempts": 100},
                }),
            ),
        ],
        "LeaderboardPatch" => vec![(
            "a-title",
            json!({"title": "Goals of all time", "limits": {"max": null}}),
        )],
        "ImportWritten" => vec![(
            "the-last-lines",
            json!({"first_line": 5, "lines": [
                {"type": "event", "position": 2, "event": "BgAAAAAAAAAA"},
                {"type": "end", "lines": 5},
            ]}),
        )],
        "BanWritten" => vec![(
            "a-week",
            json!({"reason": "speed hack", "expires_at": "2030-01-08T00:00:00Z"}),
        )],
        "ClaimWritten" => vec![("of-a-period", json!({"player": "ann", "period": "2026-11-09"}))],
        "TenantPatch" => vec![("suspend", json!({"state": "suspended"}))],
        "Scores" => vec![
            (
                "one",
                json!({"player": "ann", "score": 61250, "metadata": {"car": "red"}, "id": "run-1"}),
            ),
            (
                "many",
                json!({"scores": [{"player": "ann", "score": 60500}, {"player": "bob", "values": {"score": "9223372036854775807"}}]}),
            ),
        ],
        "ScoresToSeveral" => vec![
            (
                "one",
                json!({"leaderboards": ["goals", "goals-by-year"], "player": "ann", "score": 1, "occurred_at": "2026-07-19T21:04:00Z"}),
            ),
            (
                "many",
                json!({"scores": [{"leaderboards": ["goals"], "player": "ann", "score": 1}]}),
            ),
        ],
        "TenantShardWritten" => vec![("second", json!({"shard": 2}))],
        "TenantWritten" => vec![(
            "quotas",
            json!({"title": "Acme", "quotas": {"leaderboards": 100, "entries": 1_000_000, "requests_per_day": null}}),
        )],
        "Limits" => vec![(
            "rates-and-addresses",
            json!({"policies": {"player": {"quota": 100, "window_s": 1, "burst": 200}, "tenant": "off"}, "addresses": {"deny": ["192.0.2.0/24"]}}),
        )],
        "FlagSet" => vec![(
            "rollout",
            json!({"flags": {
                "new-ranks": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
                    "targeting": {"fractional": [["on", 10], ["off", 90]]}},
                "greeting": {"state": "ENABLED", "variants": {"short": "hey", "long": "good evening"}, "defaultVariant": "short"},
            }}),
        )],
        "OfrepContext" => vec![(
            "player",
            json!({"context": {"targetingKey": "ann", "plan": "vip"}}),
        )],
        "KeyWritten" => vec![(
            "server",
            json!({"name": "match server", "scopes": ["scores:read", "scores:write"], "allowed_addresses": ["192.0.2.0/24"]}),
        )],
        "KeyRotation" => vec![("a-day", json!({"overlap_s": 86_400}))],
        "IssuerWritten" => vec![(
            "discovered",
            json!({"issuer": "https://id.example.com", "audiences": ["game"], "discovery": true, "granted_scopes": ["scores:read"]}),
        )],
        "LiveTicketWritten" => vec![("player", json!({"player": "ann"}))],
        "TokenWritten" => vec![(
            "player",
            json!({"player": "ann", "scopes": ["scores:read", "scores:write"], "lifetime_s": 3600}),
        )],
        "WebhookWritten" => vec![(
            "leaders",
            json!({"url": "https://hooks.example.com/edgeboard", "events": ["leader.changed", "period.ended"], "leaderboards": ["goals"]}),
        )],
        "WebhookRotation" => vec![("an-hour", json!({"overlap_s": 3600}))],
        _ => Vec::new(),
    }
}
