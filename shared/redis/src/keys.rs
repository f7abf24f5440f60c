//! Names of keys, and nothing else makes any.
//!
//! | key | holds |
//! |---|---|
//! | `eb:{tenant}:boards` | sorted set of leaderboard ids, all scores 0 |
//! | `eb:{tenant}:deleted` | sorted set of deleted leaderboards whose periods are not all gone, all scores 0 (see `gone.lua`) |
//! | `eb:{tenant}:version` | the last version given to a configuration (see `versions.lua`); survives deletes |
//! | `eb:{tenant}:bans`, `…:players`, `…:ends` | hash of bans (see `bans.lua`), sorted sets of their players and by their end |
//! | `eb:{tenant}:bans:changes`, `…:state` | bans that are yet to be applied, and how far that is (see `change_bans.lua`) |
//! | `eb:{tenant}:rebuilding` | the leaderboard whose rebuild goes on, for as long as it does (see `rebuild.lua`) |
//! | `eb:{tenant}:entry-counts`, `eb:{tenant}:expiring` | hash and sorted set: how many entries there are (see `held.lua`) |
//! | `eb:{tenant}:entries` | the count of entries as an earlier version kept it |
//! | `eb:{tenant}:log_bytes` | hash: what the tenant's logs and idempotency records weigh (see `log.lua`) |
//! | `eb:{tenant}:documents` | the last version given to a document of the scope; survives deletes |
//! | `eb:{tenant}:d:{kind}`, `eb:{tenant}:d:{kind}:ids` | documents of a kind and their ids (see `documents.lua`) |
//! | `eb:{tenant}:audit`, `eb:{tenant}:notices` | streams: entry `0-{position}`, fields `t` the instant and `b` the record |
//! | `eb:{tenant}:usage` | hash: requests and scores of each day (see `metering.lua`) |
//! | `eb:{tenant}:rate:{bucket}` | a rate limit's state; gone when it is as good as new |
//! | `eb:{tenant}:b:{board}:doc` | hash: `b` configuration, `v` its version; `k`, `d`, `n`, `f` of its log (see `log.lua`) |
//! | `eb:{tenant}:b:{board}:log` | stream: entry `0-{position}`, field `e` the event |
//! | `eb:{tenant}:b:{board}:ids0`, `…ids1` | hashes of submission ids, taking turns (see `remembered.lua`) |
//! | `eb:{tenant}:b:{board}:periods` | sorted set of period ids by their start |
//! | `eb:{tenant}:b:{board}:expiries` | list: expiries of periods that are still to be applied (see `expiries.lua`) |
//! | `eb:{tenant}:b:{board}:announced` | there for as long as a change need not be announced again |
//! | `eb:{tenant}:b:{board}:{m,e,v,h,t,c}:{period}` | one period (see `period.lua`) |
//! | `eb:{tenant}:b:{board}:{M,E,V,H,T,C}:{period}` | the same while it is rebuilt |
//! | `eb::documents`, `eb::d:…`, `eb::audit`, `eb::notices` | the same of the operator; no tenant is empty |
//! | `eb::dead-letters`, `eb::dead-letters:{ids,digests}` | dead letters, their ids in order, and digest to id |
//! | `eb::dead-letters:last` | the id given last to a dead letter |
//! | `eb:{tenant}:dead-letters:own` | the ids of a tenant's dead letters; no tenant is empty |
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

/// A tenant's leaderboards that are deleted and have periods left.
pub(crate) fn deleted_boards(tenant: &TenantId) -> Key {
    of_tenant(tenant, "deleted")
}

/// Which of a tenant's leaderboards is being rebuilt.
pub(crate) fn rebuilding(tenant: &TenantId) -> Key {
    of_tenant(tenant, "rebuilding")
}

/// The last version given to a tenant's configurations.
pub(crate) fn last_version(tenant: &TenantId) -> Key {
    of_tenant(tenant, "version")
}

/// A tenant's bans: records, players, ends, changes, state.
pub(crate) fn bans(tenant: &TenantId) -> [Key; 5] {
    ["bans", "bans:players", "bans:ends", "bans:changes", "bans:state"].map(|name| of_tenant(tenant, name))
}

