//! Applies bans to leaderboards, in transactions of bounded work.

use leaderboard_core::{Event, EventBody, StoreError, TenantId, Timestamp};

use super::{BanChange, count_changes, end_bans, is_behind, read_player};
use crate::connection::Value;
use crate::row::{Cells, corrupt};
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{entries, log, periods, tuples};

/// The most periods that one transaction reads, which takes a few milliseconds.
const MAX_LOOKS: u64 = 2000;
/// The most leaderboards that one statement reads.
const MAX_BOARDS: i64 = 200;

/// Applies the bans at `now` to one leaderboard, within the work of one transaction. Returns whether the leaderboard is up to date.
pub(crate) fn apply_to_leaderboard(
    session: &Session<'_>,
    tenant: &TenantId,
    board: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    end_bans(session, tenant, now)?;
    let changes = read_changes(session, tenant)?;
    let mut looks = MAX_LOOKS;
    for found in read_leaderboards(session, tenant, Some(board), board)? {
        bring_up_to_date(session, &found, &changes, &mut looks, now)?;
    }
    continue_walk(session, tenant, &changes, &mut looks, now)?;
    Ok(!is_behind(session, tenant, board, now)?)
}

/// Applies pending changes, within the work of one transaction. Returns whether no change is pending.
pub(crate) fn apply_next(
    session: &Session<'_>,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changes = read_changes(session, tenant)?;
    continue_walk(session, tenant, &changes, &mut MAX_LOOKS.clone(), now)?;
    Ok(count_changes(session, tenant)? == 0)
}

fn read_changes(session: &Session<'_>, tenant: &TenantId) -> Result<Vec<BanChange>, StoreError> {
    const CHANGES: &str =
        "SELECT number, player, banned, at FROM ban_changes WHERE tenant = ?1 ORDER BY number";
    session.map_rows(CHANGES, &[tenant.into()], |cells| {
        Ok(BanChange {
            number: cells.integer("change")?,
            player: read_player(cells)?,
            banned: cells.flag("ban")?,
            at: cells.instant("instant of a change")?,
        })
    })
}

/// A leaderboard that gets pending changes.
struct WalkedLeaderboard {
    row: i64,
    id: String,
    applied: i64,
    periods: u64,
}

/// Returns the leaderboard `from`, or with `None` the leaderboards after `after`, in the order of their ids.
fn read_leaderboards(
    session: &Session<'_>,
    tenant: &TenantId,
    from: Option<&str>,
    after: &str,
) -> Result<Vec<WalkedLeaderboard>, StoreError> {
    const ONE: &str = "SELECT row, id, ban_change, (SELECT count(*) FROM periods p WHERE p.leaderboard = b.row) \
         FROM leaderboards b WHERE tenant = ?1 AND id = ?2 LIMIT ?3 + 0";
    const NEXT: &str = "SELECT row, id, ban_change, (SELECT count(*) FROM periods p WHERE p.leaderboard = b.row) \
         FROM leaderboards b WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3 + 0";
    let (sql, id) = from.map_or((NEXT, after), |from| (ONE, from));
    session.map_rows(sql, &[tenant.into(), id.into(), MAX_BOARDS.into()], |cells| {
        Ok(WalkedLeaderboard {
            row: cells.integer("leaderboard row")?,
            id: cells.text("leaderboard id")?,
            applied: cells.integer("change")?,
            periods: cells.unsigned("count of periods")?,
        })
    })
}

/// Applies pending changes to a leaderboard. Returns false if `looks`, the number of periods that the transaction may still read,
/// reached 0 first.
fn bring_up_to_date(
    session: &Session<'_>,
    board: &WalkedLeaderboard,
    changes: &[BanChange],
    looks: &mut u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SAVE: &str = "UPDATE leaderboards SET ban_change = ?2 WHERE row = ?1";
    let (mut last, mut finished) = (board.applied, true);
    for change in changes.iter().filter(|change| change.number > board.applied) {
        if *looks == 0 {
            finished = false;
            break;
        }
        *looks = looks.saturating_sub(board.periods.saturating_add(1));
        move_entries(session, board.row, change, now)?;
        last = change.number;
    }
    if last > board.applied {
        session.run(SAVE, &[board.row.into(), last.into()])?;
    }
    Ok(finished)
}

