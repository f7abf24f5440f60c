//! The port [`Erasures`]: erases a player from entries, logs and the audit log.

use leaderboard_core::ports::{Bans, Erasures, ReplaceRecord};
use leaderboard_core::{LeaderboardId, PeriodId, PlayerErasure, PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::{Connection, Value};
use crate::entries::KeyedEntry;
use crate::periods::PeriodRow;
use crate::periods::rebuild;
use crate::row::{corrupt, stored};
use crate::rows::JsonRows;
use crate::session::Session;
use crate::{SqliteStore, bans, documents, entries, leaderboards, periods, removal};

/// The positions of a log or of an audit log at which one statement looks. They take a few milliseconds.
const SEARCHED_AT_ONCE: u64 = 20_000;
/// The tables of the audit log.
const AUDIT_TABLES: [&str; 2] = ["audit", "notices"];

/// Replaced events of a leaderboard, and the idempotency records of their submissions.
#[derive(Default)]
struct ReplacedEvents {
    events: JsonRows,
    records: JsonRows,
    /// By how many bytes the log grows.
    more_bytes: i64,
}

impl<C: Connection> Erasures for SqliteStore<C> {
    async fn erase_entries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.write(|session| erase_entries(session, tenant, leaderboard, erasure, at))
            .await
    }

    /// Looks through the log in steps that only read. Then one transaction replaces the events: its size depends on the events of this
    /// player alone. Events do not change meanwhile; the transaction skips those that were removed.
    async fn erase_events(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        up_to: u64,
    ) -> Result<bool, StoreError> {
        const BOUNDS: &str = "SELECT row, (SELECT min(position) FROM events WHERE leaderboard = leaderboards.row) \
             FROM leaderboards WHERE tenant = ?1 AND id = ?2";
        let bounds = self.single(|session| {
            session.map_row(BOUNDS, &[tenant.into(), leaderboard.into()], |cells| {
                let board = cells.integer("leaderboard row")?;
                Ok((board, cells.unsigned_or_null("position")?))
            })
        })?;
        let Some((board, Some(first))) = bounds else {
            return Ok(true);
        };
        let mut replaced = ReplacedEvents::default();
        let mut from = first;
        while from <= up_to {
            let to = up_to.min(from.saturating_add(SEARCHED_AT_ONCE).saturating_sub(1));
            self.single(|session| replaced.search(session, (board, from, to), erasure))?;
            from = to.saturating_add(1);
            self.yield_to_others().await;
        }
        if !replaced.events.is_empty() {
            self.write(|session| replaced.write(session, board)).await?;
        }
        Ok(true)
    }

    async fn replace_audit(
        &self,
        tenant: &TenantId,
        _erasure: &PlayerErasure,
        mention: &[u8],
        replace: ReplaceRecord<'_>,
    ) -> Result<bool, StoreError> {
        for table in AUDIT_TABLES {
            let bounds = format!("SELECT min(position), max(position) FROM {table} WHERE scope = ?1");
            let find = format!(
                "SELECT position, body FROM {table} WHERE scope = ?1 AND position BETWEEN ?2 AND ?3 \
                 AND instr(body, ?4) > 0"
            );
            let save = format!("UPDATE {table} SET body = ?3 WHERE scope = ?1 AND position = ?2");
            let scope = Value::from(documents::scope(Some(tenant)));
            let mut bounds = self.single(|session| session.only_row(&bounds, &[scope]))?;
            let first = bounds.unsigned_or_null("position")?;
            let last = bounds.unsigned_or_null("position")?;
            let Some((mut from, last)) = first.zip(last) else {
                continue;
            };
            while from <= last {
                let to = from.saturating_add(SEARCHED_AT_ONCE).saturating_sub(1);
                let window = [scope, from.into(), to.into(), mention.into()];
                self.write(|session| {
                    let found = session.map_rows(&find, &window, |cells| {
                        Ok((cells.unsigned("position")?, cells.blob("audit record")?))
                    })?;
                    for (position, body) in found {
                        if let Some(replaced) = replace(&body) {
                            session.run(&save, &[scope, position.into(), replaced[..].into()])?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
                from = to.saturating_add(1);
                self.yield_to_others().await;
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
        self.write(|session| bans::apply_next(session, tenant, at)).await
    }
}

fn erase_entries(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    erasure: &PlayerErasure,
    at: Timestamp,
) -> Result<Option<u64>, StoreError> {
    const PERIODS: &str = "SELECT p.row, p.id, e.hidden FROM periods p JOIN entries e ON e.period = p.row \
         AND e.player = ?2 WHERE p.leaderboard = ?1 ORDER BY p.starts_at, p.id";
    const CLAIMS: &str = "UPDATE claims SET player = ?3 WHERE player = ?2 \
         AND period IN (SELECT row FROM periods WHERE leaderboard = ?1)";
    let Some(board) = leaderboards::find_up_to_date(session, tenant, leaderboard, at)? else {
        return Ok(None);
    };
    let player = &erasure.player;
    let found = session.map_rows(PERIODS, &[board.row.into(), player.into()], |cells| {
        let row = cells.integer("period row")?;
        let id = PeriodId::parse(&cells.text("period")?).map_err(|_| corrupt("period"))?;
        Ok((row, id, cells.flag("hidden")?))
    })?;
    let mut position = board.last_position;
    for (row, id, is_banned) in found {
        let period = periods::read_row(session, row)?;
        // Copies of the entry, which a rebuild made.
        rebuild::abandon(session, row)?;
        if period.frozen_at.is_some() && !is_banned {
            rename_entry(session, &period, erasure)?;
        } else {
            position = position.saturating_add(1);
            removal::delete_entry(session, (board.row, position), (period, &id), player, at)?;
        }
    }
    let claims = [board.row.into(), player.into(), (&erasure.pseudonym).into()];
    session.run(CLAIMS, &claims)?;
    Ok(Some(position))
}

/// Gives the pseudonym to a visible entry of final standings, so that nobody's place changes.
fn rename_entry(
    session: &Session<'_>,
    period: &PeriodRow,
    erasure: &PlayerErasure,
) -> Result<(), StoreError> {
    const DELETE: &str = concat!(
        "DELETE FROM entries WHERE period = ?1 AND player = ?2 RETURNING ",
        entries::entry_columns!()
    );
    const INSERT: &str = "INSERT INTO entries (period, player, order_key, hidden, attempts, metadata) \
         VALUES (?1, ?2, ?3, 0, ?4, NULL)";
    let player: &PlayerId = &erasure.player;
    let mut cells = session
        .row(DELETE, &[period.row.into(), player.into()])?
        .ok_or_else(|| corrupt("entry"))?;
    let KeyedEntry { entry, .. } = entries::read_entry(&period.layout, &mut cells)?;
    let key = period
        .layout
        .key(&entry.values, entry.reached_at, &erasure.pseudonym);
    let renamed = [
        period.row.into(),
        (&erasure.pseudonym).into(),
        key.as_bytes().into(),
        entry.attempts.into(),
    ];
    session.run(INSERT, &renamed)
}

impl ReplacedEvents {
    /// Adds the replaced events between two positions.
    fn search(
        &mut self,
        session: &Session<'_>,
        (board, from, to): (i64, u64, u64),
        erasure: &PlayerErasure,
    ) -> Result<(), StoreError> {
        const FIND: &str = "SELECT position, event FROM events WHERE leaderboard = ?1 \
             AND position BETWEEN ?2 AND ?3 AND instr(event, ?4) > 0";
        let window = [
            board.into(),
            from.into(),
            to.into(),
            erasure.player.as_bytes().into(),
        ];
        let found = session.map_rows(FIND, &window, |cells| {
            Ok((cells.unsigned("position")?, cells.blob("event")?))
        })?;
        for (position, event) in found {
            let Some(replaced) = erasure.replace_event(&event)? else {
                continue;
            };
            let change = stored(replaced.bytes.len() as u64).saturating_sub(stored(event.len() as u64));
            self.more_bytes = self.more_bytes.saturating_add(change);
            self.events.push(&[position.into(), replaced.bytes[..].into()]);
            if let Some(id) = &replaced.id {
                let [exact, other] = erasure.record_names(id);
                self.records
                    .push(&[(&exact).into(), (&other).into(), replaced.recorded_at.into()]);
            }
        }
        Ok(())
    }

    /// Replaces the events, and deletes the records. A record under the second name is that of another player if it has another
    /// instant, or if there is one under the first name and only one event of this id: in one call, a player can send an id under both
    /// names.
    fn write(&self, session: &Session<'_>, board: i64) -> Result<(), StoreError> {
        const REPLACE: &str = "UPDATE events SET event = unhex(new.value ->> 1) FROM json_each(?2) AS new \
             WHERE leaderboard = ?1 AND position = new.value ->> 0";
        const WEIGH: &str = "UPDATE leaderboards SET log_bytes = max(0, log_bytes + ?2) WHERE row = ?1";
        const FORGET_SECOND: &str = "DELETE FROM submissions WHERE leaderboard = ?1 AND (id, recorded_at) IN \
             (SELECT value ->> 1, value ->> 2 FROM json_each(?2) AS named GROUP BY value \
             HAVING count(*) > 1 OR NOT EXISTS \
             (SELECT 1 FROM submissions first WHERE first.leaderboard = ?1 AND first.id = named.value ->> 0 \
             AND first.recorded_at = named.value ->> 2))";
        const FORGET_FIRST: &str = "DELETE FROM submissions WHERE leaderboard = ?1 AND (id, recorded_at) IN \
             (SELECT value ->> 0, value ->> 2 FROM json_each(?2))";
        let (board, records) = (Value::from(board), self.records.to_text());
        session.run(REPLACE, &[board, Value::Text(&self.events.to_text())])?;
        session.run(WEIGH, &[board, self.more_bytes.into()])?;
        session.run(FORGET_SECOND, &[board, Value::Text(&records)])?;
        session.run(FORGET_FIRST, &[board, Value::Text(&records)])
    }
}
