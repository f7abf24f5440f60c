//! The feature flags of a tenant: its own set over the operator's, from the copies that are at hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use leaderboard_core::{PlayerId, TenantId, Timestamp, Versioned};
use leaderboard_flags::{ErrorCode, Evaluation, EvaluationError, FlagSet, FlagType};
use serde_json::{Map, Value};

use super::TenantConfig;
use crate::TenantConfigEnvironment;
use leaderboard_api::ApiVersion;

/// How many sets an instance remembers.
const MAX_SETS: usize = 32;
/// Steps of the evaluation of one of the product's own flags, which is part of other requests.
pub(crate) const MAX_OWN_STEPS: u32 = 2_000;
/// The member of a context by which `fractional` shares players out.
const TARGETING_KEY: &str = "targetingKey";

/// The sets that an instance has read, by whose they are and the version read.
#[derive(Debug, Default)]
pub struct FlagCache(RefCell<BTreeMap<Option<TenantId>, Read>>);

/// The version of a document, and the set it became.
type Read = (u64, Rc<FlagSet>);

impl FlagCache {
    /// The set of a document. A flag whose rule this version cannot read answers with an error of its own; of a
    /// document that is none, nothing is left.
    fn of(&self, whose: Option<&TenantId>, document: &Versioned<Vec<u8>>) -> Rc<FlagSet> {
        let whose = whose.cloned();
        if let Some((version, set)) = self.0.borrow().get(&whose)
            && *version == document.version
        {
            return Rc::clone(set);
        }
        let set = Rc::new(FlagSet::parse_tolerant(&document.value).unwrap_or_default());
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_SETS && !known.contains_key(&whose) {
            // All of them can be read anew, and no set is the one that always goes first.
            known.clear();
        }
        known.insert(whose, (document.version, Rc::clone(&set)));
        set
    }
}

/// The flags that hold for a tenant.
#[derive(Debug, Default)]
pub struct Flags {
    operator: Option<Rc<FlagSet>>,
    tenant: Option<Rc<FlagSet>>,
}

impl Flags {
    /// Those of the documents that are known.
    pub fn of<E: TenantConfigEnvironment>(env: &E, tenant: &TenantId, tenant_config: &TenantConfig) -> Self {
        let sets = &env.tenant_config_state().flags;
        let operator = tenant_config.operator_flags();
        let own = tenant_config.tenant_flags();
        Self {
            operator: operator.map(|document| sets.of(None, document)),
            tenant: own.map(|document| sets.of(Some(tenant), document)),
        }
    }

    /// One flag: the tenant's own, else the operator's.
    ///
    /// # Errors
    /// Those of [`FlagSet::evaluate`].
    pub fn evaluate(
        &self,
        key: &str,
        context: &Value,
        now: Timestamp,
    ) -> Result<Evaluation<'_>, EvaluationError> {
        let own = self.tenant.as_deref().filter(|set| set.contains(key));
        let set = own.or(self.operator.as_deref()).ok_or_else(|| EvaluationError {
            code: ErrorCode::FlagNotFound,
            detail: "no flags are set".to_owned(),
        })?;
        set.evaluate(key, context, seconds(now))
    }

    /// All flags, in the order of their keys.
    pub fn evaluate_all(
        &self,
        context: &Value,
        now: Timestamp,
    ) -> BTreeMap<&str, Result<Evaluation<'_>, EvaluationError>> {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let sets = sets.into_iter().flatten();
        // The tenant's come last, so that they replace the operator's.
        sets.flat_map(|set| set.evaluate_all(context, seconds(now)))
            .collect()
    }

    /// The metadata of both sets, the tenant's over the operator's.
    pub fn metadata(&self) -> Map<String, Value> {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let members = sets.into_iter().flatten().flat_map(FlagSet::metadata);
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Whether a boolean flag is true; the tenant's own set counts before the operator's.
    pub fn is_on(&self, key: &str, subject: &Subject<'_>, now: Timestamp) -> bool {
        let mut sets = [self.tenant.as_deref(), self.operator.as_deref()]
            .into_iter()
            .flatten();
        sets.find(|set| set.contains(key)).is_some_and(|set| {
            let context = Value::Object(subject.context());
            truth(set.evaluate_within(key, &context, seconds(now), MAX_OWN_STEPS)) == Some(true)
        })
    }

    /// Whether a boolean flag is false in the tenant's own set or in the operator's: a switch that either may throw.
    pub fn either_off(&self, key: &str, subject: &Subject<'_>, now: Timestamp) -> bool {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let mut sets = sets
            .into_iter()
            .flatten()
            .filter(|set| set.contains(key))
            .peekable();
        if sets.peek().is_none() {
            return false;
        }
        let context = Value::Object(subject.context());
        sets.any(|set| truth(set.evaluate_within(key, &context, seconds(now), MAX_OWN_STEPS)) == Some(false))
    }
}

