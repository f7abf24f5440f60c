//! Makes problems of typed causes: one exhaustive match for each kind of cause.

use http::header::WWW_AUTHENTICATE;
use leaderboard_core::access::Caller;
use leaderboard_core::usecase::{HistoryBounds, MAX_REPLAYED_EVENTS, QueryError};
use leaderboard_core::{Refusal, RefusalReason, StoreError};
use leaderboard_identity::token::TokenProblem;

use super::{FieldError, Problem, ProblemType};

/// The place of a submission in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPlace {
    /// The pointer of the submission in the body: `#`, or `#/scores/3`.
    pub item: String,
    /// The field that has its numbers: `score` or `values`.
    pub numbers: &'static str,
    /// Whether the submission's id comes from the request's idempotency key.
    pub keyed: bool,
}

impl ItemPlace {
    fn id_error(&self, detail: &str) -> FieldError {
        if self.keyed {
            FieldError::header("Idempotency-Key", detail)
        } else {
            FieldError::body(format!("{}/id", self.item), detail)
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Unavailable(_) | StoreError::TenantUnavailable(_) | StoreError::OutOfMemory(_) => {
                ProblemType::Unavailable
            }
            StoreError::Corrupt(_) | StoreError::Rejected(_) => ProblemType::Internal,
        };
        let problem = Self::new(kind).with_cause(error.to_string());
        match error {
            StoreError::Unavailable(_) => problem.with_outage(),
            _ => problem,
        }
    }
}

impl Problem {
    /// Returns the problem of a read that failed.
    #[must_use]
    pub fn of_query(error: QueryError, caller: &Caller) -> Self {
        match error {
            QueryError::UnknownLeaderboard => Self::new(ProblemType::LeaderboardNotFound),
            QueryError::UnknownPeriod => Self::new(ProblemType::PeriodNotFound),
            QueryError::UnknownEntry => Self::new(ProblemType::EntryNotFound),
            QueryError::Forbidden => Self::unreadable(caller),
            QueryError::Invalid(invalid) => {
                let kind = if invalid.pointer == "cursor" {
                    ProblemType::InvalidCursor
                } else {
                    ProblemType::InvalidParameter
                };
                Self::new(kind).with_error(FieldError::parameter(invalid.pointer, invalid.detail))
            }
            QueryError::StaleCursor => Self::new(ProblemType::StaleCursor).with_error(FieldError::parameter(
                "cursor",
                "belongs to an order that is gone",
            )),
            QueryError::NotEnded { final_from } => {
                Self::new(ProblemType::PeriodNotEnded).with_detail(match final_from {
                    Some(instant) => {
                        format!("The standings of the period are final from {instant}, soon after its end.")
                    }
                    None => "The period never ends. Set the leaderboard's reset or ends_at.".to_owned(),
                })
            }
            QueryError::NoPrize => Self::new(ProblemType::PrizeNotFound),
            QueryError::ClaimExpired { expired_at } => Self::new(ProblemType::ClaimExpired)
                .with_detail(format!("The prize could be claimed until {expired_at}.")),
            QueryError::NoHistory(bounds) => Self::no_history(bounds),
            QueryError::HistoryNotReady => Self::new(ProblemType::HistoryNotReady).with_detail(format!(
                "The instant is more than {MAX_REPLAYED_EVENTS} events after the last snapshot of the leaderboard. \
                 This request has brought a snapshot nearer."
            )),
            QueryError::UnknownEvent { position } => Self::new(ProblemType::HistoryUnreadable).with_detail(
                format!("This version of the service does not know the format of event {position}."),
            ),
            QueryError::Replica(_) => {
                StoreError::Unavailable("the replica does not answer".to_owned()).into()
            }
            QueryError::Store(error) => error.into(),
        }
    }

    /// Returns the problem of an instant at which the history of a leaderboard is not available.
    fn no_history(bounds: HistoryBounds) -> Self {
        let detail = match (bounds.from, bounds.until) {
            (Some(from), _) => {
                format!("must not be before the history of the leaderboard, which begins at {from}")
            }
            (None, Some(until)) => format!(
                "must be before {until}: one request replays at most {MAX_REPLAYED_EVENTS} events, the log has more until \
                 then, and there is no room for a snapshot"
            ),
            (None, None) => {
                "cannot be answered, because the history has neither the first event of the log nor a snapshot to begin with"
                    .to_owned()
            }
        };
        Self::new(ProblemType::HistoryNotKept).with_error(FieldError::parameter("at", detail))
    }

