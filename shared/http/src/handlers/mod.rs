//! What each route does: read the query and the body, call a use case, write the answer.

pub mod audit;
pub mod bans;
pub mod dead_letters;
mod documents;
pub mod flags;
pub mod health;
pub(crate) mod idempotency;
pub mod issuers;
pub mod keys;
pub mod leaderboards;
pub mod limits;
pub mod metrics;
mod names;
pub mod ofrep;
pub mod ops;
mod paging;
mod prefer;
pub mod ranks;
pub mod scores;
pub mod summary;
pub mod tenants;
pub mod tokens;
