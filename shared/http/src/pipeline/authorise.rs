//! Whether the caller may use a route at all. What a leaderboard lets them do is the use case's to decide.

use leaderboard_core::access::Caller;

use crate::problem::Problem;
use crate::route::Need;

/// 401 for a caller without a credential, 403 for one whose credential does not allow this.
pub(super) fn authorise(caller: &Caller, need: Need) -> Result<(), Problem> {
    let allowed = match (need, caller) {
        (Need::Open | Need::Read, _) | (Need::Write | Need::Admin, Caller::Server) => true,
        (Need::Write, Caller::Player(_)) => true,
        (Need::Admin, Caller::Player(_)) | (Need::Write | Need::Admin, Caller::Anonymous) => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(Problem::not_allowed(caller))
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::PlayerId;

    use super::*;
    use crate::problem::ProblemType;

    #[test]
    fn writing_and_operating_need_a_credential() {
        let player = Caller::Player(PlayerId::new("p").unwrap());
        let of = |caller: &Caller, need| authorise(caller, need).map_err(|problem| problem.kind);
        for need in [Need::Open, Need::Read] {
            assert_eq!(of(&Caller::Anonymous, need), Ok(()));
        }
        for need in [Need::Write, Need::Admin] {
            assert_eq!(of(&Caller::Anonymous, need), Err(ProblemType::Unauthenticated));
            assert_eq!(of(&Caller::Server, need), Ok(()));
        }
        assert_eq!(of(&player, Need::Write), Ok(()));
        assert_eq!(of(&player, Need::Admin), Err(ProblemType::Forbidden));
    }
}
