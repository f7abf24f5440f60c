//! Health in detail, for the operator.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use leaderboard_api::media::prefers;
use leaderboard_api::{Problem, Query, Response};
use leaderboard_core::Timestamp;
use leaderboard_core::ports::{
    ANNOUNCEMENT_FAILED_AT, ANNOUNCEMENTS_FAILED, Cache, Counters, FIRST_SHARD, Readiness, Replica,
    SettingCheck, ShardNumber, Shards,
};
use leaderboard_pipeline::Context;
use leaderboard_responses::{MAX_REPLICA_LAG_MS, ResponseEnvironment};
use serde_json::{Value, json};

use crate::health_body::{DetailedHealth, HealthCheck, HealthComponent, HealthDraft, HealthStatus};

/// The media type of draft-inadarei-api-health-check.
pub(crate) const HEALTH_JSON: &str = "application/health+json";
/// The key that the health check reads from the key-value store.
const PROBE: &str = "health:probe";

/// How long the check of the replica waits for a change of the primary to arrive, in milliseconds.
const REPLICATION_PAUSE_MS: u64 = 100;

/// How long a failed announcement causes a warning, in seconds: long enough for the operator to see it. The warning ends some
/// time after its cause is gone.
const ANNOUNCEMENT_WARNING_S: i64 = 3600;

/// The result of the check of a part.
struct Checked {
    name: &'static str,
    status: HealthStatus,
    message: &'static str,
    /// The type of the part, as a word of the draft.
    component_type: &'static str,
    at: String,
    took_ms: i64,
    metadata: Value,
}

/// `GET /health/detailed`: returns every part with its status, also as `application/health+json`. Returns 503 if the store fails.
/// If only the key-value store fails, the region still works, but more slowly.
///
/// # Errors
/// A problem with the query.
pub(crate) async fn detailed<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let (store, cause) = store(context).await;
    let mut parts = vec![store, key_value(context).await];
    parts.extend(replica(context).await);
    let worst = parts.iter().map(|part| part.status).max();
    let status = worst.unwrap_or(HealthStatus::Pass);
    let code = match cause {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = if prefers(context.headers, HEALTH_JSON) {
        let mut response = Response::json(code, context.accepted, &draft(status, &parts))?;
        response
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(HEALTH_JSON));
        response
    } else {
        Response::json(code, context.accepted, &plain(status, &parts))?
    };
    if let Some(cause) = cause {
        response = response.with(RETRY_AFTER, "1").with_cause(cause);
    }
    Ok(response)
}

/// Returns settings in the form for the operator: the value that each setting has, and the value that it should have.
fn describe_settings(settings: &[SettingCheck]) -> Vec<Value> {
    let describe = |check: &SettingCheck| {
        let message = match &check.found {
            Some(found) if *found == check.wanted => "as it should be".to_owned(),
            Some(_) => format!("set {} {}", check.setting, check.wanted),
            None => format!(
                "could not be checked: the user may not read it; it should be {}",
                check.wanted
            ),
        };
        let status = if check.is_wrong() {
            HealthStatus::Warn
        } else {
            HealthStatus::Pass
        };
        json!({"setting": check.setting, "wanted": check.wanted, "found": check.found, "status": status, "message": message})
    };
    settings.iter().map(describe).collect()
}

