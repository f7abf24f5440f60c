//! Frequent reads, each in one statement: the top of the list, one player, and a window around a player.
//!
//! In a component, a statement costs about ten times as much as SQLite's work on it, and a read in a transaction has four to eight
//! statements. Reads that are rare, or that show the entry of a banned player, are not here: these functions then return `None`, and
//! the caller reads in a transaction.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Page, PeriodRef, PlayerEntries, ReadError};
use leaderboard_core::{PlayerId, RankedEntry, StoreError, Ties};

use crate::bans::is_behind_sql;
use crate::connection::Value;
use crate::counting::{check_total, counted_for_ranks};
use crate::entries::{self, KeyedEntry, entry_columns};
use crate::periods::{self, PeriodRow, period_columns};
use crate::rank_blocks::{count_before_sql, counts_sql};
use crate::row::{Cells, corrupt, stored};
use crate::session::Session;

use super::page::start_of_window;
use super::period_list::rank_from_first;

/// The length of the longest bound, in bytes: the whole order key.
const WHOLE_KEY: i64 = i64::MAX;

/// SQL for the table `board`, with the leaderboard's version, whether it has pending bans, and the period; and for its row. The
/// parameters `?1` to `?5` are those of [`find`].
macro_rules! with_board {
    () => {
        concat!(
            "WITH board AS (SELECT b.version AS board_version, ",
            is_behind_sql!("?4"),
            " AS behind, p.row AS row, ",
            period_columns!(),
            " AS until FROM leaderboards b LEFT JOIN periods p ON p.leaderboard = b.row AND p.id = ?3 \
             WHERE b.tenant = ?1 AND b.id = ?2) "
        )
    };
}
macro_rules! select_board {
    () => {
        "SELECT 0, board_version, behind, EXISTS (SELECT 1 FROM entries e WHERE e.period = board.row \
         AND e.player = ?5 AND e.hidden = 1), row, layout, expires_at, version, visible, total, frozen_at, frozen_prizes, until FROM board"
    };
}
/// SQL for the entry of the player `?6` as the table `own`.
macro_rules! own {
    () => {
        concat!(
            ", own AS (SELECT hidden, ",
            entry_columns!(),
            " FROM entries WHERE period = (SELECT row FROM board) AND player = ?6), "
        )
    };
}
/// SQL that selects entries as rows of kind `$kind`.
macro_rules! select_entries {
    ($kind:literal) => {
        concat!(
            " UNION ALL SELECT * FROM (SELECT ",
            $kind,
            ", ",
            entry_columns!(),
            ", hidden, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM "
        )
    };
}
/// SQL for the table `counts`, for the first `?7` bytes of the key of `own`; and for the number of rows before this bound.
macro_rules! counts_of_own {
    ($counted:literal, $key:literal, $rows:literal) => {
        concat!(
            counts_sql!(
                $counted,
                $key,
                $rows,
                "(SELECT row FROM board)",
                "(SELECT substr(order_key, 1, ?7) AS column1 FROM own)"
            ),
            " "
        )
    };
}
macro_rules! select_count {
    () => {
        concat!(
            " UNION ALL SELECT 1, ",
            count_before_sql!(),
            ", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM counts"
        )
    };
}

/// The first entries of the list.
const TOP: &str = concat!(
    with_board!(),
    select_board!(),
    select_entries!("4"),
    "entries WHERE period = (SELECT row FROM board) AND hidden = 0 ORDER BY order_key LIMIT ?6 + 0)"
);
const PLAYER: &str = concat!(
    with_board!(),
    own!(),
    counts_of_own!("0", "order_key", "entries WHERE hidden = 0"),
    select_board!(),
    select_entries!("2"),
    "own)",
    select_count!()
);
const PLAYER_BY_TUPLES: &str = concat!(
    with_board!(),
    own!(),
    counts_of_own!("1", "tuple", "tuples WHERE true"),
    select_board!(),
    select_entries!("2"),
    "own)",
    select_count!()
);
/// The entry of a player, and up to `?8` entries on each side.
const AROUND: &str = concat!(
    with_board!(),
    own!(),
    counts_of_own!("0", "order_key", "entries WHERE hidden = 0"),
    select_board!(),
    select_entries!("2"),
    "own)",
    select_entries!("3"),
    "entries WHERE period = (SELECT row FROM board) AND hidden = 0 AND order_key < (SELECT order_key FROM own) \
     ORDER BY order_key DESC LIMIT ?8 + 0)",
    select_entries!("4"),
    "entries WHERE period = (SELECT row FROM board) AND hidden = 0 AND order_key > (SELECT order_key FROM own) \
     ORDER BY order_key LIMIT ?8 + 0)",
    select_count!()
);

/// The rows of a read, by their kind.
struct Found {
    period: PeriodRow,
    own: Option<KeyedEntry>,
    before: Vec<KeyedEntry>,
    after: Vec<KeyedEntry>,
    /// How many rows are before the bound.
    count: u64,
    /// How many rows there are. Zero if the player has no entry, or if the blocks around it are damaged.
    all: u64,
}

impl Found {
    /// Checks the number of rows, if rows were counted.
    fn check_count(&self) -> Result<(), StoreError> {
        if self.own.is_none() {
            return Ok(());
        }
        check_total(counted_for_ranks(&self.period), &self.period, self.all)
    }
}

