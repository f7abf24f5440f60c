//! The endpoint families: each a table of routes and what each of them does. A function of the same name serves it.

mod documents;
mod flags;
mod identity;
mod leaderboards;
mod limits;
mod listed;
mod ops;
mod ranks;
mod scores;
mod tenants;

pub use flags::Flags;
pub use identity::Identity;
pub use leaderboards::Leaderboards;
pub use limits::Limits;
pub use listed::{ListedRoute, all_routes};
pub use ops::Ops;
pub use ranks::Ranks;
pub use scores::Scores;
pub use tenants::Tenants;
