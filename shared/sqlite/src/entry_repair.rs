//! The port [`EntryRepair`]: stored entries, for a comparison with the event log.

use std::collections::HashMap;

use leaderboard_core::ports::{
    Correction, EntryRepair, ListedEntry, MAX_COMPARED_PLAYERS, PeriodRef, ReadError, ScannedPlayers,
    StoredEntries, StoredEntry,
};
use leaderboard_core::{Layout, PlayerId, StoreError};

use crate::SqliteStore;
use crate::connection::{Cell, Connection, Row, Value};
use crate::entries::{self, entry_columns};
use crate::periods::{self, PeriodRow};
use crate::reads::entries_by_player::json_array;
use crate::reads::find_current;
use crate::row::{Cells, corrupt};
use crate::session::Session;
use crate::writes::PendingWrites;

impl<C: Connection> EntryRepair for SqliteStore<C> {
    async fn read_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<StoredEntries, ReadError> {
        const POSITION: &str = "SELECT last_position FROM leaderboards WHERE tenant = ?1 AND id = ?2";
        self.read_at(period_ref, |session| {
            let period = find_current(session, period_ref)?;
            let board = (&period_ref.leaderboard.value.id).into();
            let position = session.only_row(POSITION, &[period_ref.tenant.into(), board])?;
            let mut stored = match &period {
                Some(period) => read_stored(session, period, players)?,
                None => HashMap::new(),
            };
            let absent = || (StoredEntry::Absent, Vec::new());
            let entries = players
                .iter()
                .map(|player| stored.remove(player.as_str()).unwrap_or_else(absent));
            Ok(StoredEntries {
                position: { position }.unsigned("last position")?,
                version: period.as_ref().map_or(0, |period| period.version),
                entries: entries.collect(),
                layout: period.map(|period| period.layout),
            })
        })
        .await
    }

    async fn scan_stored_players(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &[u8],
        _removes_strays: bool,
    ) -> Result<ScannedPlayers, ReadError> {
        const PLAYERS: &str =
            "SELECT player FROM entries WHERE period = ?1 AND player > ?2 ORDER BY player LIMIT ?3 + 0";
        // Clients send the place, and can send any other.
        let Ok(after) = std::str::from_utf8(from) else {
            return Ok(ScannedPlayers::default());
        };
        self.read_at(period_ref, |session| {
            let Some(period) = find_current(session, period_ref)? else {
                return Ok(ScannedPlayers::default());
            };
            let most = u64::try_from(MAX_COMPARED_PLAYERS).unwrap_or(u64::MAX);
            let parameters = [period.row.into(), after.into(), most.into()];
            let players = session.map_rows(PLAYERS, &parameters, |cells| {
                PlayerId::new(cells.text("player")?).map_err(|_| corrupt("player"))
            })?;
            let last = players.last().filter(|_| players.len() == MAX_COMPARED_PLAYERS);
            Ok(ScannedPlayers {
                next: last.map(|last| last.as_bytes().to_vec()),
                players,
                strays: 0,
            })
        })
        .await
    }

    async fn correct_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        layout: &Layout,
        corrections: &[Correction<'_>],
    ) -> Result<u64, ReadError> {
        self.write(|session| match find_current(session, period_ref)? {
            Some(period) if period.layout == *layout => correct(session, &period, corrections),
            _ => Ok(0),
        })
        .await
    }
}

/// Returns what the period has of these players, with fingerprints, by their names.
fn read_stored(
    session: &Session<'_>,
    period: &PeriodRow,
    players: &[PlayerId],
) -> Result<HashMap<String, (StoredEntry, Vec<u8>)>, StoreError> {
    const FIND: &str = concat!(
        "SELECT player, hidden, ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND player IN (SELECT value FROM json_each(?2))"
    );
    let names = json_array(players);
    let mut stored = HashMap::new();
    for row in session.rows(FIND, &[period.row.into(), (&names).into()])? {
        let fingerprint = fingerprint(&row);
        let mut cells = Cells::from(row);
        let name = cells.text("player")?;
        let entry = read_listed(&period.layout, &mut cells).ok();
        let listed = entry.filter(|listed| listed.entry.player.as_str() == name);
        let entry = listed.map_or(StoredEntry::Damaged, StoredEntry::Present);
        stored.insert(name, (entry, fingerprint));
    }
    Ok(stored)
}

