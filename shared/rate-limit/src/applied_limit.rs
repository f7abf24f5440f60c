//! The limits that apply to a request, and the bucket in which each of them counts its caller.

use std::fmt::{self, Write};
use std::net::IpAddr;

use leaderboard_core::PlayerId;
use leaderboard_core::ports::{Charge, Overdraft};
use sha2::{Digest, Sha256};

use super::RateLimitRules;
use super::shared_usage::LimitOwner;
use leaderboard_api::rate_limits::{Policy, PolicyName};
use leaderboard_api::{Credential, FunctionName, Identity};
use leaderboard_identity::hex::encode as hex;

/// How many bits of an IPv6 address are counted. A client usually has a network of this size and can use any address in it.
const IPV6_COUNTED_BITS: u32 = 64;
/// The initial capacity of a bucket's name, in bytes.
const USUAL_NAME_BYTES: usize = 64;

/// A limit that applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedLimit {
    /// The name of the policy.
    pub name: PolicyName,
    /// The policy.
    pub policy: Policy,
    /// The name of the bucket in the store.
    pub bucket: String,
    /// Whether the policy is from the tenant's own document.
    pub is_tenants_own: bool,
    /// The tenant whose document sets the policy; `None` if that is the tenant under which the limit is counted.
    pub owner: Option<LimitOwner>,
    /// The units of this request that have already been reported to the store.
    pub paid: u64,
}

impl AppliedLimit {
    /// Returns the limit of the caller that `caller` names.
    ///
    /// The bucket's name contains the numbers of the policy. So after a change of the policy, callers start with a full bucket,
    /// and a relaxed limit takes effect at once.
    fn new(name: PolicyName, policy: Policy, caller: fmt::Arguments<'_>) -> Self {
        let Policy {
            quota,
            window_s,
            burst,
        } = policy;
        let mut bucket = String::with_capacity(USUAL_NAME_BYTES);
        // Writing to a string cannot fail.
        let _ = bucket.write_fmt(caller);
        // Every read makes these names, and `write!` takes several times as long as itoa.
        let mut digits = itoa::Buffer::new();
        for (separator, number) in [('@', quota), ('/', window_s), ('/', burst)] {
            bucket.push(separator);
            bucket.push_str(digits.format(number));
        }
        Self {
            name,
            policy,
            bucket,
            is_tenants_own: false,
            owner: None,
            paid: 0,
        }
    }

    /// Returns the charge for a request with the cost `cost`.
    pub fn charge(&self, cost: u64) -> Charge {
        Charge {
            bucket: self.bucket.as_str().into(),
            interval_us: self.policy.interval_us(),
            burst: self.policy.burst.into(),
            needs: Some(self.units_needed(cost)),
            cost: self.units_to_take(cost),
        }
    }

    /// Returns how far ahead of now the bucket is after a charge, if it was `ahead_us` ahead before; both in microseconds.
    pub fn ahead_after_us(&self, cost: u64, ahead_us: u64) -> u64 {
        self.charge(cost).after(ahead_us, Overdraft::ByTake)
    }

    /// Returns how many units a request with the cost `cost` takes, minus the units that it has paid already.
    pub fn units_to_take(&self, cost: u64) -> u64 {
        cost.max(1).saturating_sub(self.paid)
    }

    /// Returns whether a bucket that is `ahead_us` ahead of now has room for a request with the cost `cost`.
    pub fn has_room(&self, cost: u64, ahead_us: u64) -> bool {
        self.wait_us(cost, ahead_us) == 0
    }

    /// Returns the time until there is room for a request with the cost `cost`, in microseconds.
    pub fn wait_us(&self, cost: u64, ahead_us: u64) -> u64 {
        let needed_us = self.policy.interval_us().saturating_mul(self.units_needed(cost));
        let ahead_us = ahead_us.saturating_add(needed_us);
        ahead_us.saturating_sub(self.policy.capacity_us())
    }

    /// Returns how many units must be free for a request with the cost `cost`, minus the units that it has paid already.
    fn units_needed(&self, cost: u64) -> u64 {
        self.policy.needs(cost).saturating_sub(self.paid)
    }
}

/// Returns the limits that apply to a caller at a function: first the caller's, then the function's, then the tenant's. The
/// operator and exempt addresses have no limits.
pub(crate) fn select_limits(
    rules: &RateLimitRules,
    identity: &Identity,
    client: Option<IpAddr>,
    function: FunctionName,
) -> Vec<AppliedLimit> {
    if identity.credential == Credential::Operator || rules.exempt(client) {
        return Vec::new();
    }
    let caller = CountedCaller::new(identity, client);
    let of_function = PolicyName::Family(function);
    let of_tenant = PolicyName::Tenant;
    let mut limits = Vec::new();
    let mut add = |name, bucket: fmt::Arguments<'_>| {
        limits.extend(rules.policy(name).map(|policy| AppliedLimit {
            is_tenants_own: rules.is_tenants_own(name),
            ..AppliedLimit::new(name, policy, bucket)
        }));
    };
    add(caller.policy_name(), format_args!("{caller}"));
    add(of_function, format_args!("{}|{caller}", of_function.as_str()));
    add(of_tenant, format_args!("{}", of_tenant.as_str()));
    limits
}

