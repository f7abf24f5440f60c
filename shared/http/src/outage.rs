//! That the store was out of reach a moment ago, so that not every request waits to find out.

use std::cell::RefCell;

use leaderboard_core::{StoreError, Timestamp};

/// How long after a failure the store is not asked for what can be done without it, in milliseconds.
const DOWN_MS: i64 = 1_000;

/// What an instance remembers of an outage of the store: since when, in milliseconds since the epoch, and its cause.
#[derive(Debug, Default)]
pub(crate) struct Outage(RefCell<Option<(i64, String)>>);

impl Outage {
    /// The error that a question would end in, as far as that is known.
    pub(crate) fn known(&self, now: Timestamp) -> Option<StoreError> {
        let known = self.0.borrow();
        let (since, cause) = known.as_ref()?;
        // A clock that has been set back makes no outage longer.
        let lasts = (0..DOWN_MS).contains(&(now.as_unix_ms() - since));
        lasts.then(|| StoreError::Unavailable(cause.clone()))
    }

    /// Whether the store has not answered since it did not, however long ago that was.
    pub(crate) fn is_suspected(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The store did not answer, for this cause.
    pub(crate) fn began(&self, now: Timestamp, cause: &str) {
        *self.0.borrow_mut() = Some((now.as_unix_ms(), cause.to_owned()));
    }

    /// The store has answered.
    pub(crate) fn is_over(&self) {
        *self.0.borrow_mut() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_known_for_a_second_or_until_the_store_answers() {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let outage = Outage::default();
        assert!(outage.known(at(5_000)).is_none());
        assert!(!outage.is_suspected());
        outage.began(at(5_000), "refused");
        assert!(
            matches!(outage.known(at(5_999)), Some(StoreError::Unavailable(cause)) if cause == "refused")
        );
        assert!(outage.known(at(6_000)).is_none() && outage.known(at(4_000)).is_none());
        outage.began(at(7_000), "refused");
        assert!(outage.is_suspected());
        outage.is_over();
        assert!(outage.known(at(7_000)).is_none() && !outage.is_suspected());
    }
}
