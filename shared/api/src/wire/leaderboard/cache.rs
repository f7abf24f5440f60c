//! Reads and writes the cache policy of a leaderboard.

use leaderboard_core::{CachePolicy, CacheStrategy, WarmResponse};
use serde::Serialize;

use super::super::word;
use crate::json::{Errors, Field};

const STRATEGIES: [(&str, CacheStrategy); 3] = [
    ("aside", CacheStrategy::Aside),
    ("write_through", CacheStrategy::WriteThrough),
    ("refresh_ahead", CacheStrategy::RefreshAhead),
];

words_schema!(
    StrategyWord,
    "Strategy",
    "When a new response is fetched. `aside`: when a reader finds no fresh response. `write_through`: also right after a write, for the responses in `warm`. `refresh_ahead`: also shortly before the lifetime ends, and in every region that is told of a change, for the responses in `warm`.",
    STRATEGIES
);

#[derive(Clone, Copy)]
enum WarmKind {
    Entries,
    Distribution,
}

const KINDS: [(&str, WarmKind); 2] = [
    ("entries", WarmKind::Entries),
    ("distribution", WarmKind::Distribution),
];

/// The default number of entries of a warm page: the same as for a page without `limit`.
const WARM_LIMIT: u16 = 10;
/// The default number of buckets of a warm distribution.
const WARM_BUCKETS: u16 = 20;

request_fields! {
    /// How long responses about a leaderboard are cached.
    FIELDS = "CachePolicyWritten" {
        /// How long a response is fresh, in milliseconds; 0 disables caching. Default: 5000.
        optional lifetime_ms: integer_within(0, leaderboard_core::MAX_LIFETIME_MS),
        /// How long after its lifetime a stale response is served while a new one is fetched, in milliseconds. Default: 5000.
        optional stale_ms: integer_within(0, leaderboard_core::MAX_STALE_MS),
        /// How long after its lifetime a stale response is served while the store is unreachable, in milliseconds. Default:
        /// 300,000.
        optional stale_if_error_ms: integer_within(0, leaderboard_core::MAX_STALE_IF_ERROR_MS),
        /// When a new response is fetched. Default: `aside`.
        optional strategy: reference("Strategy"),
        /// The responses that are made before a reader asks for them. Default: the ten entries at the top.
        optional warm: list_up_to(leaderboard_core::MAX_WARM_RESPONSES, reference("WarmView")),
    }
}

#[cfg(feature = "schema")]
request_fields! {
    /// A response about the current period that is made before a reader asks for it.
    WARM_FIELDS = "WarmView" {
        /// The kind of the response: `entries` or `distribution`.
        required view: text(),
        /// For `entries`: the number of entries at the top. Default: 10.
        optional limit: integer_within(1, leaderboard_core::MAX_WARM_LIMIT),
        /// For `distribution`: the number of buckets. Default: 20.
        optional buckets: integer_within(1, leaderboard_core::MAX_WARM_BUCKETS),
    }
}

/// Adds the schemas of cache policies.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_requests(&[&FIELDS, &WARM_FIELDS]);
}

/// Reads a cache policy. A missing field has its default.
pub(super) fn read(field: Field<'_, '_>, errors: &mut Errors) -> Option<CachePolicy> {
    let fields = field.object_with(&FIELDS, errors)?;
    let default = CachePolicy::default();
    let mut milliseconds =
        |name: &'static str, default: u32| fields.read(name, Field::integer, errors).unwrap_or(default);
    let lifetime_ms = milliseconds("lifetime_ms", default.lifetime_ms);
    let stale_ms = milliseconds("stale_ms", default.stale_ms);
    let stale_if_error_ms = milliseconds("stale_if_error_ms", default.stale_if_error_ms);
    let strategy = fields.choice("strategy", &STRATEGIES, errors);
    let warm = fields.read("warm", warm_responses, errors);
    Some(CachePolicy {
        lifetime_ms,
        stale_ms,
        stale_if_error_ms,
        strategy: strategy.unwrap_or(default.strategy),
        warm: warm.unwrap_or(default.warm),
    })
}

/// Reads the list of warm responses. If one has an error, uses the default in its place, so that the others keep their
/// positions.
fn warm_responses(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<WarmResponse>> {
    let default = WarmResponse::List { limit: WARM_LIMIT };
    field.list(
        |item, errors| warm_response(item, errors).unwrap_or(default),
        errors,
    )
}

fn warm_response(field: Field<'_, '_>, errors: &mut Errors) -> Option<WarmResponse> {
    let fields = field.object(errors)?;
    let kind = fields.required("view", errors)?.choice(&KINDS, errors)?;
    let mut size = |name: &'static str, default| {
        fields.only(&["view", name], errors);
        match fields.optional(name) {
            None => Some(default),
            Some(field) => field.integer(errors),
        }
    };
    match kind {
        WarmKind::Entries => size("limit", WARM_LIMIT).map(|limit| WarmResponse::List { limit }),
        WarmKind::Distribution => {
            size("buckets", WARM_BUCKETS).map(|buckets| WarmResponse::Distribution { buckets })
        }
    }
}

/// How long responses about a leaderboard are cached.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CachePolicy))]
pub(super) struct CacheBody {
    /// How long a response is fresh, in milliseconds; 0 disables caching.
    lifetime_ms: u32,
    /// How long after its lifetime a stale response is served while a new one is fetched, in milliseconds.
    stale_ms: u32,
    /// How long after its lifetime a stale response is served while the store is unreachable, in milliseconds.
    stale_if_error_ms: u32,
    /// When a new response is fetched.
    #[cfg_attr(feature = "schema", schema(value_type = StrategyWord))]
    strategy: &'static str,
    /// The responses that are made before a reader asks for them.
    warm: Vec<WarmBody>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "view", rename_all = "snake_case")]
enum WarmBody {
    Entries { limit: u16 },
    Distribution { buckets: u16 },
}

written_schema!(WarmBody, "WarmView", (WARM_FIELDS.schema)().1);

impl From<&CachePolicy> for CacheBody {
    fn from(cache: &CachePolicy) -> Self {
        let to_body = |response: &WarmResponse| match *response {
            WarmResponse::List { limit } => WarmBody::Entries { limit },
            WarmResponse::Distribution { buckets } => WarmBody::Distribution { buckets },
        };
        Self {
            lifetime_ms: cache.lifetime_ms,
            stale_ms: cache.stale_ms,
            stale_if_error_ms: cache.stale_if_error_ms,
            strategy: word(&STRATEGIES, cache.strategy),
            warm: cache.warm.iter().map(to_body).collect(),
        }
    }
}
