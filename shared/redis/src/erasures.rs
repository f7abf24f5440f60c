//! The [`Erasures`] port: erases a player from entries, logs and the audit log.

use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{Bans, Erasures, ReplaceRecord};
use leaderboard_core::{
    Event, EventBody, LeaderboardId, PeriodId, PlayerErasure, PseudonymousEvent, StoreError, TenantId,
    Timestamp,
};

use crate::connection::Connection;
use crate::keys::{self, Key, LeaderboardKeys};
use crate::script::ScriptCall;
use crate::scripts::{ERASE_ENTRIES, REWRITE_STREAM, SEARCH_STREAM};
use crate::{RedisStore, bans};

/// How many entries of a stream one command looks at. They take a few milliseconds.
const SEARCHED_AT_ONCE: u32 = 4_000;
/// How many entries of a stream one command copies. They take a few milliseconds.
const COPIED_AT_ONCE: u32 = 1_000;
/// The most commands with which one call looks for the first entry to replace: enough for every log.
const MAX_SEARCHES: u32 = 400;
/// How long an unfinished copy is kept, in milliseconds: long enough for a client to send its request again. After that, the erasure
/// of another player can copy the stream.
const COPY_KEPT_MS: u32 = 60_000;

/// A stream whose entries are replaced.
struct RewrittenStream {
    stream: Key,
    copy: Key,
    turn: Key,
    /// For a log: the configuration, the log sizes, the idempotency records.
    log_keys: Vec<Key>,
    /// The name of the rewriting. It begins with `erasure`.
    name: String,
    /// The part of the name that the rewritings of one erasure share.
    erasure: String,
    /// The position of the last entry that may be replaced.
    up_to: u64,
}

/// The reply of `search_stream.lua`.
struct FoundEntries {
    after: Vec<u8>,
    last: Vec<u8>,
    has_copy: bool,
    ended: bool,
    /// The positions and the values.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What replaces an entry.
struct Replacement {
    value: Vec<u8>,
    /// The names that the idempotency record can have, and its instant.
    record: Option<([String; 2], Timestamp)>,
}

impl<C: Connection> Erasures for RedisStore<C> {
    async fn erase_entries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        // A player who is banned has no place in final standings.
        bans::apply_bans(&self.server, tenant, &[leaderboard], at).await?;
        let leaderboard_keys = LeaderboardKeys::new(tenant, leaderboard);
        let mut call = ScriptCall::with_keys([
            leaderboard_keys.configuration(),
            leaderboard_keys.log(),
            leaderboard_keys.periods(),
        ]);
        call.add_keys(keys::entry_counts(tenant));
        call.add_keys([keys::log_sizes(tenant)]);
        call.add_bytes(erasure.player.as_bytes());
        call.add_bytes(erasure.pseudonym.as_bytes());
        call.add_bytes(encode_removal_head(erasure, at));
        call.add_text(leaderboard);
        for prefix in leaderboard_keys.period_prefixes() {
            call.add_bytes(prefix);
        }
        for prefix in leaderboard_keys.spare_period_prefixes() {
            call.add_bytes(prefix);
        }
        let mut reply = ERASE_ENTRIES.run(&self.server, &call).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Ok(Some(reply.read_number()?))
    }

    async fn erase_events(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        up_to: u64,
    ) -> Result<bool, StoreError> {
        let leaderboard_keys = LeaderboardKeys::new(tenant, leaderboard);
        let mut log_keys = vec![leaderboard_keys.configuration(), keys::log_sizes(tenant)];
        log_keys.extend(leaderboard_keys.idempotency_records());
        let stream = RewrittenStream {
            stream: leaderboard_keys.log(),
            copy: leaderboard_keys.log_copy(),
            turn: keys::rewriting(tenant),
            log_keys,
            name: format!("{} {up_to}", erasure.pseudonym),
            erasure: erasure.pseudonym.to_string(),
            up_to,
        };
        let replace = |bytes: &[u8]| {
            let replaced = erasure.replace_event(bytes)?;
            Ok(replaced.map(|replaced| replacement_of(erasure, replaced)))
        };
        self.rewrite(&stream, erasure.player.as_bytes(), replace).await
    }

