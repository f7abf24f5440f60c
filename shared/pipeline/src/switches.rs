//! The switch that turns writes off during an incident: one of the product's own feature flags.

use leaderboard_core::TenantId;

use crate::PipelineEnvironment;
use crate::route::{RouteHead, Verb};
use leaderboard_api::{FunctionName, Problem, ProblemType};
use leaderboard_tenant_config::{FlagTarget, TenantConfig, TenantFlags, WRITES};

/// Refuses a write while writes are switched off. The operator and the tenant each have a switch; a write needs both of them on.
pub fn check_writes<E: PipelineEnvironment>(
    env: &E,
    route: &RouteHead,
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

/// Returns whether writes without a caller, such as published scores, are switched off.
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

/// Returns whether the switch applies to a function: only to those that change leaderboards and scores. Keys, limits, flags and
/// tenants can be changed during an incident, as can a route with [`RouteHead::in_incidents`].
pub const fn has_switch(function: FunctionName) -> bool {
    matches!(function, FunctionName::Leaderboards | FunctionName::Scores)
}
