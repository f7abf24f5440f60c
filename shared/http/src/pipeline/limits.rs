//! Where limits hold a request up: before a credential is looked at, and before the handler.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::ports::{Metered, Metering, RateLimits, Usage};
use leaderboard_core::{StoreError, TenantId};

use crate::edge::Knowledge;
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
use crate::limits::{
    Applied, Rules, Told, applied, changes_refused, limited, limited_by_quota, look, micros, of_credentials,
    schedule,
};
use crate::problem::{Problem, ProblemType};
use crate::response::Response;
use crate::route::{Charging, Family, Need, Route};

/// The limit on refused credentials, for a request that shows one.
pub(crate) struct Guard(Option<Applied>);

impl Guard {
    /// Lets a request on to the check of its credential unless too many from its address were refused. Waits for nothing but
    /// the region's cache.
    ///
    /// # Errors
    /// 429.
    pub(crate) async fn enter<E: Environment>(
        env: &E,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<Self, Problem> {
        if !headers.contains_key(AUTHORIZATION) && !headers.contains_key("x-api-key") {
            return Ok(Self(None));
        }
        let rules = match Knowledge::rules_of_the_operator(env).await {
            Ok(rules) => rules,
            // Whether a request needs more than this to be known is decided later.
            Err(StoreError::Unavailable(_)) => Rc::new(Rules::default()),
            Err(error) => return Err(error.into()),
        };
        let limit = of_credentials(&rules, client);
        if let Some(limit) = &limit {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            look(env, payer, one).await;
            let (metered, room) = env.memory().limiter.buckets.peek(payer, one, now_us(env));
            if !room {
                return Err(refused(env, one, &metered, None));
            }
        }
        Ok(Self(limit))
    }

    /// Charges a credential that was refused.
    pub(crate) fn charge<E: Environment>(&self, env: &E, refusal: &Problem) {
        if let (Some(limit), ProblemType::Unauthenticated) = (&self.0, refusal.kind) {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            let buckets = &env.memory().limiter.buckets;
            buckets.charge(payer, one, 0, None, now_us(env));
            schedule(env);
        }
    }
}

/// The limits of a request that is known to be somebody's, and how it is charged.
pub(super) struct Gate {
    applied: Vec<Applied>,
    charging: Charging,
    max_requests_per_day: Option<u64>,
    metered: Option<Metered>,
}

impl Gate {
    /// Charges a request that is charged before its handler, or lets it on to the call that charges it.
    ///
    /// # Errors
    /// 429; 503 when the store has to be asked and is out of reach.
    pub(super) async fn enter<R, E: Environment>(
        env: &E,
        route: &Route<R>,
        family: Family,
        identity: &Identity,
        client: Option<IpAddr>,
        tenant: &TenantId,
        knowledge: &Knowledge,
    ) -> Result<Self, Problem> {
        let charging = route.charging;
        let of_operator = identity.credential == Credential::Operator;
        let unlimited = match charging {
            Charging::Nothing => true,
            Charging::Locally => of_operator || (route.need == Need::Read && !knowledge.limits.reads),
            Charging::Before => of_operator,
            Charging::InCall => false,
        };
        let mut gate = Self {
            applied: Vec::new(),
            charging: if unlimited { Charging::Nothing } else { charging },
            max_requests_per_day: knowledge.tenant.quotas.requests_per_day,
            metered: None,
        };
        if unlimited {
            return Ok(gate);
        }
        gate.applied = applied(&knowledge.limits, identity, client, family);
        if charging == Charging::Locally {
            look(env, tenant, &gate.applied).await;
        }
        // A caller who is known to have no room costs the store nothing.
        let buckets = &env.memory().limiter.buckets;
        let (metered, room) = buckets.peek(tenant, &gate.applied, now_us(env));
        if !room {
            return Err(gate.refused(env, &metered));
        }
        match charging {
            Charging::Locally => {
                gate.metered = Some(gate.charge_locally(env, tenant));
            }
            Charging::Before => {
                let metering = gate.metering();
                let metered = env.store().take(tenant, &metering).await?;
                gate.learn(env, tenant, &metered);
                if metered.refused {
                    return Err(gate.refused(env, &metered));
                }
                gate.metered = Some(metered);
            }
            Charging::InCall | Charging::Nothing => {}
        }
        Ok(gate)
    }

