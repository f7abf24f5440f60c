//! Starts of periods, remembered.

use std::collections::VecDeque;

use crate::Timestamp;

/// The most starts remembered, 8 bytes each: the periods that are kept and as many after them, twice over.
const MAX_STARTS: usize = 4 * crate::MAX_KEEP_PERIODS as usize;

/// Consecutive starts of periods: none is missing between the first and the last.
///
/// When a period expires depends on a start far ahead. Scores of one batch fall into periods near each other,
/// so nearly all of the way is the same for all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Starts(VecDeque<Timestamp>);

impl Starts {
    /// The start `steps` places after `start`, which is one itself; `next` computes the one after another.
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

    /// Makes `start` one of the starts: by going from it to those known if `steps` places are enough for that,
    /// else by beginning anew.
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
