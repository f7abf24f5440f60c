//! Whether the caller may use a route at all. What a leaderboard lets them do is the use case's to decide.

use leaderboard_core::access::Scopes;

use crate::identity::{Credential, Identity};
use crate::problem::Problem;
use crate::route::Need;

/// 401 for a caller without a credential, 403 for one whose credential does not allow this.
pub(super) fn authorise(identity: &Identity, need: Need) -> Result<(), Problem> {
    let anonymous = identity.credential == Credential::None;
    let allowed = match need {
        Need::Open | Need::MetricsKey => true,
        Need::Read => anonymous || identity.scopes.contains(Scopes::READ),
        Need::Identified => identity.scopes.contains(Scopes::READ),
        Need::Write => identity.scopes.contains(Scopes::WRITE),
        // A player's own token never configures anything, whatever it claims.
        Need::Admin => identity.scopes.contains(Scopes::ADMIN) && identity.player.is_none(),
        Need::Operator => identity.credential == Credential::Operator,
    };
    if allowed {
        Ok(())
    } else {
        Err(Problem::not_allowed(&identity.caller()))
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::{PlayerId, TenantId};

    use super::*;
    use crate::problem::ProblemType;

    fn of(identity: &Identity) -> [Result<(), ProblemType>; 6] {
        use Need::{Admin, Identified, Open, Operator, Read, Write};
        [Open, Read, Identified, Write, Admin, Operator]
            .map(|need| authorise(identity, need).map_err(|problem| problem.kind))
    }

    fn key(scopes: Scopes, player: Option<&str>) -> Identity {
        Identity {
            credential: Credential::Key("k".into()),
            tenant: TenantId::new("acme").ok(),
            scopes,
            player: player.map(|id| PlayerId::new(id).unwrap()),
        }
    }

    #[test]
    fn scopes_decide() {
        let (yes, no, who) = (
            Ok(()),
            Err(ProblemType::Forbidden),
            Err(ProblemType::Unauthenticated),
        );
        assert_eq!(of(&Identity::anonymous()), [yes, yes, who, who, who, who]);
        assert_eq!(of(&Identity::operator()), [yes; 6]);
        assert_eq!(of(&key(Scopes::READ, None)), [yes, yes, yes, no, no, no]);
        assert_eq!(of(&key(Scopes::WRITE, None)), [yes, no, no, yes, no, no]);
        assert_eq!(of(&key(Scopes::ADMIN, None)), [yes, yes, yes, yes, yes, no]);
        assert_eq!(of(&key(Scopes::ADMIN, Some("p"))), [yes, yes, yes, yes, no, no]);
    }
}