/// Continues to apply changes to the next leaderboards until `looks`, the number of periods that the transaction may still read,
/// reaches 0.
fn continue_walk(
    session: &Session<'_>,
    tenant: &TenantId,
    changes: &[BanChange],
    looks: &mut u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    const WALK: &str = "SELECT target, cursor FROM ban_walks WHERE tenant = ?1";
    const SAVE: &str = "UPDATE ban_walks SET target = ?2, cursor = ?3 WHERE tenant = ?1";
    const DROP: &str = "DELETE FROM ban_changes WHERE tenant = ?1 AND number <= ?2";
    let Some(last) = changes.last().map(|change| change.number) else {
        return Ok(());
    };
    let walked = session.row(WALK, &[tenant.into()])?;
    let mut cells = walked.ok_or_else(|| corrupt("walk"))?;
    let mut target = cells.integer_or_null("target of a walk")?.unwrap_or(last);
    let mut cursor = cells.text_or_null("cursor of a walk")?.unwrap_or_default();
    while *looks > 0 {
        let step = read_leaderboards(session, tenant, None, &cursor)?;
        let mut done = 0;
        for board in &step {
            *looks = looks.saturating_sub(1);
            if !bring_up_to_date(session, board, changes, looks, now)? {
                break;
            }
            cursor.clone_from(&board.id);
            done += 1;
        }
        if done < step.len() || step.len() == usize::try_from(MAX_BOARDS).unwrap_or(0) {
            continue;
        }
        // Every leaderboard has the changes that were pending when this walk began.
        session.run(DROP, &[tenant.into(), target.into()])?;
        cursor.clear();
        if target == last {
            return session.run(SAVE, &[tenant.into(), Value::Null, Value::Null]);
        }
        target = last;
    }
    session.run(SAVE, &[tenant.into(), target.into(), (&cursor).into()])
}

/// Makes a player's entries of one leaderboard visible or invisible, with one event for all of them.
fn move_entries(
    session: &Session<'_>,
    board: i64,
    change: &BanChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Entries whose visibility is not that of the change.
    const AFFECTED: &str = "SELECT b.last_position, p.row FROM leaderboards b \
         JOIN periods p ON p.leaderboard = b.row AND (p.expires_at IS NULL OR p.expires_at > ?4) \
         JOIN entries e ON e.period = p.row AND e.player = ?2 AND e.hidden <> ?3 \
         WHERE b.row = ?1 ORDER BY p.row";
    let parameters = [
        board.into(),
        (&change.player).into(),
        change.banned.into(),
        now.into(),
    ];
    let mut writes = PendingWrites::default();
    let mut logged = None;
    for row in session.rows(AFFECTED, &parameters)? {
        let mut cells = Cells::from(row);
        let position = cells.unsigned("last position")?.saturating_add(1);
        if logged != Some(position) {
            log::append(session, &mut writes, (board, position), &change.event())?;
            logged = Some(position);
        }
        let period = cells.integer("period row")?;
        move_entry(session, &mut writes, (period, position), change)?;
    }
    writes.apply(session)
}

impl BanChange {
    fn event(&self) -> Event {
        let player = self.player.clone();
        Event {
            recorded_at: self.at,
            body: if self.banned {
                EventBody::Banned { player }
            } else {
                EventBody::Unbanned { player }
            },
        }
    }
}

fn move_entry(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    (period, position): (i64, u64),
    change: &BanChange,
) -> Result<(), StoreError> {
    const MOVE: &str = concat!(
        "UPDATE entries SET hidden = ?3 WHERE period = ?1 AND player = ?2 RETURNING ",
        entries::entry_columns!()
    );
    let mut period = periods::read_row(session, period)?;
    let parameters = [period.row.into(), (&change.player).into(), change.banned.into()];
    let row = session.row(MOVE, &parameters)?;
    let mut cells = row.ok_or_else(|| corrupt("entry"))?;
    let key = entries::read_entry(&period.layout, &mut cells)?.key;
    if period.keeps_tuples() {
        let tuple = period.layout.tuple_of(&key);
        let more = if change.banned { -1 } else { 1 };
        tuples::add(session, period.row, tuple, more)?;
    }
    let visible = if change.banned {
        period.visible.checked_sub(1)
    } else {
        period.visible.checked_add(1)
    };
    period.visible = visible.ok_or_else(|| corrupt("count of visible entries"))?;
    period.version = position;
    periods::save(session, writes, &period)
}
