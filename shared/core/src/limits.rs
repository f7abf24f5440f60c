//! Bounds on the submissions to a leaderboard.

use crate::Invalid;

/// Bounds on submissions; `None` means no bound. Bounds on values apply to the first column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The smallest value. For `best` and `set` the bound applies to the submitted value; for `increment` and `decrement`, to the
    /// result.
    pub min: Option<i64>,
    /// The largest value; it applies to the same value as `min`.
    pub max: Option<i64>,
    /// The largest absolute difference between the value before and after. A player's first `best` or `set` has no value before
    /// it; a first `increment` or `decrement` starts from 0.
    pub max_change: Option<u64>,
    /// How many submissions of one player a period accepts.
    pub max_attempts: Option<u32>,
    /// How many entries a period can have.
    pub max_entries: Option<u64>,
}

impl Limits {
    /// Returns a fault for each bound that would refuse every submission. A rule between two bounds is reported at both.
    #[must_use]
    pub fn find_faults(&self) -> Vec<Invalid> {
        let mut faults = Vec::new();
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            faults.push(Invalid::new(
                "/min",
                format!("must not be above max, which is {max}"),
            ));
            faults.push(Invalid::new(
                "/max",
                format!("must not be below min, which is {min}"),
            ));
        }
        for (bound, pointer) in [
            (self.max_change, "/max_change"),
            (self.max_attempts.map(u64::from), "/max_attempts"),
            (self.max_entries, "/max_entries"),
        ] {
            if bound == Some(0) {
                faults.push(Invalid::new(pointer, "must be at least 1"));
            }
        }
        faults
    }
}
