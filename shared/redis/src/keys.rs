//! Names of keys, and nothing else makes any.
//!
//! | key | holds |
//! |---|---|
//! | `eb:{tenant}:boards` | sorted set of leaderboard ids, all scores 0 |
//! | `eb:{tenant}:version` | the last version given to a configuration; survives deletes |
//! | `eb:{tenant}:hidden` | set of hidden players |
//! | `eb:{tenant}:entries`, `eb:{tenant}:expiring` | hash and sorted set: how many entries are held (see `held.lua`) |
//! | `eb:{tenant}:documents` | the last version given to a document of the scope; survives deletes |
//! | `eb:{tenant}:d:{kind}`, `eb:{tenant}:d:{kind}:ids` | documents of a kind and their ids (see `documents.lua`) |
//! | `eb:{tenant}:audit`, `eb:{tenant}:notices` | streams: entry `0-{position}`, fields `t` the instant and `b` the record |
//! | `eb:{tenant}:usage` | hash: requests and scores of each day (see `metering.lua`) |
//! | `eb:{tenant}:rate:{bucket}` | a rate limit's state; gone when it is as good as new |
//! | `eb:{tenant}:b:{board}:doc` | hash: `b` configuration, `v` its version |
//! | `eb:{tenant}:b:{board}:log` | stream: entry `0-{position}`, field `e` the event |
//! | `eb:{tenant}:b:{board}:ids0`, `…ids1` | hashes of submission ids, taking turns (see `remembered.lua`) |
//! | `eb:{tenant}:b:{board}:periods` | sorted set of period ids by their start |
//! | `eb:{tenant}:b:{board}:announced` | there for as long as a change need not be announced again |
//! | `eb:{tenant}:b:{board}:{m,e,v,h,t,c}:{period}` | one period (see `period.lua`) |
//! | `eb:{tenant}:b:{board}:{M,E,V,H,T,C}:{period}` | the same while it is rebuilt |
//! | `eb::documents`, `eb::d:…`, `eb::audit`, `eb::notices` | the same of the operator; no tenant is empty |
//! | `eb::letters`, `eb::letters:seen` | dead letters and their digests |
//! | `eb::counters` | hash: the counters of the installation |
//!
//! Ids of tenants and leaderboards hold no `:`, and what may hold one (a period's id, a bucket) comes last, so no two
//! keys meet.

use leaderboard_core::ports::DocumentKind;
use leaderboard_core::{LeaderboardId, PeriodId, TenantId};

/// What every key begins with.
const ROOT: &str = "eb:";
/// The letters of a period's keys, in the order of `period_at` in `period.lua`.
const PERIOD_KINDS: [char; 6] = ['m', 'e', 'v', 'h', 't', 'c'];

/// A key as bytes.
pub(crate) type Key = Vec<u8>;

fn of_tenant(tenant: &TenantId, name: &str) -> Key {
    format!("{ROOT}{tenant}:{name}").into_bytes()
}

/// The ids of a tenant's leaderboards.
pub(crate) fn boards(tenant: &TenantId) -> Key {
    of_tenant(tenant, "boards")
}

/// The last version given to a tenant's configurations.
pub(crate) fn last_version(tenant: &TenantId) -> Key {
    of_tenant(tenant, "version")
}

/// A tenant's hidden players.
pub(crate) fn hidden_players(tenant: &TenantId) -> Key {
    of_tenant(tenant, "hidden")
}

/// How many entries a tenant holds, and the periods that take some of them along when they expire.
pub(crate) fn held_entries(tenant: &TenantId) -> [Key; 2] {
    ["entries", "expiring"].map(|name| of_tenant(tenant, name))
}

/// A period's name in [`held_entries`], as the scripts make it.
pub(crate) fn held_name(board: &LeaderboardId, period: &PeriodId) -> Key {
    format!("{board}:{period}").into_bytes()
}

/// What a tenant used on each day.
pub(crate) fn usage(tenant: &TenantId) -> Key {
    of_tenant(tenant, "usage")
}

/// A rate limit's state.
pub(crate) fn bucket(tenant: &TenantId, bucket: &str) -> Key {
    of_tenant(tenant, &format!("rate:{bucket}"))
}

/// What the keys of all leaderboards of a tenant begin with; the leaderboard's id follows, and then one of these:
/// its list of periods, or the beginning of a period's meta or entries, which the period's id ends.
pub(crate) fn around_boards(tenant: &TenantId) -> [Key; 4] {
    [
        of_tenant(tenant, "b:"),
        b":periods".to_vec(),
        b":m:".to_vec(),
        b":e:".to_vec(),
    ]
}

/// What a configuration's key begins and ends with, the leaderboard's id between them.
pub(crate) fn configuration_around(tenant: &TenantId) -> (Key, Key) {
    (of_tenant(tenant, "b:"), b":doc".to_vec())
}

/// What belongs to a tenant, or to the operator.
fn of_scope(tenant: Option<&TenantId>, name: &str) -> Key {
    match tenant {
        Some(tenant) => of_tenant(tenant, name),
        None => format!("{ROOT}:{name}").into_bytes(),
    }
}

/// The documents of a scope and kind, and their ids.
pub(crate) fn documents(tenant: Option<&TenantId>, kind: DocumentKind) -> [Key; 2] {
    let kind = kind.as_str();
    [format!("d:{kind}"), format!("d:{kind}:ids")].map(|name| of_scope(tenant, &name))
}