    /// Returns a 401 problem that says what is wrong with a token (RFC 6750, section 3.1).
    #[must_use]
    pub fn of_token(problem: &TokenProblem) -> Self {
        let challenge =
            format!(r#"Bearer realm="edgeboard", error="invalid_token", error_description="{problem}""#);
        Self::new(ProblemType::Unauthenticated)
            .with_detail(format!("The credential was refused: {problem}."))
            .with_header(WWW_AUTHENTICATE, &challenge)
    }

    /// Returns the problem of a caller who may not read a leaderboard. A caller without a credential gets the same problem as for a
    /// leaderboard that does not exist, so that requests do not reveal the ids of private leaderboards.
    #[must_use]
    pub fn unreadable(caller: &Caller) -> Self {
        match caller {
            Caller::Anonymous => Self::of_query(QueryError::UnknownLeaderboard, caller),
            Caller::Player(_) | Caller::Server | Caller::Admin | Caller::Message | Caller::Reader => {
                Self::not_allowed(caller)
            }
        }
    }

    /// Returns a 401 problem for a caller without a credential, and a 403 problem for other callers.
    #[must_use]
    pub fn not_allowed(caller: &Caller) -> Self {
        Self::new(match caller {
            Caller::Anonymous => ProblemType::Unauthenticated,
            Caller::Player(_) | Caller::Server | Caller::Admin | Caller::Message | Caller::Reader => {
                ProblemType::Forbidden
            }
        })
    }

    /// Returns why a leaderboard refused a submission, in one line for a dead letter. The line does not depend on the clock, so it is the
    /// same in every region and at every try, and the stores keep the letter once.
    #[must_use]
    pub fn lasting_reason(refusal: &Refusal, place: &ItemPlace) -> String {
        let problem = match refusal.reason {
            RefusalReason::InTheFuture { .. } => {
                Self::not_accepted(refusal, place, "occurred_at", "was in the future".to_owned())
            }
            _ => Self::of_refusal(refusal, place),
        };
        problem.one_line()
    }

    /// Returns the problem of a submission with a field that its leaderboard does not accept.
    fn not_accepted(refusal: &Refusal, place: &ItemPlace, field: &str, detail: String) -> Self {
        Self::new(ProblemType::Validation)
            .with_detail(format!(
                "The leaderboard {} did not accept the score.",
                refusal.leaderboard
            ))
            .with_error(FieldError::body(format!("{}/{field}", place.item), detail))
    }

    /// Returns the problem of a submission that a leaderboard refused.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one table, a row for each reason")]
    pub fn of_refusal(refusal: &Refusal, place: &ItemPlace) -> Self {
        use ProblemType as P;
        use RefusalReason as R;
        let numbers = place.numbers;
        let at = |field: &str, detail: String| Self::not_accepted(refusal, place, field, detail);
        let state = |kind: P, detail: String| {
            Self::new(kind).with_detail(format!("The leaderboard {} {detail}.", refusal.leaderboard))
        };
        match &refusal.reason {
            R::UnknownLeaderboard => state(P::LeaderboardNotFound, "does not exist".into()),
            R::BelowMin { min } => at(numbers, format!("below the leaderboard's min of {min}")),
            R::AboveMax { max } => at(numbers, format!("above the leaderboard's max of {max}")),
            R::ChangeTooLarge { max_change } => {
                at(numbers, format!("changes the entry by more than {max_change}"))
            }
            R::Overflow => at(numbers, "leaves the range of a signed 64-bit integer".into()),
            R::AttemptsExhausted { max_attempts } => state(
                P::AttemptsExhausted,
                format!("accepts {max_attempts} submissions of a player in a period"),
            ),
            R::TenantFull { max_entries } => {
                Self::new(P::QuotaReached).with_detail(format!("The tenant may hold {max_entries} entries."))
            }
            R::LogFull { max_log_bytes } => Self::new(P::QuotaReached).with_detail(format!(
                "The tenant's submission ids of the last 24 to 48 hours have no more room in its log_bytes quota of \
                 {max_log_bytes}. Scores without an id are accepted."
            )),
            R::Full { max_entries } => state(
                P::LeaderboardFull,
                format!("has {max_entries} entries, and takes no more"),
            ),
            R::NotStarted { starts_at } => state(P::NotStarted, format!("starts at {starts_at}")),
            R::Ended { ends_at } => state(P::Ended, format!("ended at {ends_at}")),
            R::PeriodExpired => state(
                P::PeriodExpired,
                "no longer keeps the period of this score".into(),
            ),
            R::PeriodReordered => state(
                P::PeriodReordered,
                "was ordered in another way in the period of this score".into(),
            ),
            R::StandingsFinal => state(
                P::StandingsFinal,
                "refuses late scores, or the period has prizes, and the standings of the period of this score are final"
                    .into(),
            ),
            R::Rebuilding => state(
                P::Rebuilding,
                "is being put into another order, and takes scores again when that is done".into(),
            ),
            R::IdConflict { .. } => state(P::IdConflict, "knows this id with other content".into())
                .with_error(place.id_error("was used within 24 hours with other content")),
            R::Forbidden => state(
                P::Forbidden,
                "takes scores from servers, and from players for themselves alone where its access.write is player".into(),
            ),
            R::TimeNotAllowed => at("occurred_at", "only a server's key may set it".into()),
            R::OverrideNotAllowed => at(
                "operator",
                "only a server's key may override the leaderboard's".into(),
            ),
            R::InTheFuture { now } => at(
                "occurred_at",
                format!("is in the future; it is {now} here"),
            ),
            R::OperatorNotAllowed => at(
                "operator",
                "the leaderboard takes no operator from a submission".into(),
            ),
            R::ColumnsMismatch { detail } => at(numbers, detail.clone()),
            // The use case tries again with the current configuration, so this reason never arrives here.
            R::StaleConfiguration => {
                Self::new(P::Unavailable).with_cause("a stale configuration was handed on")
            }
        }
    }
}
