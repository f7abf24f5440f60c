//! Checks whether the caller may use a route. The use cases check the access rules of leaderboards.

use leaderboard_core::access::Scopes;

use leaderboard_api::{Credential, Identity, Permission, Problem};

/// Checks that the caller has the permission that a route needs.
///
/// # Errors
/// 401 for a caller without a credential; 403 for a credential that does not have the permission.
pub fn authorise(identity: &Identity, permission: Permission) -> Result<(), Problem> {
    let anonymous = identity.credential == Credential::None;
    let allowed = match permission {
        Permission::Open | Permission::MetricsKey => true,
        Permission::Read => anonymous || identity.scopes.contains(Scopes::READ),
        Permission::Identified => identity.scopes.contains(Scopes::READ),
        Permission::Write => identity.scopes.contains(Scopes::WRITE),
        Permission::ServerWrite => identity.scopes.contains(Scopes::WRITE) && identity.player.is_none(),
        // A player's own token cannot administer a tenant, even if it claims the scope.
        Permission::Admin => identity.scopes.contains(Scopes::ADMIN) && identity.player.is_none(),
        Permission::Operator => identity.credential == Credential::Operator,
    };
    if allowed {
        return Ok(());
    }
    let problem = Problem::not_allowed(&identity.caller());
    Err(match missing_permission(permission, identity) {
        Some(missing) if !anonymous => problem.with_detail(format!("This needs {missing}.")),
        _ => problem,
    })
}

/// Returns why a credential does not have the permission for a route, as text for the problem; `None` if it has the permission.
fn missing_permission(permission: Permission, identity: &Identity) -> Option<&'static str> {
    match permission {
        Permission::Open | Permission::MetricsKey => None,
        Permission::Read | Permission::Identified => Some("the scope scores:read"),
        Permission::ServerWrite if identity.player.is_some() => {
            Some("the scope scores:write of a server: a player's own token does not do this")
        }
        Permission::Write | Permission::ServerWrite => Some("the scope scores:write"),
        Permission::Admin if identity.player.is_some() => {
            Some("the scope admin, which a player's own token cannot have")
        }
        Permission::Admin => Some("the scope admin"),
        Permission::Operator => Some("the operator's key"),
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::{PlayerId, TenantId};

    use super::*;
    use leaderboard_api::ProblemType;

    fn check_all(identity: &Identity) -> [Result<(), ProblemType>; 7] {
        use Permission::{Admin, Identified, Open, Operator, Read, ServerWrite, Write};
        [Open, Read, Identified, Write, ServerWrite, Admin, Operator]
            .map(|permission| authorise(identity, permission).map_err(|problem| problem.kind))
    }

    fn key(scopes: Scopes, player: Option<&str>) -> Identity {
        Identity {
            credential: Credential::Key("k".into()),
            tenant: TenantId::new("acme").ok(),
            scopes,
            player: player.map(|id| PlayerId::new(id).unwrap()),
            expires_at: None,
        }
    }

    #[test]
    fn scopes_decide() {
        let (yes, no, unknown) = (
            Ok(()),
            Err(ProblemType::Forbidden),
            Err(ProblemType::Unauthenticated),
        );
        assert_eq!(
            check_all(&Identity::anonymous()),
            [yes, yes, unknown, unknown, unknown, unknown, unknown]
        );
        assert_eq!(check_all(&Identity::operator()), [yes; 7]);
        assert_eq!(
            check_all(&key(Scopes::READ, None)),
            [yes, yes, yes, no, no, no, no]
        );
        assert_eq!(
            check_all(&key(Scopes::WRITE, None)),
            [yes, no, no, yes, yes, no, no]
        );
        assert_eq!(
            check_all(&key(Scopes::WRITE, Some("p"))),
            [yes, no, no, yes, no, no, no]
        );
        assert_eq!(
            check_all(&key(Scopes::ADMIN, None)),
            [yes, yes, yes, yes, yes, yes, no]
        );
        assert_eq!(
            check_all(&key(Scopes::ADMIN, Some("p"))),
            [yes, yes, yes, yes, no, no, no]
        );
        let detail = |permission| {
            authorise(&key(Scopes::READ, None), permission)
                .unwrap_err()
                .detail
                .clone()
        };
        assert_eq!(
            detail(Permission::Write).as_deref(),
            Some("This needs the scope scores:write.")
        );
        assert_eq!(
            detail(Permission::Operator).as_deref(),
            Some("This needs the operator's key.")
        );
    }
}
