//! Reads the shard to which a tenant is moved, and writes on which shard a tenant lives.

use leaderboard_core::TenantId;
use leaderboard_core::ports::{MoveProgress, ShardNumber, TenantPlace};
use serde::Serialize;

use super::word;
use crate::json::{Errors, Json, read_document};
use crate::problem::Problem;

const STATES: [(&str, MoveProgress); 4] = [
    ("draining", MoveProgress::Draining),
    ("copying", MoveProgress::Copying),
    ("cleaning", MoveProgress::Cleaning),
    ("done", MoveProgress::Done),
];

words_schema!(
    StateWord,
    "MoveState",
    "How far the move of a tenant is. `draining`: the queue accepts no new requests of the tenant, and the waiting ones are applied. `copying`: the tenant can be read and not written. `cleaning`: the tenant lives on the shard, and what another shard still has is being deleted, or another shard does not answer. `done`: the move is done.",
    STATES
);

request_fields! {
    /// A request that moves a tenant to another shard.
    FIELDS = "TenantShardWritten" {
        /// The number of the shard, from 1.
        required shard: integer_within(1, leaderboard_core::ports::MAX_SHARDS),
    }
}

/// Reads the number of a shard from a request. `count` is the number of shards.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, count: ShardNumber) -> Result<ShardNumber, Problem> {
    read_document(tree, &FIELDS, |fields, errors: &mut Errors| {
        let field = fields.required("shard", errors)?;
        let pointer = field.pointer;
        let number = field.integer::<i64>(errors)?;
        let shard = ShardNumber::try_from(number).ok();
        let found = shard.filter(|shard| (1..=count).contains(shard));
        if found.is_none() {
            let detail = match count {
                1 => "must be 1: the store has one shard".to_owned(),
                count => format!("must be the number of a shard, 1 to {count}"),
            };
            errors.add(&pointer, detail);
        }
        found
    })
}

/// On which shard a tenant lives.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TenantShard))]
pub struct ShardBody<'a> {
    /// The tenant.
    tenant: &'a str,
    /// The number of the shard; `null` for a tenant without data. In the response to a move, the shard to which the tenant is moved.
    shard: Option<ShardNumber>,
    /// How far the move is. Without this field, no move is under way. A move goes on with the next request that moves the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = StateWord, nullable = false))]
    state: Option<&'static str>,
}

impl<'a> ShardBody<'a> {
    /// Returns the document of a tenant who lives somewhere, or nowhere.
    pub fn new(tenant: &'a TenantId, place: Option<TenantPlace>) -> Self {
        let progress = place.map(|place| place.progress);
        let progress = progress.filter(|progress| *progress != MoveProgress::Done);
        Self {
            tenant: tenant.as_str(),
            shard: place.map(|place| place.shard),
            state: progress.map(|progress| word(&STATES, progress)),
        }
    }

    /// Returns the document of a move to a shard.
    pub fn of_move(tenant: &'a TenantId, to: ShardNumber, progress: MoveProgress) -> Self {
        Self {
            tenant: tenant.as_str(),
            shard: Some(to),
            state: Some(word(&STATES, progress)),
        }
    }
}

/// Adds the schemas of this module.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<ShardBody<'_>>();
    all.add_requests(&[&FIELDS]);
}