    async fn replace_audit(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        mention: &[u8],
        replace: ReplaceRecord<'_>,
    ) -> Result<bool, StoreError> {
        let replace = |bytes: &[u8]| {
            let replaced = replace(bytes);
            Ok(replaced.map(|value| Replacement { value, record: None }))
        };
        let streams = keys::audit(Some(tenant))
            .into_iter()
            .zip(keys::audit_copies(tenant));
        for (kind, (stream, copy)) in streams.enumerate() {
            let stream = RewrittenStream {
                stream,
                copy,
                turn: keys::rewriting(tenant),
                log_keys: Vec::new(),
                name: format!("{} audit {kind}", erasure.pseudonym),
                erasure: erasure.pseudonym.to_string(),
                up_to: u64::MAX,
            };
            if !self.rewrite(&stream, mention, replace).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn erase_ban(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.unban(tenant, &erasure.player, at).await?;
        bans::apply_bans(&self.server, tenant, &[], at).await
    }
}

impl<C: Connection> RedisStore<C> {
    /// Looks for entries to replace, and does the next step of the copy that has their replacements. Returns whether the stream has
    /// no entries to replace any more.
    async fn rewrite(
        &self,
        stream: &RewrittenStream,
        mention: &[u8],
        replace: impl Fn(&[u8]) -> Result<Option<Replacement>, StoreError>,
    ) -> Result<bool, StoreError> {
        let mut from = b"0".to_vec();
        for _ in 0..MAX_SEARCHES {
            let found = self.search(stream, mention, &from, SEARCHED_AT_ONCE).await?;
            if found.has_copy {
                return self.copy_entries(stream, &found, &replace).await;
            }
            if !replace_all(&found, &replace)?.is_empty() {
                // The copy begins with the first entry of the stream.
                let found = self.search(stream, mention, b"0", COPIED_AT_ONCE).await?;
                return self.copy_entries(stream, &found, &replace).await;
            }
            if found.ended {
                return Ok(true);
            }
            from = found.last;
            self.server.yield_to_others().await;
        }
        Ok(false)
    }

    async fn search(
        &self,
        stream: &RewrittenStream,
        mention: &[u8],
        from: &[u8],
        limit: u32,
    ) -> Result<FoundEntries, StoreError> {
        let keys = [&stream.stream, &stream.copy, &stream.turn];
        let mut call = ScriptCall::with_keys(keys.map(Clone::clone));
        call.add_text(&stream.name);
        call.add_bytes(from);
        call.add_text(&limit);
        call.add_text(&COPIED_AT_ONCE);
        call.add_text(&stream.up_to);
        call.add_bytes(mention);
        let mut reply = SEARCH_STREAM.run(&self.server, &call).await?;
        let mut found = FoundEntries {
            after: reply.read_bytes()?,
            last: reply.read_bytes()?,
            has_copy: reply.read_count()? == 1,
            ended: reply.read_count()? == 1,
            entries: Vec::with_capacity(reply.remaining() / 2),
        };
        while !reply.is_empty() {
            found.entries.push((reply.read_bytes()?, reply.read_bytes()?));
        }
        Ok(found)
    }

    /// Copies the entries among which `found` was found. Returns whether the copy has replaced the stream.
    async fn copy_entries(
        &self,
        stream: &RewrittenStream,
        found: &FoundEntries,
        replace: impl Fn(&[u8]) -> Result<Option<Replacement>, StoreError>,
    ) -> Result<bool, StoreError> {
        let replacements = replace_all(found, replace)?;
        let keys = [&stream.stream, &stream.copy, &stream.turn];
        let mut call = ScriptCall::with_keys(keys.map(Clone::clone));
        call.add_keys(stream.log_keys.iter().cloned());
        call.add_text(&stream.name);
        call.add_text(&stream.erasure);
        call.add_text(&COPY_KEPT_MS);
        call.add_bytes(&found.after);
        call.add_bytes(&found.last);
        call.add_text(&replacements.len());
        for (position, replacement) in &replacements {
            call.add_bytes(position);
            call.add_bytes(&replacement.value);
        }
        for (names, instant) in replacements.iter().filter_map(|(_, with)| with.record.as_ref()) {
            for name in names {
                call.add_bytes(name);
            }
            call.add_text(&instant.as_unix_ms());
        }
        let step = REWRITE_STREAM.run(&self.server, &call).await?.read_count()?;
        self.server.yield_to_others().await;
        Ok(step == 2)
    }
}

/// Returns the positions and replacements of the entries that are replaced.
fn replace_all(
    found: &FoundEntries,
    replace: impl Fn(&[u8]) -> Result<Option<Replacement>, StoreError>,
) -> Result<Vec<(&[u8], Replacement)>, StoreError> {
    let mut replaced = Vec::new();
    for (position, value) in &found.entries {
        if let Some(replacement) = replace(value)? {
            replaced.push((position.as_slice(), replacement));
        }
    }
    Ok(replaced)
}

fn replacement_of(erasure: &PlayerErasure, replaced: PseudonymousEvent) -> Replacement {
    let PseudonymousEvent {
        bytes,
        id,
        recorded_at,
    } = replaced;
    Replacement {
        value: bytes,
        record: id.map(|id| (erasure.record_names(&id), recorded_at)),
    }
}

/// Returns the event of the removal of the player's entry without its period, which `erase_entries.lua` appends.
fn encode_removal_head(erasure: &PlayerErasure, at: Timestamp) -> Vec<u8> {
    let period = PeriodId::all_time();
    let period_bytes = period.as_str().len() + 1;
    let mut event = encode_event(&Event {
        recorded_at: at,
        body: EventBody::Removed {
            player: erasure.player.clone(),
            period,
        },
    });
    event.truncate(event.len().saturating_sub(period_bytes));
    event
}