async fn store<E: ResponseEnvironment>(context: &Context<'_, E>) -> (Checked, Option<String>) {
    let before = context.env.clock();
    let answered = context.env.store().check_ready().await;
    let after = context.env.clock();
    let took_ms = after.as_unix_ms().saturating_sub(before.as_unix_ms());
    let kind = if context.env.cache().is_some() {
        "redis"
    } else {
        "embedded"
    };
    let announcements = match &answered {
        Ok(()) => FailedAnnouncements::read(context).await,
        Err(_) => FailedAnnouncements::default(),
    };
    let settings = match &answered {
        Ok(()) => context.env.store().check_settings().await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let shards = check_shards(context).await;
    let (status, message) = match &answered {
        Err(_) => (HealthStatus::Fail, "does not answer"),
        Ok(()) if shards.iter().any(|shard| shard.failed) => (
            HealthStatus::Warn,
            "answers, but for a shard, whose tenants get 503",
        ),
        Ok(()) if announcements.are_recent(after) => (
            HealthStatus::Warn,
            "answers, but refuses announcements: its user needs permission to publish on changes_channel",
        ),
        Ok(()) if settings.iter().any(SettingCheck::is_wrong) => (
            HealthStatus::Warn,
            "answers; a setting of its server is to be changed",
        ),
        Ok(()) => (HealthStatus::Pass, "answers"),
    };
    let mut metadata = json!({
        "kind": kind, "took_ms": took_ms, "announcements_failed": announcements.count, "settings": describe_settings(&settings),
    });
    if let (Value::Object(members), false) = (&mut metadata, shards.is_empty()) {
        members.insert(
            "shards".to_owned(),
            shards.iter().map(CheckedShard::describe).collect(),
        );
    }
    let checked = Checked {
        name: "store",
        status,
        message,
        component_type: "datastore",
        at: after.to_string(),
        took_ms,
        metadata,
    };
    (checked, answered.err().map(|error| error.to_string()))
}

/// The result of the check of a shard.
struct CheckedShard {
    number: ShardNumber,
    failed: bool,
    took_ms: i64,
}

impl CheckedShard {
    fn describe(&self) -> Value {
        let status = if self.failed {
            HealthStatus::Fail
        } else {
            HealthStatus::Pass
        };
        json!({"number": self.number, "status": status, "took_ms": self.took_ms})
    }
}

/// Asks each shard whether it answers. Returns an empty list for a store that is not divided.
async fn check_shards<E: ResponseEnvironment>(context: &Context<'_, E>) -> Vec<CheckedShard> {
    let (env, store) = (context.env, context.env.store());
    let mut checked = Vec::new();
    let count = store.count_shards();
    if count == FIRST_SHARD {
        return checked;
    }
    for number in FIRST_SHARD..=count {
        let before = env.clock().as_unix_ms();
        let answered = store.check_shard(number).await;
        checked.push(CheckedShard {
            number,
            failed: answered.is_err(),
            took_ms: env.clock().as_unix_ms().saturating_sub(before),
        });
    }
    checked
}

/// Announcements of changes that the store refused to publish.
#[derive(Default)]
struct FailedAnnouncements {
    count: u64,
    /// When the last announcement failed, in seconds since the epoch.
    last_at_s: i64,
}

impl FailedAnnouncements {
    /// Reads the counters of the store. Returns no failures if the store does not answer.
    async fn read<E: ResponseEnvironment>(context: &Context<'_, E>) -> Self {
        let counters = context.env.store().counters().await.unwrap_or_default();
        let counter = |wanted: &str| {
            let found = counters.iter().find(|(name, _)| **name == *wanted);
            found.map_or(0, |(_, count)| *count)
        };
        Self {
            count: counter(ANNOUNCEMENTS_FAILED),
            last_at_s: i64::try_from(counter(ANNOUNCEMENT_FAILED_AT)).unwrap_or(i64::MAX),
        }
    }

    fn are_recent(&self, now: Timestamp) -> bool {
        let ago_s = now.as_unix_ms().div_euclid(1000).saturating_sub(self.last_at_s);
        self.count > 0 && ago_s < ANNOUNCEMENT_WARNING_S
    }
}

/// Checks the replica, if the region has one: whether a change of the primary arrives. Reads go to the primary while it does not, so
/// this is never a failure.
async fn replica<E: ResponseEnvironment>(context: &Context<'_, E>) -> Option<Checked> {
    let (env, store) = (context.env, context.env.store());
    if !store.has_replica() {
        return None;
    }
    // If the primary does not answer, its part says so.
    let _ = store.write_clock().await;
    env.pause(REPLICATION_PAUSE_MS).await;
    let before = env.clock();
    let clock = store.read_replica_clock().await;
    let after = env.clock();
    let took_ms = after.as_unix_ms().saturating_sub(before.as_unix_ms());
    let behind_ms = match &clock {
        Ok(Some(clock)) => Some(before.as_unix_ms().saturating_sub(clock.as_unix_ms()).max(0)),
        Ok(None) | Err(_) => None,
    };
    let (status, message) = match (&clock, behind_ms) {
        (Err(_), _) => (HealthStatus::Warn, "does not answer; reads go to the primary"),
        (Ok(_), Some(behind_ms)) if behind_ms < MAX_REPLICA_LAG_MS => (HealthStatus::Pass, "answers"),
        (Ok(_), _) => (
            HealthStatus::Warn,
            "is too far behind the primary; reads go to the primary",
        ),
    };
    Some(Checked {
        name: "replica",
        status,
        message,
        component_type: "datastore",
        at: after.to_string(),
        took_ms,
        metadata: json!({"took_ms": took_ms, "behind_ms": behind_ms}),
    })
}

async fn key_value<E: ResponseEnvironment>(context: &Context<'_, E>) -> Checked {
    let before = context.env.clock();
    let answered = context.env.key_value_store().get(PROBE).await;
    let after = context.env.clock();
    let took_ms = after.as_unix_ms().saturating_sub(before.as_unix_ms());
    Checked {
        name: "key_value",
        status: if answered.is_ok() {
            HealthStatus::Pass
        } else {
            HealthStatus::Warn
        },
        message: if answered.is_ok() {
            "answers"
        } else {
            "does not answer"
        },
        component_type: "datastore",
        at: after.to_string(),
        took_ms,
        metadata: json!({"took_ms": took_ms}),
    }
}

/// Returns the document in the form of the other health routes.
fn plain(status: HealthStatus, parts: &[Checked]) -> DetailedHealth<'_> {
    let components = parts.iter().map(|part| {
        let component = HealthComponent {
            status: part.status,
            message: part.message,
            last_checked: &part.at,
            metadata: &part.metadata,
        };
        (part.name, component)
    });
    DetailedHealth {
        components: components.collect(),
        status,
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Returns the document in the form of the draft.
fn draft(status: HealthStatus, parts: &[Checked]) -> HealthDraft<'_> {
    let checks = parts.iter().map(|part| {
        let check = HealthCheck {
            component_type: part.component_type,
            observed_unit: "ms",
            observed_value: part.took_ms,
            output: part.message,
            status: part.status,
            time: &part.at,
        };
        (format!("{}:responseTime", part.name), vec![check])
    });
    HealthDraft {
        checks: checks.collect(),
        release_id: env!("CARGO_PKG_VERSION"),
        status,
        version: "1",
    }
}
