//! Submissions: [`Submission`] is what a client sends, and [`PreparedSubmission`] has the configurations of its leaderboards
//! applied.

use std::borrow::Cow;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::access::Caller;
use crate::{
    Columns, IdScope, Leaderboard, LeaderboardId, Metadata, Operator, Period, PlayerId, Refusal,
    RefusalReason, SubmissionId, Timestamp, Values, Versioned,
};

/// How far in the future the time of a score may be, in milliseconds. Clocks differ, so a small difference is accepted; a larger
/// one could be an invented time that wins every tie.
pub const MAX_CLOCK_SKEW_MS: i64 = 60_000;

/// The submitted values before they are matched with the columns of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmittedValues {
    /// One value (`score`), for leaderboards with one column of any name.
    Score(i64),
    /// Values by column name (`values`).
    Named(Vec<(String, i64)>),
}

impl SubmittedValues {
    /// Returns the values in the order of `columns`. Each column must be named exactly once, and no other column may be named.
    ///
    /// # Errors
    /// A message that names the missing or unknown column.
    pub fn for_columns(&self, columns: &Columns) -> Result<Values, String> {
        let named = match self {
            Self::Score(score) if columns.count() == 1 => return Ok(Values::new(vec![*score])),
            Self::Score(_) => {
                let names: Vec<&str> = columns.iter().map(crate::Column::name).collect();
                return Err(format!(
                    "the leaderboard has several columns; send values for {}",
                    names.join(", ")
                ));
            }
            Self::Named(named) => named,
        };
        if let Some((unknown, _)) = named
            .iter()
            .find(|(name, _)| columns.iter().all(|c| c.name() != name))
        {
            return Err(format!("the leaderboard has no column {unknown:?}"));
        }
        let mut values = Vec::with_capacity(columns.count());
        for column in columns.iter() {
            let found = named.iter().find(|(name, _)| name == column.name());
            values.push(
                found
                    .ok_or_else(|| format!("column {:?} is missing", column.name()))?
                    .1,
            );
        }
        Ok(Values::new(values))
    }
}

/// One submission to one or more leaderboards of one tenant. It is applied to all of them or to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The leaderboards; at least one, all different.
    pub leaderboards: Vec<LeaderboardId>,
    /// The player of the score.
    pub player: PlayerId,
    /// The submitted values.
    pub values: SubmittedValues,
    /// The operator to use instead of the leaderboard's operator.
    pub operator: Option<Operator>,
    /// The metadata to store with the score.
    pub metadata: Option<Metadata>,
    /// When the score happened; `None` means now.
    pub occurred_at: Option<Timestamp>,
    /// The id of the submission. Submissions with the same id count once within 24 hours on each leaderboard.
    pub id: Option<SubmissionId>,
    /// A digest of the whole request, if the id was derived from the request's idempotency key, which is for the whole request.
    pub request: Option<Fingerprint>,
    /// When the submission was received, if that was earlier than now (a queued or replayed submission). A score without
    /// `occurred_at` happened at this instant.
    pub received_at: Option<Timestamp>,
}

/// The hash of a submission's content: the first 128 bits of its SHA-256.
pub type Fingerprint = [u8; 16];

