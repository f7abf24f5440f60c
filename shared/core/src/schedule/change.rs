//! Changes of the reset rule.

use super::Schedule;
use super::stretch::Stretch;
use crate::Timestamp;

/// The most earlier rules that a schedule keeps. A leaderboard has one for each change of its reset within its kept periods. All
/// rules are parsed each time the configuration is read.
pub const MAX_SCHEDULE_CHANGES: usize = 32;

/// The kept periods follow more than [`MAX_SCHEDULE_CHANGES`] earlier rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyChanges;

impl Schedule {
    /// Returns this schedule with the rule of `to` in effect from the end of the current period. The current period keeps its
    /// end. If it has no end, it ends at the first reset of the new rule.
    ///
    /// With `at_once`, the new rule is in effect from the start of the current period, which ends at the first reset of the new
    /// rule. The period of a leaderboard that never reset has no start, so `at_once` has no effect on it.
    ///
    /// An earlier change that is not in effect yet is dropped. A rule is removed if it decides none of the newest `keep` periods.
    ///
    /// # Errors
    /// [`TooManyChanges`].
    pub fn changed_to(
        &self,
        to: &Self,
        keep: u16,
        now: Timestamp,
        at_once: bool,
    ) -> Result<Self, TooManyChanges> {
        let is_pending = self.configured.from.is_some_and(|from| from > now);
        if self.reset() == to.reset() && !(at_once && is_pending) {
            return Ok(self.clone());
        }
        let in_effect = self.in_effect(now);
        if in_effect.reset() == to.reset() {
            return Ok(in_effect);
        }
        let current = in_effect.period_at(now);
        let rule = to.configured.rule.clone();
        let mut earlier: Vec<Stretch> = in_effect.stretches().cloned().collect();
        let configured = match current.starts_at.filter(|_| at_once) {
            Some(start) => {
                earlier.retain(|stretch| stretch.from.is_none_or(|from| from < start));
                Stretch {
                    resets_after: rule.is_some().then_some(now),
                    rule,
                    from: Some(start),
                }
            }
            None => {
                let first_reset = || rule.as_ref()?.next_start(now);
                Stretch {
                    from: current.ends_at.or_else(first_reset).or(Some(Timestamp::MAX)),
                    rule,
                    resets_after: None,
                }
            }
        };
        let mut changed = Self::of(earlier, configured);
        changed.unrecorded_until = self.unrecorded_until;
        changed.recorded_from(now).without_expired(keep, now)
    }

    /// Returns the same schedule; its rules are recorded from `now` on.
    #[must_use]
    pub fn recorded_from(mut self, now: Timestamp) -> Self {
        self.unrecorded_until = self.unrecorded_until.map(|until| until.min(now));
        self
    }

    /// Returns whether both schedules have the same rules at the same times.
    #[must_use]
    pub fn has_rules_of(&self, other: &Self) -> bool {
        self.changes().eq(other.changes())
    }

    /// Returns this schedule without rules that begin after `now`.
    fn in_effect(&self, now: Timestamp) -> Self {
        let mut begun = self.earlier.clone();
        let mut last = self.configured.clone();
        while last.from.is_some_and(|from| from > now)
            && let Some(before) = begun.pop()
        {
            last = before;
        }
        let mut in_effect = Self::of(begun, last);
        in_effect.unrecorded_until = self.unrecorded_until;
        in_effect
    }

    /// Drops the stretches whose periods have all expired.
    fn without_expired(mut self, keep: u16, now: Timestamp) -> Result<Self, TooManyChanges> {
        if let Some(oldest) = self.oldest_kept(keep, now) {
            let ends: Vec<Option<Timestamp>> = self.stretches().skip(1).map(|next| next.from).collect();
            let expired = ends.iter().take_while(|end| **end <= Some(oldest)).count();
            self.earlier.drain(..expired.min(self.earlier.len()));
        }
        if self.earlier.len() > MAX_SCHEDULE_CHANGES {
            return Err(TooManyChanges);
        }
        let mut fresh = Self::of(self.earlier, self.configured);
        fresh.unrecorded_until = self.unrecorded_until;
        Ok(fresh)
    }
}
