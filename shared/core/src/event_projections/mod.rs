//! Named projections: what the events of a log add up to, beside the entries. A projection handles the events in order, so it can be
//! built again from a log at any time, and a submission does not pay for it.

mod activity;
mod bests;
mod distinct;
mod event_projection;

pub use activity::{ActivityDay, DailyActivity, MAX_ACTIVITY_DAYS};
pub use bests::{MAX_BESTS, PersonalBest, PersonalBests};
pub use distinct::{DistinctPlayers, MAX_EXACT_PLAYERS};
pub use event_projection::EventProjection;