impl Submission {
    /// Returns the hash of everything that the client sent, except the id and the leaderboards. If a client uses the same id with
    /// another fingerprint, that is the client's mistake.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.player.as_bytes());
        match &self.values {
            SubmittedValues::Score(score) => part(&score.to_be_bytes()),
            SubmittedValues::Named(named) => {
                let mut sorted: Vec<_> = named.iter().collect();
                sorted.sort();
                for (name, value) in sorted {
                    part(name.as_bytes());
                    part(&value.to_be_bytes());
                }
            }
        }
        part(
            self.metadata
                .as_ref()
                .map_or("", Metadata::as_json_text)
                .as_bytes(),
        );
        part(&self.operator.map_or(u8::MAX, Operator::code).to_be_bytes());
        part(
            &self
                .occurred_at
                .map_or(i64::MIN, Timestamp::as_unix_ms)
                .to_be_bytes(),
        );
        part(&self.request.unwrap_or_default());
        let digest: [u8; 32] = hash.finalize().into();
        let mut fingerprint = Fingerprint::default();
        for (to, from) in fingerprint.iter_mut().zip(digest) {
            *to = from;
        }
        fingerprint
    }

    /// Applies the configurations of the leaderboards, in the order of [`Submission::leaderboards`], to a server's submission.
    ///
    /// # Errors
    /// The first leaderboard's [`Refusal`].
    pub fn resolve(
        &self,
        boards: &[Rc<Versioned<Leaderboard>>],
        now: Timestamp,
    ) -> Result<PreparedSubmission, Refusal> {
        self.resolve_for(&Caller::Server, boards, now)
    }

    /// Does the same as [`Submission::resolve`] for any caller. `caller` decides which operators are allowed, and the scope of
    /// the id.
    ///
    /// # Errors
    /// As for [`Submission::resolve`].
    pub fn resolve_for(
        &self,
        caller: &Caller,
        boards: &[Rc<Versioned<Leaderboard>>],
        now: Timestamp,
    ) -> Result<PreparedSubmission, Refusal> {
        let occurred_at = self.occurred_at.unwrap_or(now);
        let targets = boards
            .iter()
            .map(|board| match self.check_for(caller, &board.value, now) {
                Ok((period, operator, values)) => Ok(Target {
                    leaderboard: Rc::clone(board),
                    expires_at: board.value.schedule.expires_at(&period, board.value.keep_periods),
                    period,
                    operator,
                    values,
                    refused: None,
                }),
                Err(reason) if self.id.is_some() => Ok(Target::for_replay(board, reason)),
                Err(reason) => Err(Refusal {
                    leaderboard: board.value.id.clone(),
                    reason,
                }),
            });
        Ok(PreparedSubmission {
            player: self.player.clone(),
            metadata: self.metadata.clone(),
            occurred_at,
            recorded_at: now,
            id: self.id.clone(),
            id_scope: caller.id_scope(),
            fingerprint: self.fingerprint(),
            targets: targets.collect::<Result<_, _>>()?,
        })
    }

    /// Checks whether `board` accepts this submission, regardless of its entries: operator, columns, time window, period.
    pub(crate) fn check_for(
        &self,
        caller: &Caller,
        board: &Leaderboard,
        now: Timestamp,
    ) -> Result<(Period, Operator, Values), RefusalReason> {
        let operator = self.operator.unwrap_or(board.operator);
        caller.check_operator(board, operator)?;
        let values = self
            .values
            .for_columns(&board.columns)
            .map_err(|detail| RefusalReason::ColumnsMismatch { detail })?;
        let occurred_at = self.occurred_at.unwrap_or(now);
        if occurred_at > now.saturating_add_ms(MAX_CLOCK_SKEW_MS) {
            return Err(RefusalReason::InTheFuture { now });
        }
        if let Some(starts_at) = board.starts_at.filter(|start| occurred_at < *start) {
            return Err(RefusalReason::NotStarted { starts_at });
        }
        if let Some(ends_at) = board.ends_at.filter(|end| occurred_at >= *end) {
            return Err(RefusalReason::Ended { ends_at });
        }
        let period = board.schedule.period_at(occurred_at);
        if board.schedule.has_expired(&period, board.keep_periods, now) {
            return Err(RefusalReason::PeriodExpired);
        }
        Ok((period, operator, values))
    }
}

/// The separator between player and id in the name of an idempotency record. Neither part contains control characters.
pub(crate) const PLAYER_SEPARATOR: char = '\u{1f}';

/// A submission with the configurations of its leaderboards applied: everything that a store needs.
#[derive(Debug, Clone)]
pub struct PreparedSubmission {
    /// The player of the score.
    pub player: PlayerId,
    /// The metadata to store with the score.
    pub metadata: Option<Metadata>,
    /// When the score happened. This time decides the period and the order of ties.
    pub occurred_at: Timestamp,
    /// When the submission was received. Its event has this instant.
    pub recorded_at: Timestamp,
    /// The id of the submission. Submissions with the same id count once within 24 hours on each leaderboard.
    pub id: Option<SubmissionId>,
    /// The scope in which the id is unique.
    pub id_scope: IdScope,
    /// The hash of the content.
    pub fingerprint: Fingerprint,
    /// One target for each leaderboard. The submission is applied to all of them or to none.
    pub targets: Vec<Target>,
}

impl PreparedSubmission {
    /// Returns the name of the idempotency record on each leaderboard; `None` without an id. In the scope of the leaderboard, the
    /// name is the id. In the scope of a player, the name is the player, a control character and the id. So names of the two
    /// scopes are always different.
    #[must_use]
    pub fn record_name(&self) -> Option<Cow<'_, str>> {
        let id = self.id.as_ref()?.as_str();
        Some(match self.id_scope {
            IdScope::Leaderboard => Cow::Borrowed(id),
            IdScope::Player => Cow::Owned(format!("{}{PLAYER_SEPARATOR}{id}", self.player)),
        })
    }
}

/// The part of a submission that concerns one leaderboard.
#[derive(Debug, Clone)]
pub struct Target {
    /// The configuration that the caller used. The store refuses the submission if another version is current.
    pub leaderboard: Rc<Versioned<Leaderboard>>,
    /// The period of the score.
    pub period: Period,
    /// When the period expires; `None` if it never expires.
    pub expires_at: Option<Timestamp>,
    /// How the values are combined with the values of the entry.
    pub operator: Operator,
    /// The submitted values, in the columns' order.
    pub values: Values,
    /// Why the leaderboard refuses the submission, if it does. If the submission has an idempotency record, the store returns the
    /// recorded outcome instead: a submission that was accepted once stays accepted, even if the leaderboard has ended or changed
    /// since.
    pub refused: Option<RefusalReason>,
}

impl Target {
    /// Creates the target of a refused submission, which can only be replayed.
    fn for_replay(board: &Rc<Versioned<Leaderboard>>, reason: RefusalReason) -> Self {
        Self {
            period: Period::all_time(),
            expires_at: None,
            operator: board.value.operator,
            values: Values::new(vec![0; board.value.columns.count()]),
            leaderboard: Rc::clone(board),
            refused: Some(reason),
        }
    }
}