/// Reads the first entries of the list.
pub(crate) fn read_top(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Page>, ReadError> {
    let parameters = [Value::Integer(i64::from(limit))];
    let Some(found) = find(session, TOP, period_ref, caller, &parameters)? else {
        return Ok(None);
    };
    Ok(Some(build_page(found.period, 0, found.after)))
}

/// Reads the entry of a player and its rank.
pub(crate) fn read_player(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    caller: &Caller,
) -> Result<Option<PlayerEntries>, ReadError> {
    let layout = period_ref.leaderboard.value.layout();
    let bound_bytes = match layout.ties {
        Ties::Earliest | Ties::Latest => WHOLE_KEY,
        Ties::Shared | Ties::Dense => stored(layout.tuple_bytes() as u64),
    };
    let sql = match layout.ties {
        Ties::Dense => PLAYER_BY_TUPLES,
        Ties::Earliest | Ties::Latest | Ties::Shared => PLAYER,
    };
    let parameters = [Value::Text(player.as_str()), Value::Integer(bound_bytes)];
    let found = find(session, sql, period_ref, caller, &parameters)?;
    // A period keeps its order when the leaderboard gets another one. Then other rows were counted than the rank needs.
    let Some(found) = found.filter(|found| found.period.layout == layout) else {
        return Ok(None);
    };
    found.check_count()?;
    Ok(Some(PlayerEntries {
        version: found.period.version,
        count: found.period.visible,
        layout: Some(found.period.layout),
        entries: found.own.map_or_else(Vec::new, |own| {
            let rank = found.count.saturating_add(1);
            vec![RankedEntry {
                rank,
                entry: own.entry,
            }]
        }),
    }))
}

/// Reads a window with the player's entry in the middle; the inner `None` if the player has no entry.
pub(crate) fn read_around(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Option<Page>>, ReadError> {
    // The rank of the first entry is another count with other rules for ties.
    if !matches!(period_ref.leaderboard.value.ties, Ties::Earliest | Ties::Latest) {
        return Ok(None);
    }
    let limit = u64::from(limit.max(1));
    let parameters = [
        Value::Text(player.as_str()),
        Value::Integer(WHOLE_KEY),
        Value::Integer(stored(limit)),
    ];
    let found = find(session, AROUND, period_ref, caller, &parameters)?;
    let Some(found) = found.filter(|found| matches!(found.period.layout.ties, Ties::Earliest | Ties::Latest))
    else {
        return Ok(None);
    };
    found.check_count()?;
    let Some(own) = found.own else {
        return Ok(Some(None));
    };
    let (mut before, index) = (found.before, found.count);
    let start = start_of_window(index, found.period.visible, limit);
    let above = index.saturating_sub(start);
    before.truncate(usize::try_from(above).unwrap_or(usize::MAX));
    before.reverse();
    before.push(own);
    let below = limit.saturating_sub(above).saturating_sub(1);
    before.extend(
        found
            .after
            .into_iter()
            .take(usize::try_from(below).unwrap_or(usize::MAX)),
    );
    Ok(Some(Some(build_page(found.period, start, before))))
}

/// Runs a read. Its further parameters are `?6`, `?7` and so on. Returns `None` if the period has no row, if bans are pending, or if
/// an entry of a banned player matters.
fn find(
    session: &Session<'_>,
    sql: &str,
    period_ref: &PeriodRef<'_>,
    caller: &Caller,
    further: &[Value<'_>],
) -> Result<Option<Found>, ReadError> {
    let mut parameters = vec![
        Value::Text(period_ref.tenant.as_str()),
        Value::Text(period_ref.leaderboard.value.id.as_str()),
        Value::Text(period_ref.period.as_str()),
        Value::Integer(period_ref.now.as_unix_ms()),
        caller
            .own_player()
            .map_or(Value::Null, |own| Value::Text(own.as_str())),
    ];
    parameters.extend_from_slice(further);
    let mut rows = session.rows(sql, &parameters)?.into_iter().map(Cells::from);
    let Some(mut board) = rows.next() else {
        return Err(ReadError::StaleConfiguration);
    };
    board.integer("kind of a row")?;
    if board.unsigned("configuration version")? != period_ref.leaderboard.version {
        return Err(ReadError::StaleConfiguration);
    }
    if board.flag("bans")? || board.flag("banned reader")? {
        return Ok(None);
    }
    let Some(row) = board.integer_or_null("period row")? else {
        return Ok(None);
    };
    let mut found = Found {
        period: periods::read_columns(&mut board, row)?,
        own: None,
        before: Vec::new(),
        after: Vec::new(),
        count: 0,
        all: 0,
    };
    for mut cells in rows {
        let kind = cells.integer("kind of a row")?;
        if kind == 1 {
            found.count = cells.unsigned("count")?;
            found.all = cells
                .unsigned_or_null("size of a rank block")?
                .unwrap_or_default();
            continue;
        }
        let entry = entries::read_entry(&found.period.layout, &mut cells)?;
        match kind {
            2 if cells.flag("hidden")? => return Ok(None),
            2 => found.own = Some(entry),
            3 => found.before.push(entry),
            4 => found.after.push(entry),
            _ => return Err(corrupt("kind of a row").into()),
        }
    }
    Ok(Some(found))
}

fn build_page(period: PeriodRow, first_index: u64, stretch: Vec<KeyedEntry>) -> Page {
    let end = first_index.saturating_add(stretch.len() as u64);
    Page {
        version: period.version,
        count: period.visible,
        more_before: first_index > 0,
        more_after: end < period.visible,
        entries: rank_from_first(&period, first_index, first_index.saturating_add(1), stretch),
        layout: Some(period.layout),
    }
}