/// How far the changes of a tenant's bans are applied.
pub(crate) fn bans_state(tenant: &TenantId) -> Key {
    let [.., state] = bans(tenant);
    state
}

/// What the keys of all leaderboards of a tenant begin with, and how they go on after the leaderboard's id: its
/// configuration, its log, its list of periods, and the six keys of a period, whose id ends them.
pub(crate) fn around_board(tenant: &TenantId) -> Vec<Key> {
    let mut parts = vec![of_tenant(tenant, "b:")];
    parts.extend([":doc", ":log", ":periods"].map(|end| end.as_bytes().to_vec()));
    parts.extend(PERIOD_KINDS.map(|kind| format!(":{kind}:").into_bytes()));
    parts
}

/// How many entries a tenant holds, and the periods that take some of them along when they expire.
pub(crate) fn held_entries(tenant: &TenantId) -> [Key; 2] {
    ["entry-counts", "expiring"].map(|name| of_tenant(tenant, name))
}

/// How many entries a tenant holds, as an earlier version kept it: of no use any more.
pub(crate) fn earlier_entry_counts(tenant: &TenantId) -> Key {
    of_tenant(tenant, "entries")
}

/// A period's name in [`held_entries`], as the scripts make it.
pub(crate) fn held_name(board: &LeaderboardId, period: &PeriodId) -> Key {
    format!("{board}:{period}").into_bytes()
}

/// What a tenant's logs and idempotency records weigh.
pub(crate) fn log_weights(tenant: &TenantId) -> Key {
    of_tenant(tenant, "log_bytes")
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

/// Dead letters, their ids, and the ids by digest.
pub(crate) fn dead_letters() -> [Key; 3] {
    ["dead-letters", "dead-letters:ids", "dead-letters:digests"].map(|name| of_scope(None, name))
}

/// The id given last to a dead letter.
pub(crate) fn last_dead_letter() -> Key {
    of_scope(None, "dead-letters:last")
}

/// The ids of the dead letters of a tenant, or of those that name none.
pub(crate) fn dead_letters_of(tenant: Option<&TenantId>) -> Key {
    of_scope(tenant, "dead-letters:own")
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

    pub(crate) fn expiries(&self) -> Key {
        self.named("expiries")
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
            "a",
            "b",
            "boards",
            "version",
            "bans",
            "dead-letters",
            "a.b",
            "doc",
            "m",
            "d",
            "audit",
            "notices",
            "rate",
        ];
        let periods = ["all", "beginning", "2026-01-01T00:00:00Z"].map(|id| PeriodId::parse(id).unwrap());
        let mut keys = dead_letters().to_vec();
        keys.extend([last_dead_letter(), dead_letters_of(None), counters()]);
        for tenant in slugs.map(|slug| TenantId::new(slug).unwrap()) {
            keys.extend([boards(&tenant), last_version(&tenant)]);
            keys.extend(bans(&tenant));
            keys.extend(held_entries(&tenant));
            keys.push(deleted_boards(&tenant));
            keys.push(earlier_entry_counts(&tenant));
            keys.push(usage(&tenant));
            keys.push(log_weights(&tenant));
            keys.push(dead_letters_of(Some(&tenant)));
            keys.extend(of_a_scope(Some(&tenant)));
            keys.extend(["", "b:a:doc", "usage", ":"].map(|name| bucket(&tenant, name)));
            for board in slugs.map(|slug| LeaderboardId::new(slug).unwrap()) {
                let named = BoardKeys::new(&tenant, &board);
                keys.extend([named.configuration(), named.log(), named.periods()]);
                keys.extend([named.announced(), named.expiries()]);
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
        let mut parts = around_board(&tenant).into_iter();
        let begin = parts.next().unwrap();
        let mut named_parts = vec![named.configuration(), named.log(), named.periods()];
        named_parts.extend(named.period_prefixes());
        for (part, whole) in parts.by_ref().zip(named_parts) {
            assert_eq!([&begin[..], board.as_bytes(), &part].concat(), whole);
        }
        assert_eq!(parts.next(), None);
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