    /// What the call that writes is charged with.
    pub(super) fn metering_in_call(&self) -> Metering {
        if self.charging == Charging::InCall {
            self.metering()
        } else {
            Metering::default()
        }
    }

    /// Tells the client of its limits. A call that should have been charged and never got as far is charged here, like a read.
    pub(super) fn leave<E: Environment>(
        mut self,
        env: &E,
        tenant: &TenantId,
        in_call: Option<Metered>,
        answer: Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        let failed = matches!(&answer, Err(problem) if problem.kind.status().is_server_error());
        if let Some(metered) = in_call {
            self.learn(env, tenant, &metered);
            if metered.refused {
                return Err(self.refused(env, &metered));
            }
            self.metered = Some(metered);
        } else if self.charging == Charging::InCall && !failed {
            self.metered = Some(self.charge_locally(env, tenant));
        }
        let Some(metered) = &self.metered else {
            return answer;
        };
        let told = self.told(env, metered);
        match answer {
            Ok(mut response) => {
                told.add_to(&mut response.headers);
                Ok(response)
            }
            Err(problem) => Err(told.mark(problem)),
        }
    }

    fn metering(&self) -> Metering {
        Metering {
            charges: self.applied.iter().map(|one| one.charge(1)).collect(),
            usage: Usage {
                requests: 1,
                scores: 0,
            },
            max_requests_per_day: self.max_requests_per_day,
        }
    }

    fn charge_locally<E: Environment>(&self, env: &E, tenant: &TenantId) -> Metered {
        let buckets = &env.memory().limiter.buckets;
        let most = self.max_requests_per_day;
        let metered = buckets.charge(tenant, &self.applied, 1, most, now_us(env));
        schedule(env);
        metered
    }

    fn learn<E: Environment>(&self, env: &E, tenant: &TenantId, metered: &Metered) {
        let buckets = &env.memory().limiter.buckets;
        let now_us = micros(env.clock().as_unix_ms());
        buckets.remember(tenant, &self.applied, self.max_requests_per_day);
        let charges: Vec<_> = self.applied.iter().map(|one| one.charge(1)).collect();
        buckets.learn(tenant, &charges, metered, now_us);
    }

    fn told<'a, E: Environment>(&'a self, env: &E, metered: &'a Metered) -> Told<'a> {
        Told {
            applied: &self.applied,
            metered,
            max_requests_per_day: self.max_requests_per_day,
            now_us: now_us(env),
        }
    }

    fn refused<E: Environment>(&self, env: &E, metered: &Metered) -> Problem {
        refused(env, &self.applied, metered, self.max_requests_per_day)
    }
}

/// 429, counted.
fn refused<E: Environment>(
    env: &E,
    applied: &[Applied],
    metered: &Metered,
    max_requests_per_day: Option<u64>,
) -> Problem {
    let told = Told {
        applied,
        metered,
        max_requests_per_day,
        now_us: now_us(env),
    };
    let counts = &env.memory().limiter.counts;
    for one in told.violated() {
        counts.add(limited(one.name), 1);
    }
    if told.quota_is_used_up() {
        counts.add(limited_by_quota(), 1);
    }
    schedule(env);
    told.refusal()
}

/// Counts a change that was refused because the store is out of reach.
pub(super) fn count_refused_change<E: Environment>(env: &E, family: Family) {
    env.memory().limiter.counts.add(changes_refused(family), 1);
    schedule(env);
}

fn now_us<E: Environment>(env: &E) -> u64 {
    micros(env.now().as_unix_ms())
}
