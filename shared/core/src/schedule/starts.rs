//! A cache of the starts of periods.

use std::collections::VecDeque;

use crate::Timestamp;

/// The most cached starts, of 8 bytes each: twice the number of kept periods before the current one, and as many after it.
const MAX_STARTS: usize = 4 * crate::MAX_KEEP_PERIODS as usize;

/// Consecutive starts of periods, without gaps.
///
/// The expiry of a period is a start far in the future. The scores of a batch are in periods close to each other, so their
/// expiries share most of the starts in between.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(VecDeque<Timestamp>);

impl Starts {
    /// Returns the start that is `steps` starts after the start `start`. `next` computes the next start.
    pub(super) fn after(
        &mut self,
        start: Timestamp,
        steps: usize,
        next: impl Fn(Timestamp) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        if self.0.binary_search(&start).is_err() {
            self.join(start, steps, &next);
        }
        let at = self.0.binary_search(&start).ok()?;
        while self.0.len() <= at.saturating_add(steps) {
            let last = *self.0.back()?;
            self.0.push_back(next(last)?);
        }
        let found = self.0.get(at.saturating_add(steps)).copied();
        let surplus = self.0.len().saturating_sub(MAX_STARTS);
        self.0.drain(..surplus);
        found
    }

    /// Adds `start` to the cache. If at most `steps` starts are missing between `start` and the first cached start, adds them
    /// too; otherwise clears the cache first.
    fn join(&mut self, start: Timestamp, steps: usize, next: impl Fn(Timestamp) -> Option<Timestamp>) {
        let mut walked = VecDeque::from([start]);
        let first_known = self.0.front().copied();
        while let Some(last) = walked.back().copied()
            && walked.len() <= steps
            && first_known.is_some_and(|first| last < first)
            && let Some(following) = next(last)
        {
            walked.push_back(following);
        }
        if first_known.is_some() && walked.back().copied() == first_known {
            walked.pop_back();
            walked.append(&mut self.0);
        }
        self.0 = walked;
    }
}