/// The last version given to a document of a scope.
pub(crate) fn last_document_version(tenant: Option<&TenantId>) -> Key {
    of_scope(tenant, "documents")
}

/// The audit log of a scope: its acts, and its notices.
pub(crate) fn audit(tenant: Option<&TenantId>) -> [Key; 2] {
    ["audit", "notices"].map(|name| of_scope(tenant, name))
}

/// The counters of the installation.
pub(crate) fn counters() -> Key {
    of_scope(None, "counters")
}

/// Dead letters, and the digests of those kept.
pub(crate) fn letters() -> [Key; 2] {
    ["letters", "letters:seen"].map(|name| of_scope(None, name))
}

/// The keys of one leaderboard.
#[derive(Debug, Clone)]
pub(crate) struct BoardKeys(String);

impl BoardKeys {
    pub(crate) fn new(tenant: &TenantId, board: &LeaderboardId) -> Self {
        Self([ROOT, tenant.as_str(), ":b:", board.as_str(), ":"].concat())
    }

    fn named(&self, name: &str) -> Key {
        [self.0.as_bytes(), name.as_bytes()].concat()
    }

    /// The key of one kind of a period; a submission names six of them, so they are put together without formatting.
    fn of_period(&self, kind: char, period: &str) -> Key {
        let mut letter = [0; 4];
        let kind = kind.encode_utf8(&mut letter);
        [self.0.as_bytes(), kind.as_bytes(), b":", period.as_bytes()].concat()
    }

    pub(crate) fn configuration(&self) -> Key {
        self.named("doc")
    }

    pub(crate) fn log(&self) -> Key {
        self.named("log")
    }

    pub(crate) fn ids(&self) -> [Key; 2] {
        ["ids0", "ids1"].map(|name| self.named(name))
    }

    pub(crate) fn periods(&self) -> Key {
        self.named("periods")
    }

    pub(crate) fn announced(&self) -> Key {
        self.named("announced")
    }

    /// The six keys of a period.
    pub(crate) fn period(&self, period: &PeriodId) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.of_period(kind, period.as_str()))
    }

    /// Six keys for a period while it is rebuilt.
    pub(crate) fn spare_period(&self, period: &PeriodId) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.of_period(kind.to_ascii_uppercase(), period.as_str()))
    }

    /// What the six keys of any period begin with; its id follows.
    pub(crate) fn period_prefixes(&self) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.of_period(kind, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn of_a_scope(tenant: Option<&TenantId>) -> Vec<Key> {
        let kinds = DocumentKind::ALL.into_iter();
        let mut keys: Vec<Key> = kinds.flat_map(|kind| super::documents(tenant, kind)).collect();
        keys.push(last_document_version(tenant));
        keys.extend(audit(tenant));
        keys
    }

    #[test]
    fn no_two_things_share_a_key() {
        let slugs = [
            "a", "b", "boards", "version", "hidden", "letters", "a.b", "doc", "m", "d", "audit", "notices",
            "rate",
        ];
        let periods = ["all", "beginning", "2026-01-01T00:00:00Z"].map(|id| PeriodId::parse(id).unwrap());
        let mut keys = letters().to_vec();
        keys.push(counters());
        for tenant in slugs.map(|slug| TenantId::new(slug).unwrap()) {
            keys.extend([boards(&tenant), last_version(&tenant), hidden_players(&tenant)]);
            keys.extend(held_entries(&tenant));
            keys.push(usage(&tenant));
            keys.extend(of_a_scope(Some(&tenant)));
            keys.extend(["", "b:a:doc", "usage", ":"].map(|name| bucket(&tenant, name)));
            for board in slugs.map(|slug| LeaderboardId::new(slug).unwrap()) {
                let named = BoardKeys::new(&tenant, &board);
                keys.extend([named.configuration(), named.log(), named.periods()]);
                keys.push(named.announced());
                keys.extend(named.ids());
                for period in &periods {
                    keys.extend(named.period(period));
                    keys.extend(named.spare_period(period));
                }
            }
        }
        keys.extend(of_a_scope(None));
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }

    #[test]
    fn derived_keys_are_the_named_ones() {
        let tenant = TenantId::new("acme").unwrap();
        let board = LeaderboardId::new("goals").unwrap();
        let period = PeriodId::parse("2026-01-01T00:00:00Z").unwrap();
        let named = BoardKeys::new(&tenant, &board);
        let derived = named.period_prefixes().map(|mut prefix| {
            prefix.extend_from_slice(period.as_str().as_bytes());
            prefix
        });
        assert_eq!(derived, named.period(&period));
        let (mut key, end) = configuration_around(&tenant);
        key.extend_from_slice(board.as_bytes());
        key.extend(end);
        assert_eq!(key, named.configuration());
        let [begin, periods, meta, entries] = around_boards(&tenant);
        let around = |part: &Key, end: &str| [&begin, board.as_bytes(), part, end.as_bytes()].concat();
        assert_eq!(around(&periods, ""), named.periods());
        let [named_meta, named_entries, ..] = named.period(&period);
        assert_eq!(around(&meta, period.as_str()), named_meta);
        assert_eq!(around(&entries, period.as_str()), named_entries);
    }
}
