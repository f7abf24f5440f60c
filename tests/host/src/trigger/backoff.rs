//! Pauses between attempts to connect.

use std::time::Duration;

use crate::random;

/// The longest possible first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest possible pause.
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double up to a limit. Each pause is drawn at random between half of it and all of it, so that
/// several hosts do not connect at the same instant.
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// Returns the next pause.
    pub(super) fn next(&mut self) -> Duration {
        let whole = self.0;
        self.0 = whole.saturating_mul(2).min(LONGEST);
        let half = whole / 2;
        half + Duration::from_nanos(random::below(u64::try_from(half.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let mut backoff = Backoff::default();
        let mut expected = FIRST;
        for _ in 0..20 {
            let pause = backoff.next();
            assert!(
                pause >= expected / 2 && pause <= expected,
                "{pause:?} of {expected:?}"
            );
            expected = (expected * 2).min(LONGEST);
        }
    }
}
