//! Which limits apply to a request, and whom each of them counts.

use std::fmt::{self, Write};
use std::net::IpAddr;

use leaderboard_core::PlayerId;
use leaderboard_core::ports::{Charge, Overdraft};
use sha2::{Digest, Sha256};

use super::RateLimitRules;
use super::busy::Owner;
use leaderboard_api::FunctionName;
use leaderboard_api::rate_limits::{Policy, PolicyName};
use leaderboard_api::{Credential, Identity};
use leaderboard_identity::hex::encode as hex;

/// The bits of an IPv6 address that are counted: a client has a network of its own, and chooses among its addresses.
const IPV6_COUNTED_BITS: u32 = 64;

/// A limit that applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedLimit {
    /// Which.
    pub name: PolicyName,
    /// How much it lets through.
    pub policy: Policy,
    /// What it counts, as the store names it.
    pub bucket: String,
    /// Whether the tenant's own document says so.
    pub is_tenants_own: bool,
    /// Who decides on it, where that is another one than the tenant under which it is counted.
    pub owner: Option<Owner>,
    /// Units of this request that the store has been headers of already.
    pub paid: u64,
}

/// Room for the name of a usual bucket, in bytes.
const USUAL_NAME_BYTES: usize = 64;

impl AppliedLimit {
    /// A policy, for those whom it counts together. The bucket's name has the numbers of the policy: what was taken under
    /// others is not held against anybody, so that a limit that is relaxed is relaxed at once.
    fn new(name: PolicyName, policy: Policy, whom: fmt::Arguments<'_>) -> Self {
        let Policy {
            quota,
            window_s,
            burst,
        } = policy;
        let mut bucket = String::with_capacity(USUAL_NAME_BYTES);
        // Writing to a string cannot fail.
        let _ = bucket.write_fmt(whom);
        // Made for every read, and the formatter is several times as dear.
        let mut digits = itoa::Buffer::new();
        for (before, number) in [('@', quota), ('/', window_s), ('/', burst)] {
            bucket.push(before);
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

    /// What a request of that cost is charged with.
    pub fn charge(&self, cost: u64) -> Charge {
        Charge {
            bucket: self.bucket.as_str().into(),
            interval_us: self.policy.interval_us(),
            burst: self.policy.burst.into(),
            needs: Some(self.needs(cost)),
            cost: self.takes(cost),
        }
    }

    /// How far ahead the limit is once a request of that cost is charged.
    pub fn after_us(&self, cost: u64, ahead_us: u64) -> u64 {
        self.charge(cost).after(ahead_us, Overdraft::ByTake)
    }

    /// How many units a request of that cost takes, beyond what is paid.
    pub fn takes(&self, cost: u64) -> u64 {
        cost.max(1).saturating_sub(self.paid)
    }

    /// Whether a request of that cost has room when the limit is so far ahead.
    pub fn has_room(&self, cost: u64, ahead_us: u64) -> bool {
        self.wait_us(cost, ahead_us) == 0
    }

    /// In what time a request of that cost has room, in microseconds.
    pub fn wait_us(&self, cost: u64, ahead_us: u64) -> u64 {
        let needed_us = self.policy.interval_us().saturating_mul(self.needs(cost));
        let ahead_us = ahead_us.saturating_add(needed_us);
        ahead_us.saturating_sub(self.policy.capacity_us())
    }

    /// How many units must be free for a request of that cost, beyond what is paid.
    fn needs(&self, cost: u64) -> u64 {
        self.policy.needs(cost).saturating_sub(self.paid)
    }
}

/// The limits of a caller at a family of endpoints; none for the operator and for exempt addresses.
pub fn applied(
    rules: &RateLimitRules,
    identity: &Identity,
    client: Option<IpAddr>,
    family: FunctionName,
) -> Vec<AppliedLimit> {
    if identity.credential == Credential::Operator || rules.exempt(client) {
        return Vec::new();
    }
    let caller = CountedCaller::of(identity, client);
    let name = caller.policy();
    let mut applied = Vec::new();
    let mut apply = |name, whom: fmt::Arguments<'_>| {
        applied.extend(rules.policy(name).map(|policy| AppliedLimit {
            is_tenants_own: rules.is_tenants_own(name),
            ..AppliedLimit::new(name, policy, whom)
        }));
    };
    apply(name, format_args!("{caller}"));
    let of_family = PolicyName::Family(family);
    apply(of_family, format_args!("{}|{caller}", of_family.as_str()));
    apply(
        PolicyName::Tenant,
        format_args!("{}", PolicyName::Tenant.as_str()),
    );
    applied
}

/// The limit of an address that shows no credential, as long as nothing is known of the tenant it names.
pub fn of_address(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let name = PolicyName::Client;
    let policy = rules.policy(name).filter(|_| !rules.exempt(client))?;
    Some(AppliedLimit::new(
        name,
        policy,
        format_args!("{}", CountedCaller::Client(client)),
    ))
}

/// The limit on requests from an address that fail, because the store is out of reach, before it is known whose they are. It
/// has the numbers of an address without a credential, and a bucket of its own: others at the address go on.
pub fn of_unanswered(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let name = PolicyName::Client;
    let policy = rules.policy(name).filter(|_| !rules.exempt(client))?;
    Some(AppliedLimit::new(
        name,
        policy,
        format_args!("unanswered:{}", CountedAddress(client)),
    ))
}

/// The limit on refused credentials from an address.
pub fn of_credentials(rules: &RateLimitRules, client: Option<IpAddr>) -> Option<AppliedLimit> {
    let policy = rules
        .policy(PolicyName::Credentials)
        .filter(|_| !rules.exempt(client))?;
    let whom = format_args!("credentials:{}", CountedAddress(client));
    Some(AppliedLimit::new(PolicyName::Credentials, policy, whom))
}

/// Who is counted.
enum CountedCaller<'a> {
    Player(&'a PlayerId),
    Key(&'a str),
    /// The digest of a token's issuer and subject: a subject is as long as the issuer likes, and of any characters.
    Token(String),
    Client(Option<IpAddr>),
}

impl<'a> CountedCaller<'a> {
    fn of(identity: &'a Identity, client: Option<IpAddr>) -> Self {
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

    /// Under which limit.
    const fn policy(&self) -> PolicyName {
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

/// An address as it is counted. Clients that the host tells nothing of are counted as one.
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

    fn buckets(identity: &Identity, client: &str) -> Vec<String> {
        let client = client.parse().ok();
        let found = applied(&RateLimitRules::default(), identity, client, FunctionName::Ranks);
        found.into_iter().map(|one| one.bucket).collect()
    }

    fn identity(credential: Credential, player: Option<&str>) -> Identity {
        Identity {
            credential,
            tenant: None,
            scopes: Scopes::READ,
            player: player.map(|id| PlayerId::new(id).unwrap()),
            expires_at: None,
        }
    }

    #[test]
    fn callers_are_counted_by_what_they_cannot_choose() {
        let nobody = Identity::anonymous();
        assert_eq!(buckets(&nobody, "192.0.2.1"), ["client:192.0.2.1@100/1/200"]);
        assert_eq!(
            buckets(&nobody, "2001:db8:1:2:3::4"),
            buckets(&nobody, "2001:db8:1:2::")
        );
        assert_ne!(
            buckets(&nobody, "2001:db8:1:2::"),
            buckets(&nobody, "2001:db8:1:3::")
        );
        assert_eq!(buckets(&nobody, ""), ["client:unknown@100/1/200"]);
        let key = Credential::Key("k1".into());
        assert_eq!(buckets(&identity(key, None), "192.0.2.1"), ["key:k1@1000/1/2000"]);
        let token = |subject: &str| Credential::Token {
            issuer: "i".into(),
            subject: subject.into(),
        };
        assert_eq!(
            buckets(&identity(token("s"), Some("ana")), ""),
            ["player:ana@100/1/200"]
        );
        let server = buckets(&identity(token("s\n"), None), "");
        assert_ne!(server, buckets(&identity(token("s"), None), ""));
        assert_eq!(server[0].len(), "token:".len() + 64 + "@1000/1/2000".len());
        assert_eq!(buckets(&Identity::operator(), "192.0.2.1"), Vec::<String>::new());
    }
}
