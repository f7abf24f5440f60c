//! What a caller can ask of Edgeboard, as plain functions over the ports.
//!
//! Each takes [`Deps`]: the stores, the instance's memory of configurations, and `now`.

mod boards;
mod bounds;
mod cursor;
mod distribution;
mod drift;
mod early;
mod leaderboards;
mod names;
mod query;
mod ranks;
mod submit;

use crate::ports::{Leaderboards, Scores};
use crate::{StoreError, Timestamp};

pub use boards::{BoardMemory, MAX_REMEMBERED_BOARDS, copy, current, current_of, nearest};
pub use cursor::{Cursor, Direction};
pub use distribution::{
    Bucket, DEFAULT_BUCKETS, Distribution, DistributionQuery, MAX_BUCKETS, PERCENTILES, ScorePlace,
    distribution,
};
pub use drift::{Drift, Elsewhere, MAX_DRIFT_EVENTS, drift};
pub use leaderboards::{MAX_PUT_STEPS, Stored, delete, get, list_leaderboards, put};
pub use names::{MAX_REMEMBERED_NAMES, find_name, known_name};
pub use query::{MAX_CONFIGURATION_RETRIES, QueryError};
pub use ranks::{
    ListQuery, Listing, MAX_PLAYERS_ASKED, PlayerEntry, around, list, periods, players, readable, remove,
    standing,
};
pub use submit::submit;

/// What a use case works with.
#[derive(Debug)]
pub struct Deps<'a, S, K> {
    /// The store of record.
    pub store: &'a S,
    /// The region's cache, where there is one in front of the store.
    pub cache: Option<&'a K>,
    /// What this instance remembers of configurations.
    pub boards: &'a BoardMemory,
    /// The instant of the request, read once.
    pub now: Timestamp,
}

/// A store that the use cases can work with.
pub trait Store: Scores + Leaderboards {}
impl<S: Scores + Leaderboards> Store for S {}

/// A configuration that changes faster than it can be read: every retry met another version.
fn keeps_changing() -> StoreError {
    StoreError::Unavailable("the configuration changed during every retry".into())
}
