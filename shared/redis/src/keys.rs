//! The names of all Redis keys. Only this module and the scripts that get parts of names from it build key names.
//!
//! | key | holds |
//! |---|---|
//! | `eb:{tenant}:boards` | sorted set of leaderboard ids, all scores 0 |
//! | `eb:{tenant}:deleted` | sorted set of deleted leaderboards that still have periods, all scores 0 (see `period_deletion.lua`) |
//! | `eb:{tenant}:version` | the last version given to a configuration (see `versions.lua`); survives deletes |
//! | `eb:{tenant}:bans`, `…:players`, `…:ends` | hash of bans (see `bans.lua`), sorted set of their players, sorted set of players by the ban's end |
//! | `eb:{tenant}:bans:changes`, `…:state` | pending changes of bans, and how far they are applied (see `change_bans.lua`) |
//! | `eb:{tenant}:rebuilding` | the leaderboard that the tenant is rebuilding; expires (see `rebuild.lua`) |
//! | `eb:{tenant}:entry-counts`, `eb:{tenant}:expiring` | hash and sorted set: how many entries the tenant holds (see `entry_counts.lua`) |
//! | `eb:{tenant}:entries` | the count of entries of an earlier version |
//! | `eb:{tenant}:log_bytes` | hash: the size of the tenant's logs and idempotency records (see `log.lua`) |
//! | `eb:{tenant}:documents` | the last version given to a document of the scope; survives deletes |
//! | `eb:{tenant}:d:{kind}`, `eb:{tenant}:d:{kind}:ids` | documents of a kind and their ids (see `documents.lua`) |
//! | `eb:{tenant}:audit`, `eb:{tenant}:notices` | streams: entry `0-{position}`, fields `t` the instant and `b` the record |
//! | `eb:{tenant}:audit-copy`, `eb:{tenant}:notices-copy` | the same while an erasure replaces records (see `rewrite_stream.lua`) |
//! | `eb:{tenant}:rewriting` | hash: whose turn it is to replace entries of streams; expires (see `rewrite_stream.lua`) |
//! | `eb:{tenant}:import` | hash: the leaderboard that the tenant is importing (see `begin_import.lua`) |
//! | `eb:{tenant}:usage` | hash: requests and scores of each day (see `rate_limits.lua`) |
//! | `eb:{tenant}:rate:{bucket}` | the theoretical arrival time of a rate limit; expires when that time has passed |
//! | `eb:{tenant}:b:{board}:doc` | hash: `b` configuration, `v` its version; `p` its snapshots; `k`, `d`, `n`, `f`, `o`, `i` of its log (see `log.lua`) |
//! | `eb:{tenant}:b:{board}:log` | stream: entry `0-{position}`, field `e` the event |
//! | `eb:{tenant}:b:{board}:snapshots` | hash: the bytes of snapshots by position (see `put_snapshot.lua`) |
//! | `eb:{tenant}:b:{board}:import-parts` | list: the parts of the snapshot that is being imported |
//! | `eb:{tenant}:b:{board}:log-copy` | the log while an erasure replaces events; expires (see `rewrite_stream.lua`) |
//! | `eb:{tenant}:b:{board}:ids0`, `…ids1` | two hashes of idempotency records that take turns (see `idempotency.lua`) |
//! | `eb:{tenant}:b:{board}:periods` | sorted set of period ids by their start |
//! | `eb:{tenant}:b:{board}:expiries` | list: expiries of periods that have not been applied yet (see `expiries.lua`) |
//! | `eb:{tenant}:b:{board}:announced` | exists while a change need not be announced again |
//! | `eb:{tenant}:b:{board}:{m,e,v,h,t,c}:{period}` | one period (see `period.lua`); `m` also has its claims (see `standings.lua`) |
//! | `eb:{tenant}:b:{board}:{M,E,V,H,T,C}:{period}` | the same while it is rebuilt |
//! | `eb::documents`, `eb::d:…`, `eb::audit`, `eb::notices` | the same of the operator; no tenant is empty |
//! | `eb::dead-letters`, `eb::dead-letters:{ids,digests}` | dead letters, their ids in order, and digest to id |
//! | `eb::dead-letters:last` | the id given last to a dead letter |
//! | `eb:{tenant}:dead-letters:own` | the ids of a tenant's dead letters; no tenant is empty |
//! | `eb::queue`, `eb::queue:cursor` | stream of the queue, and how far a claim has looked for items to try again (see `queue.lua`) |
//! | `eb:{tenant}:queue:requests`, `…:ends`, `…:sizes`, `…:pending` | queued requests and their results (see `queue.lua`) |
//! | `eb::counters` | hash: the counters of the installation |
//! | `eb::shards` | hash: the tenants and the numbers of their shards; on the first of several shards (see `placement.rs`) |
//! | `eb:{tenant}:shard` | the marker: on which of several shards the tenant lives (see `register.lua`) |
//! | `eb::clock` | the server's clock in milliseconds, from which a reader of a replica knows how far it has come (see `period_reads.lua`) |
//!
//! Ids of tenants and leaderboards contain no `:`. A period's id and a bucket can contain one and come last, so all key names
//! are different.

