//! A rule and the time for which it holds.

use super::rule::ResetRule;
use super::{Reset, Schedule};
use crate::{Invalid, Period, PeriodId, Timestamp};

/// A rule from an instant on, until the next stretch begins.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// `None`: no resets.
    pub(super) rule: Option<ResetRule>,
    /// Its first period begins here; `None`: at the beginning of time.
    pub(super) from: Option<Timestamp>,
    /// Its first period has begun already and goes on to the first reset after this instant.
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

    /// Until when the rule's own instants begin no period.
    fn bound(&self) -> Option<Timestamp> {
        self.from.max(self.resets_after)
    }

    /// Where the period that holds `instant` begins.
    pub(super) fn start_at(&self, instant: Timestamp) -> Option<Timestamp> {
        let started = self.rule.as_ref().and_then(|rule| rule.start_at(instant));
        let own = started.filter(|start| self.bound().is_none_or(|bound| bound < *start));
        own.or(self.from)
    }

    /// Where the period that holds `instant` ends; `next` is where the next stretch begins.
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
    /// Its stretches as they are stored, in their order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = ScheduleChange> {
        self.stretches().map(|stretch| ScheduleChange {
            reset: stretch.reset().cloned(),
            from: stretch.from,
            resets_after: stretch.resets_after,
        })
    }

    /// Until when its rules are not recorded.
    pub(crate) fn unrecorded_until(&self) -> Option<Timestamp> {
        self.unrecorded_until
    }

    /// The inverse of [`Schedule::changes`] and [`Schedule::unrecorded_until`].
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
