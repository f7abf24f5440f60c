//! The feature flags of a tenant, from its own set and the operator's.

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

/// The most sets that an instance keeps.
const MAX_SETS: usize = 32;
/// The most steps for the evaluation of a product flag, which delays other requests.
pub(crate) const MAX_PRODUCT_STEPS: u32 = 2_000;
/// The member of the context that `fractional` uses to choose a variant.
const TARGETING_KEY: &str = "targetingKey";

/// The sets that an instance has parsed, by their tenant (`None`: the operator's).
#[derive(Debug, Default)]
pub struct FlagCache(RefCell<BTreeMap<Option<TenantId>, ParsedFlagSet>>);

/// The version of a document, and the set that was parsed from it.
type ParsedFlagSet = (u64, Rc<FlagSet>);

impl FlagCache {
    /// Returns the flag set of a document, parsed at most once for each version. A flag whose rule cannot be parsed evaluates to an error; a document that cannot be
    /// parsed becomes an empty set.
    fn find_or_parse_set(&self, owner: Option<&TenantId>, document: &Versioned<Vec<u8>>) -> Rc<FlagSet> {
        let owner = owner.cloned();
        if let Some((version, set)) = self.0.borrow().get(&owner)
            && *version == document.version
        {
            return Rc::clone(set);
        }
        let set = Rc::new(FlagSet::parse_tolerant(&document.value).unwrap_or_default());
        let mut sets = self.0.borrow_mut();
        if sets.len() >= MAX_SETS && !sets.contains_key(&owner) {
            // Every set can be parsed again. Removing one entry would always remove the same tenant's.
            sets.clear();
        }
        sets.insert(owner, (document.version, Rc::clone(&set)));
        set
    }
}

/// The flags that apply to a tenant.
#[derive(Debug, Default)]
pub struct TenantFlags {
    operator: Option<Rc<FlagSet>>,
    tenant: Option<Rc<FlagSet>>,
}

impl TenantFlags {
    /// Returns the flags in a tenant's configuration.
    pub fn load<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
        tenant_config: &TenantConfig,
    ) -> Self {
        let sets = &env.tenant_config_state().flags;
        let operator = tenant_config.operator_flags();
        let own = tenant_config.tenant_flags();
        Self {
            operator: operator.map(|document| sets.find_or_parse_set(None, document)),
            tenant: own.map(|document| sets.find_or_parse_set(Some(tenant), document)),
        }
    }

    /// Evaluates one flag: the tenant's own flag if there is one, otherwise the operator's.
    ///
    /// # Errors
    /// As for [`FlagSet::evaluate`].
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

    /// Evaluates all flags, in the order of their keys.
    pub fn evaluate_all(
        &self,
        context: &Value,
        now: Timestamp,
    ) -> BTreeMap<&str, Result<Evaluation<'_>, EvaluationError>> {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let sets = sets.into_iter().flatten();
        // The tenant's flags come last, so that they replace the operator's.
        sets.flat_map(|set| set.evaluate_all(context, seconds(now)))
            .collect()
    }

    /// Returns the metadata of both sets. The tenant's members replace the operator's.
    pub fn metadata(&self) -> Map<String, Value> {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let members = sets.into_iter().flatten().flat_map(FlagSet::metadata);
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Returns whether a boolean flag is true in the tenant's own set or, if that set does not have it, in the operator's.
    pub fn is_on(&self, key: &str, target: &FlagTarget<'_>, now: Timestamp) -> bool {
        let mut sets = [self.tenant.as_deref(), self.operator.as_deref()]
            .into_iter()
            .flatten();
        sets.find(|set| set.contains(key)).is_some_and(|set| {
            let context = Value::Object(target.to_context());
            read_boolean(set.evaluate_within(key, &context, seconds(now), MAX_PRODUCT_STEPS)) == Some(true)
        })
    }

    /// Returns whether a boolean flag is false in the tenant's own set or in the operator's set. Each of the two can switch it
    /// off.
    pub fn is_off_in_any_set(&self, key: &str, target: &FlagTarget<'_>, now: Timestamp) -> bool {
        let sets = [self.operator.as_deref(), self.tenant.as_deref()];
        let mut sets = sets
            .into_iter()
            .flatten()
            .filter(|set| set.contains(key))
            .peekable();
        if sets.peek().is_none() {
            return false;
        }
        let context = Value::Object(target.to_context());
        sets.any(|set| {
            read_boolean(set.evaluate_within(key, &context, seconds(now), MAX_PRODUCT_STEPS)) == Some(false)
        })
    }
}

fn read_boolean(outcome: Result<Evaluation<'_>, EvaluationError>) -> Option<bool> {
    outcome
        .and_then(|outcome| outcome.of_type(FlagType::Boolean))
        .ok()?
        .value?
        .as_bool()
}

pub(crate) const fn seconds(now: Timestamp) -> i64 {
    now.as_unix_ms().div_euclid(1000)
}

/// The caller and the request that a flag is evaluated for.
#[derive(Debug, Clone, Copy)]
pub struct FlagTarget<'a> {
    /// The tenant of the request.
    pub tenant: &'a TenantId,
    /// The player, if the credential belongs to a player.
    pub player: Option<&'a PlayerId>,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The country as two letters, from the configured header. A client can forge it.
    pub country: Option<[u8; 2]>,
    /// The version of the API that the request names, if any.
    pub version: Option<ApiVersion>,
}

impl FlagTarget<'_> {
    /// Returns the context for product flags. `fractional` chooses a variant by the player's id, or by the address if there is no
    /// player.
    pub fn to_context(&self) -> Map<String, Value> {
        let mut context = Map::new();
        self.add_to(&mut context);
        if let (Some(client), false) = (self.client, context.contains_key(TARGETING_KEY)) {
            context.insert(TARGETING_KEY.to_owned(), client.to_string().into());
        }
        context
    }

    /// Adds the members of this target to a context. The tenant, and the player of a player's own credential, replace members
    /// that the client sent. The other members are added only if the client did not send them.
    pub fn add_to(&self, context: &mut Map<String, Value>) {
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

    fn context(player: Option<&str>, sent: &Value) -> Value {
        let tenant = TenantId::new("acme").unwrap();
        let player = player.map(|id| PlayerId::new(id).unwrap());
        let target = FlagTarget {
            tenant: &tenant,
            player: player.as_ref(),
            client: "203.0.113.7".parse().ok(),
            country: Some(*b"PL"),
            version: Some(ApiVersion::V2),
        };
        let mut members = sent.as_object().unwrap().clone();
        if members.is_empty() {
            return Value::Object(target.to_context());
        }
        target.add_to(&mut members);
        Value::Object(members)
    }

    #[test]
    fn a_player_is_targeted_by_id_and_other_callers_by_address() {
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
        // A server may name any player.
        let server = json!({ "tenant": "acme", "player": "bob", "targetingKey": "device", "country": "DE", "api_version": "1" });
        assert_eq!(context(None, &claims), server);
        assert_eq!(context(None, &json!({ "x": 1 }))["targetingKey"], Value::Null);
    }
}