mod leaderboard;

use leaderboard_core::ports::DocumentKind;
use leaderboard_core::{LeaderboardId, PeriodId, TenantId};

pub(crate) use leaderboard::LeaderboardKeys;

/// The prefix of every key.
const ROOT: &str = "eb:";
/// The letters of a period's keys, in the order of `period_from_keys` in `period.lua`.
const PERIOD_KINDS: [char; 6] = ['m', 'e', 'v', 'h', 't', 'c'];

/// The name of a key as bytes.
pub(crate) type Key = Vec<u8>;

fn tenant_key(tenant: &TenantId, name: &str) -> Key {
    format!("{ROOT}{tenant}:{name}").into_bytes()
}

/// Returns the tenant that a command with these keys is about. Returns `None` for keys of the operator alone, and for the dead letters:
/// all of them are on the first shard.
pub(crate) fn tenant_of(keys: &[Key]) -> Option<&str> {
    let [letters, ..] = dead_letters();
    if keys.first() == Some(&letters) {
        return None;
    }
    keys.iter().find_map(|key| {
        let rest = key.strip_prefix(ROOT.as_bytes())?;
        let end = rest.iter().position(|byte| *byte == b':')?;
        let tenant = std::str::from_utf8(rest.get(..end)?).ok()?;
        Some(tenant).filter(|tenant| !tenant.is_empty())
    })
}

/// Returns the key of the marker that says where a tenant lives (`register.lua`).
pub(crate) fn shard_marker(tenant: &str) -> Key {
    format!("{ROOT}{tenant}:shard").into_bytes()
}

/// Returns the pattern of a tenant's keys for `SCAN`. An id has no character with a meaning in patterns.
pub(crate) fn pattern_of_tenant(tenant: &TenantId) -> String {
    format!("{ROOT}{tenant}:*")
}

/// Returns the keys of the directory of tenants, and those by which the first shard knows a tenant from before there were shards.
pub(crate) fn tenant_directory(tenant: &str) -> Vec<Key> {
    let mut keys = vec![shards()];
    let of_tenant = [
        "version",
        "documents",
        "boards",
        "entry-counts",
        "usage",
        "audit",
        "import",
    ];
    keys.extend(of_tenant.map(|name| format!("{ROOT}{tenant}:{name}").into_bytes()));
    keys
}

/// Returns the key of the directory of tenants.
pub(crate) fn shards() -> Key {
    scope_key(None, "shards")
}

/// Returns the key of a tenant's list of leaderboards.
pub(crate) fn leaderboards(tenant: &TenantId) -> Key {
    tenant_key(tenant, "boards")
}

/// Returns the key of a tenant's deleted leaderboards that still have periods.
pub(crate) fn deleted_leaderboards(tenant: &TenantId) -> Key {
    tenant_key(tenant, "deleted")
}

/// Returns the key that names the leaderboard that a tenant is rebuilding.
pub(crate) fn rebuilding(tenant: &TenantId) -> Key {
    tenant_key(tenant, "rebuilding")
}

/// Returns the key of the last version given to a tenant's configurations.
pub(crate) fn last_version(tenant: &TenantId) -> Key {
    tenant_key(tenant, "version")
}

/// Returns the keys of a tenant's bans: records, players, ends, changes, state.
pub(crate) fn bans(tenant: &TenantId) -> [Key; 5] {
    ["bans", "bans:players", "bans:ends", "bans:changes", "bans:state"].map(|name| tenant_key(tenant, name))
}

/// Returns the key that says how far the changes of a tenant's bans are applied.
pub(crate) fn bans_state(tenant: &TenantId) -> Key {
    let [.., state] = bans(tenant);
    state
}

/// Returns the parts of leaderboard keys for `change_bans.lua`. First the prefix of all leaderboards of a tenant, which the
/// leaderboard's id follows. Then the endings of its configuration, its log and its list of periods, and those of the six keys
/// of a period, which the period's id follows.
pub(crate) fn leaderboard_key_parts(tenant: &TenantId) -> Vec<Key> {
    let mut parts = vec![tenant_key(tenant, "b:")];
    parts.extend([":doc", ":log", ":periods"].map(|end| end.as_bytes().to_vec()));
    parts.extend(PERIOD_KINDS.map(|kind| format!(":{kind}:").into_bytes()));
    parts
}