/// Returns the limit on requests without a credential from an address. It is checked before the configuration of the request's
/// tenant is read.
pub fn select_address_limit(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let caller = CountedCaller::Client(client);
    select_operator_limit(rules, PolicyName::Client, client, format_args!("{caller}"))
}

/// Returns the limit on requests from an address that fail because the store is out of reach, before their tenant is known.
///
/// The limit has the policy of an address without a credential, but its own bucket. So these failures do not limit anonymous
/// callers at the same address.
pub fn select_unanswered_limit(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let address = CountedAddress(client);
    select_operator_limit(
        rules,
        PolicyName::Client,
        client,
        format_args!("unanswered:{address}"),
    )
}

/// Returns the limit on refused credentials from an address.
pub fn select_failed_auth_limit(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let address = CountedAddress(client);
    select_operator_limit(
        rules,
        PolicyName::Credentials,
        client,
        format_args!("credentials:{address}"),
    )
}

fn select_operator_limit(
    rules: &RateLimitRules,
    name: PolicyName,
    client: Option<IpAddr>,
    bucket: fmt::Arguments<'_>,
) -> Option<AppliedLimit> {
    let policy = rules.policy(name).filter(|_| !rules.exempt(client))?;
    Some(AppliedLimit::new(name, policy, bucket))
}

/// The caller whose requests a bucket counts together.
enum CountedCaller<'a> {
    Player(&'a PlayerId),
    Key(&'a str),
    /// The digest of a token's issuer and subject. An issuer chooses the length and the characters of a subject, so the
    /// subject itself cannot be part of a name.
    Token(String),
    Client(Option<IpAddr>),
}

impl<'a> CountedCaller<'a> {
    fn new(identity: &'a Identity, client: Option<IpAddr>) -> Self {
        match (&identity.player, &identity.credential) {
            (Some(player), _) => Self::Player(player),
            (None, Credential::Key(id)) => Self::Key(id),
            (None, Credential::Token { issuer, subject }) => {
                let digest = Sha256::new()
                    .chain_update(issuer.as_bytes())
                    .chain_update([0])
                    .chain_update(subject.as_bytes())
                    .finalize();
                Self::Token(hex(&digest))
            }
            (None, Credential::None | Credential::Operator) => Self::Client(client),
        }
    }

    /// Returns the name of the policy for this kind of caller.
    const fn policy_name(&self) -> PolicyName {
        match self {
            Self::Player(_) => PolicyName::Player,
            Self::Key(_) | Self::Token(_) => PolicyName::Key,
            Self::Client(_) => PolicyName::Client,
        }
    }
}

impl fmt::Display for CountedCaller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Player(player) => write!(f, "player:{player}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Token(digest) => write!(f, "token:{digest}"),
            Self::Client(client) => write!(f, "client:{}", CountedAddress(*client)),
        }
    }
}

/// An address in the form in which a bucket's name contains it. All clients whose address is unknown share one bucket.
struct CountedAddress(Option<IpAddr>);

impl fmt::Display for CountedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("unknown"),
            Some(IpAddr::V4(address)) => address.fmt(f),
            Some(IpAddr::V6(address)) => {
                let network = address.to_bits() >> (u128::BITS - IPV6_COUNTED_BITS);
                write!(f, "{network:016x}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::access::Scopes;

    use super::*;

    /// Returns the names of the buckets that a request of this caller is charged to.
    fn select_buckets(identity: &Identity, client: &str) -> Vec<String> {
        let client = client.parse().ok();
        let found = select_limits(&RateLimitRules::default(), identity, client, FunctionName::Ranks);
        found.into_iter().map(|limit| limit.bucket).collect()
    }

    fn create_identity(credential: Credential, player: Option<&str>) -> Identity {
        Identity {
            credential,
            tenant: None,
            scopes: Scopes::READ,
            player: player.map(|id| PlayerId::new(id).unwrap()),
            expires_at: None,
        }
    }

    #[test]
    fn callers_are_limited_by_properties_that_they_cannot_choose() {
        let nobody = Identity::anonymous();
        assert_eq!(
            select_buckets(&nobody, "192.0.2.1"),
            ["client:192.0.2.1@100/1/200"]
        );
        assert_eq!(
            select_buckets(&nobody, "2001:db8:1:2:3::4"),
            select_buckets(&nobody, "2001:db8:1:2::")
        );
        assert_ne!(
            select_buckets(&nobody, "2001:db8:1:2::"),
            select_buckets(&nobody, "2001:db8:1:3::")
        );
        assert_eq!(select_buckets(&nobody, ""), ["client:unknown@100/1/200"]);
        let key = Credential::Key("k1".into());
        assert_eq!(
            select_buckets(&create_identity(key, None), "192.0.2.1"),
            ["key:k1@1000/1/2000"]
        );
        let token = |subject: &str| Credential::Token {
            issuer: "i".into(),
            subject: subject.into(),
        };
        assert_eq!(
            select_buckets(&create_identity(token("s"), Some("ana")), ""),
            ["player:ana@100/1/200"]
        );
        let server = select_buckets(&create_identity(token("s\n"), None), "");
        assert_ne!(server, select_buckets(&create_identity(token("s"), None), ""));
        assert_eq!(server[0].len(), "token:".len() + 64 + "@1000/1/2000".len());
        assert_eq!(
            select_buckets(&Identity::operator(), "192.0.2.1"),
            Vec::<String>::new()
        );
    }
}
