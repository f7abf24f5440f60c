//! The product's own flags.

use leaderboard_core::TenantId;

use crate::PipelineEnvironment;
use crate::route::{Route, Verb};
use leaderboard_api::FunctionName;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_tenant_config::{Flags, Subject, TenantConfig, WRITES};

/// Refuses a write where writes are switched off. The operator and the tenant each may throw the switch, and neither
/// undoes the other's.
pub fn check_writes<E: PipelineEnvironment, R>(
    env: &E,
    route: &Route<R>,
    tenant_config: &TenantConfig,
    subject: &Subject<'_>,
) -> Result<(), Problem> {
    if route.verb != Verb::Get
        && !route.in_incidents
        && Flags::of(env, subject.tenant, tenant_config).either_off(WRITES, subject, env.now())
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
    let nobody = Subject {
        tenant,
        player: None,
        client: None,
        country: None,
        version: None,
    };
    Flags::of(env, tenant, tenant_config).either_off(WRITES, &nobody, env.now())
}

/// Whether a family keeps what tenants play for. What else can be changed, keys, limits, flags and tenants, is needed in an
/// incident and goes on; so do routes of these families that say so.
pub const fn has_switch(family: FunctionName) -> bool {
    matches!(family, FunctionName::Leaderboards | FunctionName::Scores)
}
