//! The problems of configurations that are not stored.

use leaderboard_core::ports::{MAX_REBUILD_ENTRIES, PutRefusal};
use leaderboard_core::{MAX_SCHEDULE_CHANGES, PeriodId};

use crate::preconditions::Preconditions;
use crate::problem::{FieldError, Problem, ProblemType};

impl Problem {
    /// Returns the problem of a configuration that was not stored. The pointers in the problem refer to a leaderboard's document.
    /// `preconditions` are the preconditions of the request.
    #[must_use]
    pub fn of_put(refusal: &PutRefusal, preconditions: &Preconditions) -> Self {
        match refusal {
            PutRefusal::VersionMismatch { current } => preconditions.overtaken(*current),
            PutRefusal::UnknownPeriod => Self::new(ProblemType::PeriodNotFound),
            PutRefusal::HasEntries => {
                let detail = "the current period has entries; ask for ?rebuild=true to reorder them";
                Self::new(ProblemType::RebuildNeeded)
                    .with_error(FieldError::body("#/columns", detail))
                    .with_error(FieldError::body("#/ties", detail))
            }
            PutRefusal::TooManyScheduleChanges => {
                let detail = format!(
                    "changed {MAX_SCHEDULE_CHANGES} times within the periods that are kept; keep fewer of them, or wait until some expire"
                );
                Self::new(ProblemType::Validation).with_error(FieldError::body("#/reset", detail))
            }
            PutRefusal::TooManyLeaderboards => Self::new(ProblemType::QuotaReached)
                .with_detail("The tenant has as many leaderboards as it may have."),
            PutRefusal::ImportUnderWay => Self::new(ProblemType::ImportUnderWay).with_detail(
                "A leaderboard with this id is being imported. Finish or delete that import first.",
            ),
            PutRefusal::Unfinished => Self::new(ProblemType::Rebuilding)
                .with_detail("The change is not complete yet; send the same request again to continue."),
            PutRefusal::TooManyEntries => Self::new(ProblemType::RebuildTooLarge).with_detail(format!(
                "The current period has more than {MAX_REBUILD_ENTRIES} entries."
            )),
            PutRefusal::EarlyEntries { period } => {
                let detail = format!(
                    "{} has entries; ask for ?rebuild=true to reorder them",
                    early(period)
                );
                Self::new(ProblemType::RebuildNeeded)
                    .with_error(FieldError::body("#/columns", detail.as_str()))
                    .with_error(FieldError::body("#/ties", detail))
            }
            PutRefusal::TooManyEarlyEntries { period } => Self::new(ProblemType::RebuildTooLarge)
                .with_detail(format!(
                    "There is too much to reorder: {} has more than {MAX_REBUILD_ENTRIES} entries.",
                    early(period)
                )),
            PutRefusal::EarlyPeriodLost { period } => {
                let detail = format!(
                    "{} would be left out; ask again when that period is the current one",
                    early(period)
                );
                Self::new(ProblemType::Validation).with_error(FieldError::body("#/reset", detail))
            }
            PutRefusal::StoredUnordered { period, why } => {
                let why = Self::of_put(why, preconditions);
                Self::new(why.kind).with_detail(format!(
                    "The leaderboard is stored and has a new version, but {} is not in its order. {}",
                    early(period),
                    why.one_line()
                ))
            }
        }
    }
}

/// Returns the text about a period that has begun early.
fn early(period: &PeriodId) -> String {
    format!("the period {period}, which a clock that is ahead has begun,")
}