/// Returns the keys of a tenant's entry counts, and of its periods that expire.
pub(crate) fn entry_counts(tenant: &TenantId) -> [Key; 2] {
    ["entry-counts", "expiring"].map(|name| tenant_key(tenant, name))
}

/// Returns the key in which an earlier version kept a tenant's count of entries. Nothing reads this key.
pub(crate) fn earlier_entry_counts(tenant: &TenantId) -> Key {
    tenant_key(tenant, "entries")
}

/// Returns a period's name in [`entry_counts`]. The scripts build the same name.
pub(crate) fn period_count_name(board: &LeaderboardId, period: &PeriodId) -> Key {
    format!("{board}:{period}").into_bytes()
}

/// Returns the key of the size of a tenant's logs and idempotency records.
pub(crate) fn log_sizes(tenant: &TenantId) -> Key {
    tenant_key(tenant, "log_bytes")
}

/// Returns the key of a tenant's daily usage.
pub(crate) fn usage(tenant: &TenantId) -> Key {
    tenant_key(tenant, "usage")
}

/// Returns the key of a rate limit.
pub(crate) fn bucket(tenant: &TenantId, bucket: &str) -> Key {
    tenant_key(tenant, &format!("rate:{bucket}"))
}

/// Returns the parts of leaderboard keys for `read_leaderboard_keys` in `entry_counts.lua`. First the prefix of all leaderboards of
/// a tenant, which the leaderboard's id follows. Then the ending of its list of periods, and those of a period's meta and
/// entries, which the period's id follows.
pub(crate) fn period_count_key_parts(tenant: &TenantId) -> [Key; 4] {
    [
        tenant_key(tenant, "b:"),
        b":periods".to_vec(),
        b":m:".to_vec(),
        b":e:".to_vec(),
    ]
}

/// Returns the parts of a configuration's key before and after the leaderboard's id.
pub(crate) fn configuration_key_parts(tenant: &TenantId) -> (Key, Key) {
    (tenant_key(tenant, "b:"), b":doc".to_vec())
}

/// Returns a key of a tenant, or of the operator for `None`.
fn scope_key(tenant: Option<&TenantId>, name: &str) -> Key {
    match tenant {
        Some(tenant) => tenant_key(tenant, name),
        None => format!("{ROOT}:{name}").into_bytes(),
    }
}

/// Returns the key of the documents of a kind in a scope, and the key of their ids.
pub(crate) fn documents(tenant: Option<&TenantId>, kind: DocumentKind) -> [Key; 2] {
    let kind = kind.as_str();
    [format!("d:{kind}"), format!("d:{kind}:ids")].map(|name| scope_key(tenant, &name))
}

/// Returns the key of the last version given to a document of a scope.
pub(crate) fn last_document_version(tenant: Option<&TenantId>) -> Key {
    scope_key(tenant, "documents")
}

/// Returns the keys of the audit log of a scope: the stream of audit events, the stream of refusals and issued
/// tokens.
pub(crate) fn audit(tenant: Option<&TenantId>) -> [Key; 2] {
    ["audit", "notices"].map(|name| scope_key(tenant, name))
}

/// Returns the keys of the copies of a tenant's audit log, in the order of [`audit`].
pub(crate) fn audit_copies(tenant: &TenantId) -> [Key; 2] {
    ["audit-copy", "notices-copy"].map(|name| tenant_key(tenant, name))
}

/// Returns the key that says whose turn it is to replace entries of a tenant's streams.
pub(crate) fn rewriting(tenant: &TenantId) -> Key {
    tenant_key(tenant, "rewriting")
}

/// Returns the key of the leaderboard that a tenant is importing.
pub(crate) fn import(tenant: &TenantId) -> Key {
    tenant_key(tenant, "import")
}

/// Returns the key of the counters of the installation.
pub(crate) fn counters() -> Key {
    scope_key(None, "counters")
}

/// Returns the key of the time of the primary's clock.
pub(crate) fn clock() -> Key {
    scope_key(None, "clock")
}

/// Returns the keys of the dead letters, of their ids, and of the ids by digest.
pub(crate) fn dead_letters() -> [Key; 3] {
    ["dead-letters", "dead-letters:ids", "dead-letters:digests"].map(|name| scope_key(None, name))
}

