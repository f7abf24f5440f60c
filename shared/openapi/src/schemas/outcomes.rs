//! Submissions and what they did.

use serde::Deserialize;
use utoipa::ToSchema;

use super::entries::PageV2;
use crate::schemas::administration::Problem;
use leaderboard_api::schema::{Int64, Metadata, Schemas, Values};
use leaderboard_api::wire::submission::OperatorWord;

pub(super) fn add(all: &mut Schemas) {
    all.add::<Scores>();
    all.add::<ScoresToSeveral>();
    all.add::<Outcome>();
    all.add::<OutcomeV2>();
    all.add::<Outcomes>();
    all.add::<OutcomesV2>();
    all.add::<BatchResults>();
    all.add::<BatchResultsV2>();
    all.add::<DeadLetters>();
    all.add::<DeadLettersV2>();
}

/// One submission. It has a `score` or `values`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Whose it is; at most 128 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 128)]
    pub player: String,
    /// The value of the only column.
    #[schema(nullable = false)]
    pub score: Option<Int64>,
    /// Values by the names of their columns.
    #[schema(nullable = false)]
    pub values: Option<Values>,
    /// An object of at most 1 KiB that goes with the attempt.
    #[schema(nullable = false)]
    pub metadata: Option<Metadata>,
    /// When it happened; now unless said.
    #[schema(format = "date-time", nullable = false)]
    pub occurred_at: Option<String>,
    /// Makes it count once within 24 hours.
    #[schema(min_length = 1, max_length = 128, nullable = false)]
    pub id: Option<String>,
    /// Another one than the leaderboard's: a server's where the leaderboard allows that; a server may always `set`, which is
    /// recorded in the audit log where the leaderboard does not allow it; a player's own token never.
    #[schema(value_type = Option<OperatorWord>, nullable = false)]
    pub operator: Option<String>,
}

/// One submission to several leaderboards. It has a `score` or `values`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionToSeveral {
    /// Applied to all of them or to none.
    #[schema(min_items = 1, max_items = 16)]
    pub leaderboards: Vec<String>,
    /// Whose it is; at most 128 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 128)]
    pub player: String,
    /// The value of the only column.
    #[schema(nullable = false)]
    pub score: Option<Int64>,
    /// Values by the names of their columns.
    #[schema(nullable = false)]
    pub values: Option<Values>,
    /// An object of at most 1 KiB that goes with the attempt.
    #[schema(nullable = false)]
    pub metadata: Option<Metadata>,
    /// When it happened; now unless said.
    #[schema(format = "date-time", nullable = false)]
    pub occurred_at: Option<String>,
    /// Makes it count once within 24 hours.
    #[schema(min_length = 1, max_length = 128, nullable = false)]
    pub id: Option<String>,
    /// Where the leaderboards allow another one than their own.
    #[schema(value_type = Option<OperatorWord>, nullable = false)]
    pub operator: Option<String>,
}

/// One submission, or a batch of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Scores {
    /// One.
    One(Box<Submission>),
    /// Many.
    Batch(Batch),
}

/// A batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// In the order in which they are applied.
    #[schema(min_items = 1, max_items = 1000)]
    pub scores: Vec<Submission>,
}

/// One submission to several leaderboards, or a batch of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ScoresToSeveral {
    /// One.
    One(Box<SubmissionToSeveral>),
    /// Many.
    Batch(BatchToSeveral),
}

/// A batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchToSeveral {
    /// In the order in which they are applied.
    #[schema(min_items = 1, max_items = 1000)]
    pub scores: Vec<SubmissionToSeveral>,
}

/// What a submission did to the entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Made it.
    Created,
    /// Made it better.
    Improved,
    /// Changed it.
    Changed,
    /// Nothing.
    Kept,
}

/// The entry before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its values.
    pub values: Values,
    /// Its rank.
    #[schema(required)]
    pub rank: Option<u64>,
}

/// A player.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlayerIdV2 {
    /// The player's id.
    pub id: String,
}

/// A submission of a batch that was refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The status it would have had alone.
    pub status_code: u16,
    /// Why.
    pub problem: Problem,
}

/// What submissions did, in the shape of a version, which is that of the player.
macro_rules! outcomes_with {
    ($player:ty: $outcome:ident, $outcomes:ident, $several:ident, $result:ident, $results:ident) => {
        /// What a submission did on a leaderboard. Without values and ranks where `Prefer: return=minimal` was sent.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $outcome {
            /// In a batch.
            #[schema(nullable = false)]
            pub status_code: Option<u16>,
            /// The leaderboard.
            pub leaderboard: String,
            /// The period it fell into.
            pub period: String,
            /// The player.
            pub player: $player,
            /// What it did.
            pub status: Status,
            /// The values of the entry now.
            #[schema(nullable = false)]
            pub values: Option<Values>,
            /// The rank now.
            pub rank: Option<u64>,
            /// The entry before.
            pub previous: Option<Previous>,
            /// At which version this is true.
            pub version: Int64,
            /// Whether it had been applied before, by its id.
            pub replayed: bool,
        }

        /// What a submission did on each leaderboard.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $outcomes {
            /// In the order of its leaderboards.
            pub results: Vec<$outcome>,
        }

        /// A submission of a batch that was applied to several leaderboards.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $several {
            /// 200.
            pub status_code: u16,
            /// In the order of its leaderboards.
            pub results: Vec<$outcome>,
        }

        /// What became of a submission of a batch.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(untagged)]
        pub enum $result {
            /// It was applied to the leaderboard of the path.
            One(Box<$outcome>),
            /// It was applied to those it names.
            Several($several),
            /// It was refused.
            Refused(Box<Refused>),
        }

        /// What became of a batch.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $results {
            /// In the order of the submissions.
            pub results: Vec<$result>,
        }
    };
}

outcomes_with!(String: Outcome, Outcomes, Several, BatchResult, BatchResults);
outcomes_with!(PlayerIdV2: OutcomeV2, OutcomesV2, SeveralV2, BatchResultV2, BatchResultsV2);

/// A published message that could not be applied.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// Names it.
    pub id: String,
    /// Whose message it is; `null` for one that names no tenant.
    #[schema(required)]
    pub tenant: Option<String>,
    /// When it was given up.
    pub at: String,
    /// Why it was not applied.
    pub reason: String,
    /// What it was: a message with one submission, or what came instead of a message.
    pub payload: String,
    /// Whether that is all of it: what is longer than 16 KiB is cut.
    pub complete: bool,
}

/// Published messages that could not be applied, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetters {
    /// Newest first.
    pub letters: Vec<DeadLetter>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// Published messages that could not be applied, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLettersV2 {
    /// Newest first.
    pub data: Vec<DeadLetter>,
    /// All there is to show.
    pub page: PageV2,
}
