//! What each route does: read the query and the body, call a use case, write the answer.

pub mod audit;
mod documents;
pub mod flags;
pub mod health;
mod idempotency;
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
pub mod tenants;
pub mod tokens;