fn truth(outcome: Result<Evaluation<'_>, EvaluationError>) -> Option<bool> {
    outcome
        .and_then(|outcome| outcome.of_type(FlagType::Boolean))
        .ok()?
        .value?
        .as_bool()
}

pub(crate) const fn seconds(now: Timestamp) -> i64 {
    now.as_unix_ms().div_euclid(1000)
}

/// Whom a flag is evaluated for, as far as the edge knows.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Whose leaderboards the request is about.
    pub tenant: &'a TenantId,
    /// The player whose credential it is.
    pub player: Option<&'a PlayerId>,
    /// Where the request comes from.
    pub client: Option<IpAddr>,
    /// Two letters, as the configured header tells: a hint, no proof.
    pub country: Option<[u8; 2]>,
    /// The version of the API that is asked for, as far as that is known.
    pub version: Option<ApiVersion>,
}

impl Subject<'_> {
    /// The context for the product's own flags: a player is shared out by name, anybody else by address.
    pub fn context(&self) -> Map<String, Value> {
        let mut context = Map::new();
        self.enrich(&mut context);
        if let (Some(client), false) = (self.client, context.contains_key(TARGETING_KEY)) {
            context.insert(TARGETING_KEY.to_owned(), client.to_string().into());
        }
        context
    }

    /// Adds what the edge knows to a context. The tenant, and the player of a player's own credential, cannot be
    /// claimed otherwise; the rest fills what was left out.
    pub fn enrich(&self, context: &mut Map<String, Value>) {
        context.insert("tenant".to_owned(), self.tenant.as_str().into());
        if let Some(player) = self.player {
            context.insert("player".to_owned(), player.as_str().into());
            context
                .entry(TARGETING_KEY)
                .or_insert_with(|| player.as_str().into());
        }
        if let Some(country) = self.country {
            let letters: String = country.iter().copied().map(char::from).collect();
            context.entry("country").or_insert_with(|| letters.into());
        }
        if let Some(version) = self.version {
            context
                .entry("api_version")
                .or_insert_with(|| version.number().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(player: Option<&str>, given: &Value) -> Value {
        let tenant = TenantId::new("acme").unwrap();
        let player = player.map(|id| PlayerId::new(id).unwrap());
        let subject = Subject {
            tenant: &tenant,
            player: player.as_ref(),
            client: "203.0.113.7".parse().ok(),
            country: Some(*b"PL"),
            version: Some(ApiVersion::V2),
        };
        let mut given = given.as_object().unwrap().clone();
        if given.is_empty() {
            return Value::Object(subject.context());
        }
        subject.enrich(&mut given);
        Value::Object(given)
    }

    #[test]
    fn a_player_is_shared_out_by_name_and_anybody_else_by_address() {
        let player = json!({ "tenant": "acme", "player": "ann", "targetingKey": "ann", "country": "PL", "api_version": "2" });
        assert_eq!(context(Some("ann"), &json!({})), player);
        let nobody =
            json!({ "tenant": "acme", "targetingKey": "203.0.113.7", "country": "PL", "api_version": "2" });
        assert_eq!(context(None, &json!({})), nobody);
    }

    #[test]
    fn a_client_claims_neither_another_tenant_nor_another_player() {
        let claims = json!({ "tenant": "b", "player": "bob", "targetingKey": "device", "country": "DE", "api_version": "1" });
        let player = json!({ "tenant": "acme", "player": "ann", "targetingKey": "device", "country": "DE", "api_version": "1" });
        assert_eq!(context(Some("ann"), &claims), player);
        // A server speaks for any player.
        let server = json!({ "tenant": "acme", "player": "bob", "targetingKey": "device", "country": "DE", "api_version": "1" });
        assert_eq!(context(None, &claims), server);
        assert_eq!(context(None, &json!({ "x": 1 }))["targetingKey"], Value::Null);
    }
}
