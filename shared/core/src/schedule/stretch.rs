//! A stretch: a rule and the time in which it is in effect.

use super::rule::ResetRule;
use super::{Reset, Schedule};
use crate::{Invalid, Period, PeriodId, Timestamp};

/// A rule that is in effect from an instant until the next stretch begins.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// The rule; `None` if there are no resets.
    pub(super) rule: Option<ResetRule>,
    /// The start of the first period of the stretch; `None` for the beginning of time.
    pub(super) from: Option<Timestamp>,
    /// If set, the first period began before the change and ends at the first reset after this instant.
    pub(super) resets_after: Option<Timestamp>,
}

/// A stretch as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScheduleChange {
    pub(crate) reset: Option<Reset>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) resets_after: Option<Timestamp>,
}

impl Stretch {
    pub(super) fn always(rule: Option<ResetRule>) -> Self {
        Self {
            rule,
            from: None,
            resets_after: None,
        }
    }

    pub(super) fn reset(&self) -> Option<&Reset> {
        self.rule.as_ref().map(|rule| &rule.reset)
    }

    /// Returns the instant up to which the resets of the rule do not begin a period.
    fn bound(&self) -> Option<Timestamp> {
        self.from.max(self.resets_after)
    }

    /// Returns the start of the period that contains `instant`.
    pub(super) fn start_at(&self, instant: Timestamp) -> Option<Timestamp> {
        let started = self.rule.as_ref().and_then(|rule| rule.start_at(instant));
        let own = started.filter(|start| self.bound().is_none_or(|bound| bound < *start));
        own.or(self.from)
    }

    /// Returns the end of the period that contains `instant`; `next` is the start of the next stretch.
    pub(super) fn end_at(&self, instant: Timestamp, next: Option<Timestamp>) -> Option<Timestamp> {
        let after = self.bound().map_or(instant, |bound| bound.max(instant));
        let own = self.rule.as_ref().and_then(|rule| rule.next_start(after));
        own.into_iter().chain(next).min()
    }

    pub(super) fn period_at(&self, instant: Timestamp, next: Option<Timestamp>) -> Period {
        let starts_at = self.start_at(instant);
        let id = match (starts_at, &self.rule) {
            (Some(start), _) => PeriodId::starting_at(start),
            (None, Some(_)) => PeriodId::beginning(),
            (None, None) => PeriodId::all_time(),
        };
        Period {
            id,
            starts_at,
            ends_at: self.end_at(instant, next),
        }
    }
}

impl Schedule {
    /// Returns the stretches in their order, as they are stored.
    pub(crate) fn changes(&self) -> impl Iterator<Item = ScheduleChange> {
        self.stretches().map(|stretch| ScheduleChange {
            reset: stretch.reset().cloned(),
            from: stretch.from,
            resets_after: stretch.resets_after,
        })
    }

    /// Returns the instant before which rules are not recorded.
    pub(crate) fn unrecorded_until(&self) -> Option<Timestamp> {
        self.unrecorded_until
    }

    /// Creates a schedule from what [`Schedule::changes`] and [`Schedule::unrecorded_until`] return.
    pub(crate) fn from_changes(
        changes: Vec<ScheduleChange>,
        unrecorded_until: Option<Timestamp>,
    ) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("", "must be stretches in their order");
        let mut earlier = Vec::with_capacity(changes.len());
        for change in changes {
            earlier.push(Stretch {
                rule: change.reset.map(ResetRule::new).transpose()?,
                from: change.from,
                resets_after: change.resets_after,
            });
        }
        let in_order = earlier.is_sorted_by(|one, next| one.from < next.from);
        let configured = earlier.pop().filter(|_| in_order).ok_or_else(invalid)?;
        let mut schedule = Self::of(earlier, configured);
        schedule.unrecorded_until = unrecorded_until;
        Ok(schedule)
    }
}
