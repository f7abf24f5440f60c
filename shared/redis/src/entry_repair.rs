//! The [`EntryRepair`] port: stored entries, for a comparison with the event log.

use leaderboard_core::codec::Writer;
use leaderboard_core::ports::{
    Correction, EntryRepair, ListedEntry, PeriodRef, ReadError, ScannedPlayers, StoredEntries, StoredEntry,
};
use leaderboard_core::{Entry, Layout, PlayerId, SORTABLE_BYTES, StoreError};

use crate::RedisStore;
use crate::connection::Connection;
use crate::keys::{self, LeaderboardKeys};
use crate::packing::{pack_metadata, unpack_entry, widen_key};
use crate::reads::{read_layout, run_read, start_call};
use crate::reply_reader::{corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{CORRECT_ENTRIES, READ_STORED_ENTRIES, SCAN_STORED_PLAYERS};

/// The keys of a period that a scan goes through, in this order.
const SCANNED: [&str; 3] = ["entries", "visible", "banned"];
/// The states of an entry in `stored_entries.lua`.
const ABSENT: u8 = 0;
const VISIBLE: u8 = 1;
const BANNED: u8 = 2;

impl<C: Connection> EntryRepair for RedisStore<C> {
    async fn read_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<StoredEntries, ReadError> {
        let leaderboard_keys = LeaderboardKeys::new(period_ref.tenant, &period_ref.leaderboard.value.id);
        let mut call = start_call(period_ref);
        call.add_keys([leaderboard_keys.log()]);
        for player in players {
            call.add_bytes(player.as_bytes());
        }
        let mut reply = run_read(&self.server, &READ_STORED_ENTRIES, period_ref, call).await?;
        let layout = read_layout(&mut reply)?;
        let position = reply.read_number()?;
        let version = reply.read_number()?;
        let mut entries = Vec::with_capacity(players.len());
        for player in players {
            let state = u8::try_from(reply.read_count()?).map_err(corrupt)?;
            let packed = reply.read_bytes()?;
            let entry = match (state, &layout) {
                (ABSENT, _) | (_, None) => StoredEntry::Absent,
                (VISIBLE | BANNED, Some(layout)) => {
                    unpack_stored(layout, player, &packed).map_or(StoredEntry::Damaged, |entry| {
                        StoredEntry::Present(ListedEntry {
                            entry,
                            is_banned: state == BANNED,
                        })
                    })
                }
                _ => StoredEntry::Damaged,
            };
            let mut fingerprint = vec![state];
            fingerprint.extend_from_slice(&packed);
            entries.push((entry, fingerprint));
        }
        Ok(StoredEntries {
            position,
            version,
            layout,
            entries,
        })
    }

    async fn scan_stored_players(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &[u8],
        removes_strays: bool,
    ) -> Result<ScannedPlayers, ReadError> {
        // A place in the scan: the index of the key in `SCANNED`, then the cursor.
        let (key, cursor) = match from.split_first() {
            Some((key, cursor)) => (usize::from(*key), cursor),
            None => (0, &b"0"[..]),
        };
        // Clients send the place, and can send any other.
        let name = SCANNED.get(key).filter(|_| parse_decimal(cursor).is_ok());
        let Some(name) = name else {
            return Ok(ScannedPlayers::default());
        };
        let mut call = start_call(period_ref);
        call.add_text(name);
        call.add_bytes(cursor);
        call.add_flag(removes_strays);
        let mut reply = run_read(&self.server, &SCAN_STORED_PLAYERS, period_ref, call).await?;
        let mut next = reply.read_bytes()?;
        let strays = reply.read_count()?;
        let mut players = Vec::with_capacity(reply.remaining());
        while !reply.is_empty() {
            let player = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            players.push(PlayerId::new(player).map_err(corrupt)?);
        }
        let is_last = next == b"0";
        let next_key = if is_last { key.saturating_add(1) } else { key };
        let next = (next_key < SCANNED.len()).then(|| {
            next.insert(0, u8::try_from(next_key).unwrap_or(u8::MAX));
            next
        });
        Ok(ScannedPlayers {
            players,
            strays,
            next,
        })
    }

    async fn correct_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        layout: &Layout,
        corrections: &[Correction<'_>],
    ) -> Result<u64, ReadError> {
        let board = &period_ref.leaderboard.value;
        let mut call = start_call(period_ref);
        call.add_keys(keys::entry_counts(period_ref.tenant));
        call.add_bytes(keys::period_count_name(&board.id, period_ref.period));
        for correction in corrections {
            add_correction(&mut call, layout, correction);
        }
        let mut reply = run_read(&self.server, &CORRECT_ENTRIES, period_ref, call).await?;
        Ok(reply.read_count()?)
    }
}

/// Decodes a packed entry of a player.
pub(crate) fn unpack_stored(layout: &Layout, player: &PlayerId, packed: &[u8]) -> Result<Entry, StoreError> {
    let wide = widen_key(layout, packed)?;
    let prefix_bytes = layout.tuple_bytes().saturating_add(SORTABLE_BYTES);
    let (prefix, extra) = wide
        .split_at_checked(prefix_bytes)
        .ok_or_else(|| corrupt("entry"))?;
    unpack_entry(layout, &[prefix, player.as_bytes()].concat(), extra)
}

/// Adds the arguments of a correction, as `correct_entries.lua` describes them.
fn add_correction(call: &mut ScriptCall, layout: &Layout, correction: &Correction<'_>) {
    let (state, packed) = correction.fingerprint.split_first().unwrap_or((&ABSENT, &[]));
    call.add_bytes(correction.player.as_bytes());
    call.add_text(state);
    call.add_bytes(packed);
    let Some(right) = correction.right else {
        call.add_text(&ABSENT);
        call.add_bytes([]);
        call.add_bytes([]);
        return;
    };
    call.add_text(if right.is_banned { &BANNED } else { &VISIBLE });
    add_packed_entry(call, layout, &right.entry);
}

/// Adds an entry: its order-key prefix with wide integers, and its attempts and metadata as stored.
pub(crate) fn add_packed_entry(call: &mut ScriptCall, layout: &Layout, entry: &Entry) {
    let key = layout.key(&entry.values, entry.reached_at, &entry.player);
    let prefix_bytes = layout.tuple_bytes().saturating_add(SORTABLE_BYTES);
    call.add_bytes(key.as_bytes().get(..prefix_bytes).unwrap_or_default());
    let mut extra = Writer::default();
    extra.unsigned(entry.attempts.into());
    let mut extra = extra.finish();
    extra.extend(pack_metadata(entry.metadata.as_ref()));
    call.add_bytes(extra);
}
