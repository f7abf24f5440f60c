//! What a request is charged with.

use leaderboard_core::ports::{Metering, Usage};

use crate::edge::Knowledge;

/// What a request is charged with in the store.
pub(super) fn metering(knowledge: &Knowledge) -> Metering {
    Metering {
        charges: Vec::new(),
        usage: Usage {
            requests: 1,
            scores: 0,
        },
        max_requests_per_day: knowledge.tenant.quotas.requests_per_day,
    }
}
