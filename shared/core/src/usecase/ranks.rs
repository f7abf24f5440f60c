//! Reading ranks, and removing an entry.

use super::cursor::{Cursor, Direction};
use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period, resolve_period};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, Page, PageFrom, PeriodPage, PlayerEntries};
use crate::{Invalid, Layout, LeaderboardId, Period, PeriodSelector, PlayerId, RankedEntry, Timestamp};

/// The most players that one read may name.
pub const MAX_PLAYERS_ASKED: usize = 200;

/// The part of a list to read.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// The period; ignored if there is a cursor, which contains its own period.
    pub period: PeriodSelector,
    /// Where the list continues; `None` for the first page.
    pub cursor: Option<Cursor>,
    /// The number of entries, 1 to 1,000.
    pub limit: u32,
}

/// A page of a list, with cursors to the pages before and after it.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The configuration that the page was read with.
    pub leaderboard: SharedLeaderboard,
    /// The order of the page. The values of the entries have the columns of this layout.
    pub layout: Layout,
    /// The period.
    pub period: Period,
    /// The entries.
    pub page: Page,
    /// The cursor to the page with worse entries; `None` at the end of the list.
    pub next: Option<Cursor>,
    /// The cursor to the page with better entries; `None` at the top of the list.
    pub previous: Option<Cursor>,
    /// The direction of the list.
    pub direction: Direction,
    /// The version of the list's first page.
    pub started_from: u64,
    /// Whether entries have changed since the first page.
    pub drifted: bool,
}

/// Entries of given players, and the period that contains them.
#[derive(Debug, Clone)]
pub struct EntriesByPlayer {
    /// The configuration that the entries were read with.
    pub leaderboard: SharedLeaderboard,
    /// The order of the period.
    pub layout: Layout,
    /// The period.
    pub period: Period,
    /// The period's version.
    pub version: u64,
    /// The number of visible entries in the period.
    pub count: u64,
    /// The entries found, best first.
    pub entries: Vec<RankedEntry>,
}

/// Reads a page of a list.
///
/// # Errors
/// [`QueryError`].
pub async fn read_page<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    query: &ListQuery,
) -> Result<Listing, QueryError> {
    check_leaderboard_of_cursor(id, query)?;
    read_with_current(deps, id, caller, async |board| {
        let period = find_period(deps, board, query).await?;
        read_listing(deps, caller, board, period, query).await
    })
    .await
}

/// Checks that the cursor of a query, if there is one, belongs to this leaderboard as it is now.
pub(super) fn check_leaderboard_of_cursor(id: &LeaderboardId, query: &ListQuery) -> Result<(), QueryError> {
    let Some(cursor) = &query.cursor else {
        return Ok(());
    };
    let detail = match cursor.at {
        _ if cursor.leaderboard != *id => "belongs to another leaderboard".to_owned(),
        Some(at) => format!("belongs to the list at {at} (`at`)"),
        None => return Ok(()),
    };
    Err(QueryError::Invalid(Invalid::new("cursor", detail)))
}

/// Reads a page of a period that [`find_period`] returned.
pub(super) async fn read_listing<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    board: &SharedLeaderboard,
    period: Period,
    query: &ListQuery,
) -> Result<Listing, ReadFailure> {
    let from = query.cursor.as_ref().map_or(PageFrom::Top, find_start);
    let page = deps
        .store
        .page(&refer_to_period(deps, board, &period), &from, query.limit, caller)
        .await?;
    if let Some(cursor) = &query.cursor {
        let layout = page.layout.clone().unwrap_or_else(|| board.value.layout());
        check_order(cursor, &layout)?;
    }
    Ok(listing(board, period, page, query.cursor.as_ref()))
}

/// Returns the period that a page is read from: the cursor's, or the one that the query names. Both must be the same if the query
/// has both.
pub(super) async fn find_period<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    query: &ListQuery,
) -> Result<Period, ReadFailure> {
    let selector = match &query.cursor {
        None => query.period.clone(),
        Some(cursor) => PeriodSelector::Named(cursor.period.clone()),
    };
    let period = resolve_period(deps, &board.value, &selector).await?;
    if query.cursor.is_some() && query.period != PeriodSelector::Current {
        let asked = resolve_period(deps, &board.value, &query.period).await?;
        if asked.id != period.id {
            return Err(QueryError::Invalid(Invalid::new("cursor", "belongs to another period")).into());
        }
    }
    Ok(period)
}

/// Returns where the page of a cursor begins.
pub(super) fn find_start(cursor: &Cursor) -> PageFrom {
    match cursor.direction {
        Direction::Next => PageFrom::After(cursor.key.clone()),
        Direction::Previous => PageFrom::Before(cursor.key.clone()),
    }
}

/// Checks that a cursor was made for the order in which a period is now.
pub(super) fn check_order(cursor: &Cursor, layout: &Layout) -> Result<(), QueryError> {
    if cursor.layout != Cursor::layout_hash(layout) {
        return Err(QueryError::StaleCursor);
    }
    if layout.parse(cursor.key.as_bytes()).is_none() {
        return Err(QueryError::Invalid(Invalid::new(
            "cursor",
            "is not a cursor of this list",
        )));
    }
    Ok(())
}

