//! The product's own flags.

use leaderboard_core::TenantId;

use crate::PipelineEnvironment;
use crate::route::{Route, Verb};
use leaderboard_api::FunctionName;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_tenant_config::{FlagTarget, TenantConfig, TenantFlags, WRITES};

/// Refuses a write where writes are switched off. The operator and the tenant each may throw the switch, and neither
/// undoes the other's.
pub fn check_writes<E: PipelineEnvironment, R>(
    env: &E,
    route: &Route<R>,
    tenant_config: &TenantConfig,
    subject: &FlagTarget<'_>,
) -> Result<(), Problem> {
    if route.verb != Verb::Get
        && !route.in_incidents
        && TenantFlags::load(env, subject.tenant, tenant_config).is_off_in_any_set(WRITES, subject, env.now())
    {
        return Err(Problem::new(ProblemType::WritesDisabled));
    }
    Ok(())
}

/// Whether writes that nobody in particular makes, such as published scores, are switched off.
pub fn writes_are_off<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
) -> bool {
    let nobody = FlagTarget {
        tenant,
        player: None,
        client: None,
        country: None,
        version: None,
    };
    TenantFlags::load(env, tenant, tenant_config).is_off_in_any_set(WRITES, &nobody, env.now())
}

/// Whether a family keeps what tenants play for. What else can be changed, keys, limits, flags and tenants, is needed in an
/// incident and goes on; so do routes of these families that say so.
pub const fn has_switch(family: FunctionName) -> bool {
    matches!(family, FunctionName::Leaderboards | FunctionName::Scores)
}
