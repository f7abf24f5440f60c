//! The outcome of a fetch, which a leader gives to its followers.

use leaderboard_api::Problem;
use leaderboard_core::access::Caller;

/// The problem that a fetch returned instead of an entry, as a reader without special rights sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedRefusal {
    /// The problem.
    pub problem: Problem,
    /// Whether a caller without a credential may see `problem`.
    pub public: bool,
}

impl CachedRefusal {
    /// Returns the problem that a caller may see.
    pub fn problem_for(&self, caller: &Caller) -> Problem {
        if self.public || *caller != Caller::Anonymous {
            self.problem.clone()
        } else {
            Problem::unreadable(caller)
        }
    }
}

/// How a leader's fetch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The leader's entry is in the memory tier.
    Stored,
    /// The store refused the read.
    Refused(CachedRefusal),
    /// The leader's entry may not be stored, so each follower asks the store itself.
    NotCacheable,
}

#[cfg(test)]
mod tests {
    use leaderboard_api::ProblemType;

    use super::*;

    #[test]
    fn a_caller_without_a_credential_does_not_learn_why_a_private_leaderboard_refuses() {
        let refusal = |public| CachedRefusal {
            problem: Problem::new(ProblemType::EntryNotFound),
            public,
        };
        for (public, caller, expected) in [
            (true, Caller::Anonymous, ProblemType::EntryNotFound),
            (false, Caller::Anonymous, ProblemType::LeaderboardNotFound),
            (false, Caller::Reader, ProblemType::EntryNotFound),
        ] {
            assert_eq!(refusal(public).problem_for(&caller).kind, expected);
        }
    }
}