fn read_listed(layout: &Layout, cells: &mut Cells) -> Result<ListedEntry, StoreError> {
    let is_banned = cells.flag("hidden")?;
    let entry = entries::read_entry(layout, cells)?.entry;
    Ok(ListedEntry { entry, is_banned })
}

/// Returns bytes that are different for different rows.
fn fingerprint(row: &Row) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cell in row {
        let (kind, value) = match cell {
            Cell::Null => (0, Vec::new()),
            Cell::Integer(number) => (1, number.to_be_bytes().to_vec()),
            Cell::Real(number) => (2, number.to_be_bytes().to_vec()),
            Cell::Text(text) => (3, text.clone().into_bytes()),
            Cell::Blob(blob) => (4, blob.clone()),
        };
        bytes.push(kind);
        bytes.extend((value.len() as u64).to_be_bytes());
        bytes.extend(value);
    }
    bytes
}

/// Corrects the entries whose fingerprints are the same, and counts the entries of the period again. Returns how many it corrected.
fn correct(
    session: &Session<'_>,
    period: &PeriodRow,
    corrections: &[Correction<'_>],
) -> Result<u64, ReadError> {
    const DELETE: &str = "DELETE FROM entries WHERE period = ?1 AND player = ?2";
    const COUNT: &str = "UPDATE periods SET total = (SELECT count(*) FROM entries WHERE period = ?1), \
         visible = (SELECT count(*) FROM entries WHERE period = ?1 AND hidden = 0) WHERE row = ?1";
    let players: Vec<PlayerId> = corrections
        .iter()
        .map(|correction| correction.player.clone())
        .collect();
    let stored = read_stored(session, period, &players)?;
    let mut writes = PendingWrites::default();
    let mut corrected = 0_u64;
    for correction in corrections {
        let found = stored.get(correction.player.as_str());
        let fingerprint = found.map_or(&[][..], |(_, fingerprint)| fingerprint);
        if fingerprint != correction.fingerprint {
            continue;
        }
        session.run(DELETE, &[period.row.into(), correction.player.into()])?;
        if let Some(right) = correction.right {
            let entry = &right.entry;
            let key = period.layout.key(&entry.values, entry.reached_at, &entry.player);
            writes.save_entry(period.row, entry, &key, right.is_banned);
        }
        corrected = corrected.saturating_add(1);
    }
    writes.apply(session)?;
    if corrected > 0 {
        session.run(COUNT, &[period.row.into()])?;
        if period.keeps_tuples() {
            count_tuples(session, period)?;
        }
        if period.rebuilt_until.is_some() {
            periods::rebuild::abandon(session, period.row)?;
        }
    }
    Ok(corrected)
}

/// Counts the different tuples of a period again, and changes those that are wrong.
fn count_tuples(session: &Session<'_>, period: &PeriodRow) -> Result<(), StoreError> {
    const DROP: &str = "DELETE FROM tuples WHERE period = ?1 AND NOT EXISTS (SELECT 1 FROM entries WHERE period = ?1 \
         AND hidden = 0 AND order_key >= tuple AND order_key < tuple || x'ffffffffffffffffff')";
    const SAVE: &str = "INSERT INTO tuples (period, tuple, entries) \
         SELECT ?1, substr(order_key, 1, ?2 + 0) AS found, count(*) FROM entries WHERE period = ?1 AND hidden = 0 \
         GROUP BY found ON CONFLICT (period, tuple) DO UPDATE SET entries = excluded.entries \
         WHERE entries <> excluded.entries";
    let bytes = u64::try_from(period.layout.tuple_bytes()).unwrap_or(u64::MAX);
    session.run(DROP, &[period.row.into()])?;
    session.run(SAVE, &[period.row.into(), Value::from(bytes)])
}
