//! The rules for entries: how a submission changes an entry.

use crate::access::Caller;
use crate::{
    Entry, Leaderboard, Metadata, Operator, PreparedSubmission, RefusalReason, Status, Submission, Target,
    Timestamp, Values,
};

/// The result of a submission for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The entry after the submission; its attempts include the submission.
    pub entry: Entry,
    /// What happened to the entry.
    pub status: Status,
}

/// The change that a submission makes to an entry of one leaderboard.
#[derive(Debug, Clone, Copy)]
pub struct EntryChange<'a> {
    /// How the values are combined with the values of the entry.
    pub operator: Operator,
    /// The submitted values, in the columns' order.
    pub values: &'a Values,
    /// The metadata to store with the score.
    pub metadata: Option<&'a Metadata>,
    /// When the score happened.
    pub occurred_at: Timestamp,
}

impl<'a> EntryChange<'a> {
    /// Returns the change that `submission` makes on the leaderboard of `target`.
    #[must_use]
    pub fn from_submission(submission: &'a PreparedSubmission, target: &'a Target) -> Self {
        Self {
            operator: target.operator,
            values: &target.values,
            metadata: submission.metadata.as_ref(),
            occurred_at: submission.occurred_at,
        }
    }
}

/// Decides a submission for an existing entry (or none), in a period with `entries` entries. The function is pure.
///
/// A store that has a prepared submission calls [`Decision::from_change`], the second half of this function.
///
/// # Errors
/// The reason why the leaderboard refuses the submission.
pub fn decide(
    existing: Option<&Entry>,
    entries: u64,
    submission: &Submission,
    leaderboard: &Leaderboard,
    now: Timestamp,
) -> Result<Decision, RefusalReason> {
    let (_, operator, values) = submission.check_for(&Caller::Server, leaderboard, now)?;
    let change = EntryChange {
        operator,
        values: &values,
        metadata: submission.metadata.as_ref(),
        occurred_at: submission.occurred_at.unwrap_or(now),
    };
    Decision::from_change(existing, entries, &submission.player, change, leaderboard)
}

impl Decision {
    /// Applies `change` to the existing entry. `entries` is the number of the period's entries; entries of banned players count.
    ///
    /// # Errors
    /// The reason for the refusal. The checks come in this order: attempts, number of entries, overflow, bounds, size of the
    /// change.
    pub fn from_change(
        existing: Option<&Entry>,
        entries: u64,
        player: &crate::PlayerId,
        change: EntryChange<'_>,
        leaderboard: &Leaderboard,
    ) -> Result<Self, RefusalReason> {
        let limits = &leaderboard.limits;
        let used = existing.map_or(0, |entry| entry.attempts);
        if let Some(max_attempts) = limits.max_attempts.filter(|max| used >= *max) {
            return Err(RefusalReason::AttemptsExhausted { max_attempts });
        }
        if let Some(max_entries) = limits
            .max_entries
            .filter(|max| existing.is_none() && entries >= *max)
        {
            return Err(RefusalReason::Full { max_entries });
        }
        let result = apply_operator(existing, change)?;
        check_bounds(existing, &result, change.operator, leaderboard)?;
        let attempts = used.saturating_add(1);
        let Some(before) = existing else {
            let entry = Entry {
                player: player.clone(),
                values: result,
                reached_at: change.occurred_at,
                metadata: change.metadata.cloned(),
                attempts,
            };
            return Ok(Self {
                entry,
                status: Status::Created,
            });
        };
        Ok(Self::change_entry(before, result, attempts, change, leaderboard))
    }

    /// Applies a change to an existing entry.
    fn change_entry(
        before: &Entry,
        result: Values,
        attempts: u32,
        change: EntryChange<'_>,
        leaderboard: &Leaderboard,
    ) -> Self {
        let better = result.is_better_than(&before.values, &leaderboard.columns);
        let kept = Entry {
            attempts,
            ..before.clone()
        };
        let same_values = result == before.values;
        if change.operator == Operator::Best && !better {
            return if same_values && change.occurred_at < before.reached_at {
                // The player reached the tuple earlier than recorded. The earlier time counts, so that ties do not depend on the
                // order of arrival. The metadata stays, as for every `best` that does not improve the tuple.
                Self {
                    entry: Entry {
                        reached_at: change.occurred_at,
                        ..kept
                    },
                    status: Status::Changed,
                }
            } else {
                Self {
                    entry: kept,
                    status: Status::Kept,
                }
            };
        }
        let adds = matches!(change.operator, Operator::Increment | Operator::Decrement);
        let metadata = match change.metadata {
            None if adds => before.metadata.clone(),
            given => given.cloned(),
        };
        if same_values && metadata == before.metadata {
            return Self {
                entry: kept,
                status: Status::Kept,
            };
        }
        // A change of metadata alone keeps the time, so it moves nobody within a tie.
        let reached_at = match () {
            () if same_values => before.reached_at,
            () if adds => before.reached_at.max(change.occurred_at),
            () => change.occurred_at,
        };
        let status = if better { Status::Improved } else { Status::Changed };
        Self {
            entry: Entry {
                values: result,
                reached_at,
                metadata,
                ..kept
            },
            status,
        }
    }
}

/// Returns the tuple that the operator computes. For `best`, this is the submitted tuple, even if the existing tuple is better.
fn apply_operator(existing: Option<&Entry>, change: EntryChange<'_>) -> Result<Values, RefusalReason> {
    let base = existing.map_or(0, |entry| entry.values.first());
    let by = change.values.first();
    let first = match change.operator {
        Operator::Best | Operator::Set => return Ok(change.values.clone()),
        Operator::Increment => base.checked_add(by),
        Operator::Decrement => base.checked_sub(by),
    };
    first
        .map(|first| change.values.with_first(first))
        .ok_or(RefusalReason::Overflow)
}

fn check_bounds(
    existing: Option<&Entry>,
    result: &Values,
    operator: Operator,
    leaderboard: &Leaderboard,
) -> Result<(), RefusalReason> {
    let limits = &leaderboard.limits;
    let value = result.first();
    if let Some(min) = limits.min.filter(|min| value < *min) {
        return Err(RefusalReason::BelowMin { min });
    }
    if let Some(max) = limits.max.filter(|max| value > *max) {
        return Err(RefusalReason::AboveMax { max });
    }
    let adds = matches!(operator, Operator::Increment | Operator::Decrement);
    let before = existing.map(|entry| entry.values.first()).or(adds.then_some(0));
    // A `best` that does not win changes nothing, so its distance is irrelevant.
    let wins = existing.is_none_or(|entry| {
        operator != Operator::Best || result.is_better_than(&entry.values, &leaderboard.columns)
    });
    match (limits.max_change, before) {
        (Some(max_change), Some(before)) if wins && value.abs_diff(before) > max_change => {
            Err(RefusalReason::ChangeTooLarge { max_change })
        }
        _ => Ok(()),
    }
}