/// Returns the key of the last id given to a dead letter.
pub(crate) fn last_dead_letter() -> Key {
    scope_key(None, "dead-letters:last")
}

/// Returns the key of the ids of a tenant's dead letters; for `None`, of the dead letters without a tenant.
pub(crate) fn dead_letters_of_scope(tenant: Option<&TenantId>) -> Key {
    scope_key(tenant, "dead-letters:own")
}

/// Returns the keys of the queue: the stream, to which backends append too, and the cursor of claims.
pub(crate) fn queue() -> [Key; 2] {
    ["queue", "queue:cursor"].map(|name| scope_key(None, name))
}

/// Returns the keys of a tenant's queued requests, of the ends of their results, of their sizes, and of the requests of players that
/// are in the queue.
pub(crate) fn queued_requests(tenant: &TenantId) -> [Key; 4] {
    ["queue:requests", "queue:ends", "queue:sizes", "queue:pending"].map(|name| tenant_key(tenant, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn list_scope_keys(tenant: Option<&TenantId>) -> Vec<Key> {
        let kinds = DocumentKind::ALL.into_iter();
        let mut keys: Vec<Key> = kinds.flat_map(|kind| super::documents(tenant, kind)).collect();
        keys.push(last_document_version(tenant));
        keys.extend(audit(tenant));
        keys
    }

    #[test]
    fn all_key_names_are_different() {
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
        keys.extend([
            last_dead_letter(),
            dead_letters_of_scope(None),
            counters(),
            clock(),
            shards(),
        ]);
        keys.extend(queue());
        for tenant in slugs.map(|slug| TenantId::new(slug).unwrap()) {
            keys.extend([leaderboards(&tenant), last_version(&tenant)]);
            keys.extend(bans(&tenant));
            keys.extend(entry_counts(&tenant));
            keys.push(deleted_leaderboards(&tenant));
            keys.extend([earlier_entry_counts(&tenant), usage(&tenant)]);
            keys.push(log_sizes(&tenant));
            keys.push(dead_letters_of_scope(Some(&tenant)));
            keys.extend(queued_requests(&tenant));
            keys.extend(audit_copies(&tenant));
            keys.extend([rewriting(&tenant), import(&tenant), shard_marker(tenant.as_str())]);
            keys.extend(list_scope_keys(Some(&tenant)));
            keys.extend(["", "b:a:doc", "usage", ":"].map(|name| bucket(&tenant, name)));
            for board in slugs.map(|slug| LeaderboardId::new(slug).unwrap()) {
                let named = LeaderboardKeys::new(&tenant, &board);
                keys.extend([named.configuration(), named.log(), named.periods()]);
                keys.extend([named.announced(), named.expiries(), named.log_copy()]);
                keys.extend(named.idempotency_records());
                keys.extend([named.snapshots(), named.import_parts()]);
                for period in &periods {
                    keys.extend(named.period(period));
                    keys.extend(named.spare_period(period));
                }
            }
        }
        keys.extend(list_scope_keys(None));
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }

    #[test]
    fn keys_built_from_parts_equal_the_named_keys() {
        let tenant = TenantId::new("acme").unwrap();
        let board = LeaderboardId::new("goals").unwrap();
        let period = PeriodId::parse("2026-01-01T00:00:00Z").unwrap();
        let named = LeaderboardKeys::new(&tenant, &board);
        let derived = named.period_prefixes().map(|mut prefix| {
            prefix.extend_from_slice(period.as_str().as_bytes());
            prefix
        });
        assert_eq!(derived, named.period(&period));
        let mut parts = leaderboard_key_parts(&tenant).into_iter();
        let begin = parts.next().unwrap();
        let mut named_parts = vec![named.configuration(), named.log(), named.periods()];
        named_parts.extend(named.period_prefixes());
        for (part, whole) in parts.by_ref().zip(named_parts) {
            assert_eq!([&begin[..], board.as_bytes(), &part].concat(), whole);
        }
        assert_eq!(parts.next(), None);
        let (mut key, end) = configuration_key_parts(&tenant);
        key.extend_from_slice(board.as_bytes());
        key.extend(end);
        assert_eq!(key, named.configuration());
        let [begin, periods, meta, entries] = period_count_key_parts(&tenant);
        let around = |part: &Key, end: &str| [&begin, board.as_bytes(), part, end.as_bytes()].concat();
        assert_eq!(around(&periods, ""), named.periods());
        let [named_meta, named_entries, ..] = named.period(&period);
        assert_eq!(around(&meta, period.as_str()), named_meta);
        assert_eq!(around(&entries, period.as_str()), named_entries);
    }
}