/// Adds cursors to a page. `cursor` is the cursor that the page was read with.
pub(super) fn listing(
    board: &SharedLeaderboard,
    period: Period,
    page: Page,
    cursor: Option<&Cursor>,
) -> Listing {
    let layout = page.layout.clone().unwrap_or_else(|| board.value.layout());
    let started_from = cursor.map_or(page.version, |cursor| cursor.version);
    let cursor_at = |entry: Option<&RankedEntry>, direction| {
        entry.map(|ranked| Cursor {
            leaderboard: board.value.id.clone(),
            period: period.id.clone(),
            layout: Cursor::layout_hash(&layout),
            version: started_from,
            direction,
            key: layout.key(
                &ranked.entry.values,
                ranked.entry.reached_at,
                &ranked.entry.player,
            ),
            at: None,
        })
    };
    let next = cursor_at(page.entries.last().filter(|_| page.more_after), Direction::Next);
    let previous = cursor_at(
        page.entries.first().filter(|_| page.more_before),
        Direction::Previous,
    );
    Listing {
        leaderboard: board.clone(),
        drifted: page.version != started_from,
        direction: cursor.map_or(Direction::Next, |cursor| cursor.direction),
        layout,
        period,
        page,
        next,
        previous,
        started_from,
    }
}

/// Reads the window around a player: a page with cursors in both directions.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] if the player has no entry that the caller sees.
pub async fn read_around<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
    limit: u32,
) -> Result<Listing, QueryError> {
    read_with_current(deps, id, caller, async |board| {
        let period = resolve_period(deps, &board.value, selector).await?;
        let at = refer_to_period(deps, board, &period);
        let page = deps
            .store
            .around(&at, player, limit, caller)
            .await?
            .ok_or(QueryError::UnknownEntry)?;
        Ok(listing(board, period, page, None))
    })
    .await
}

/// Reads the entries of some players. The result has no entry for a player without one.
///
/// # Errors
/// [`QueryError`].
pub async fn read_entries_by_player<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    asked: &[PlayerId],
    selector: &PeriodSelector,
) -> Result<EntriesByPlayer, QueryError> {
    read_with_current(deps, id, caller, async |board| {
        let period = resolve_period(deps, &board.value, selector).await?;
        let found = deps
            .store
            .entries_by_player(&refer_to_period(deps, board, &period), asked, caller)
            .await?;
        Ok(build_entries_by_player(board, period, found))
    })
    .await
}

/// Reads one player's entry.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] if the player has no entry that the caller sees.
pub async fn read_entry<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<EntriesByPlayer, QueryError> {
    let found = read_entries_by_player(deps, caller, id, std::slice::from_ref(player), selector).await?;
    if found.entries.is_empty() {
        Err(QueryError::UnknownEntry)
    } else {
        Ok(found)
    }
}

/// Lists the periods that have entries and start before `before` (if given), newest first.
///
/// # Errors
/// [`QueryError`].
pub async fn list_periods<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    before: Option<Timestamp>,
    limit: u32,
) -> Result<(SharedLeaderboard, PeriodPage), QueryError> {
    let board = load_readable_leaderboard(deps, caller, id).await?;
    let mut page = deps
        .store
        .list_periods(deps.tenant, id, before, limit, deps.now)
        .await?;
    for summary in &mut page.periods {
        summary.period = board.value.schedule.bounds_of(summary.period.clone());
    }
    Ok((board, page))
}

/// Reads a leaderboard's current configuration from the store, for a caller who may read its entries.
///
/// # Errors
/// [`QueryError`].
pub async fn load_readable_leaderboard<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
) -> Result<SharedLeaderboard, QueryError> {
    // The reads that follow do not check the version, so the permission is checked with the current configuration.
    let board = deps
        .load_current_leaderboard(id)
        .await?
        .ok_or(QueryError::UnknownLeaderboard)?;
    if caller.may_read(board.value.access) {
        Ok(board)
    } else {
        Err(QueryError::Forbidden)
    }
}

/// Removes a player's entry, and returns the period's new version.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] if the player has no entry; [`QueryError::Forbidden`] if the caller is not a
/// server, because a player may not remove any entry.
pub async fn remove_entry<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<u64, QueryError> {
    if !caller.is_server() {
        return Err(QueryError::Forbidden);
    }
    read_with_current(deps, id, caller, async |board| {
        let period = resolve_period(deps, &board.value, selector).await?;
        let at = refer_to_period(deps, board, &period);
        let version = deps.store.remove(&at, player, deps.now).await?;
        version.ok_or(ReadFailure::Query(QueryError::UnknownEntry))
    })
    .await
}

pub(super) fn build_entries_by_player(
    board: &SharedLeaderboard,
    period: Period,
    found: PlayerEntries,
) -> EntriesByPlayer {
    let PlayerEntries {
        layout,
        version,
        count,
        entries,
    } = found;
    EntriesByPlayer {
        leaderboard: SharedLeaderboard::clone(board),
        layout: layout.unwrap_or_else(|| board.value.layout()),
        period,
        version,
        count,
        entries,
    }
}
