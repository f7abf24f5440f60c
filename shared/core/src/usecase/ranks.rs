//! Reading ranks, and removing an entry.

use super::cursor::{Cursor, Direction};
use super::query::{
    QueryError, ReadFailure, SharedLeaderboard, read_with_current, refer_to_period, resolve_period,
};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, Page, PageFrom, PeriodPage, PlayerEntries};
use crate::{
    Invalid, Layout, LeaderboardId, Period, PeriodSelector, PlayerId, RankedEntry, TenantId, Timestamp,
};

/// How many players one question may name.
pub const MAX_PLAYERS_ASKED: usize = 200;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which period; a cursor brings its own.
    pub period: PeriodSelector,
    /// Where to go on; `None` is the top.
    pub cursor: Option<Cursor>,
    /// How many entries, 1 to 1,000.
    pub limit: u32,
}

/// A page, and the ways on from it.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The configuration the page was read with.
    pub board: SharedLeaderboard,
    /// How the page is ordered: its column names go with the values.
    pub layout: Layout,
    /// The period.
    pub period: Period,
    /// The entries.
    pub page: Page,
    /// Goes on with the worse entries; `None` at the end.
    pub next: Option<Cursor>,
    /// Goes back to the better entries; `None` at the top.
    pub previous: Option<Cursor>,
    /// Which way the list goes.
    pub direction: Direction,
    /// The version the list was started from.
    pub started_from: u64,
    /// Whether entries changed since.
    pub drifted: bool,
}

/// One player's entry, and what it stands among.
#[derive(Debug, Clone)]
pub struct PlayerEntry {
    /// The configuration it was read with.
    pub board: SharedLeaderboard,
    /// How the period is ordered.
    pub layout: Layout,
    /// The period.
    pub period: Period,
    /// The period's version.
    pub version: u64,
    /// How many entries there are.
    pub count: u64,
    /// The entries found, best first.
    pub entries: Vec<RankedEntry>,
}

/// A page of a list.
///
/// # Errors
/// [`QueryError`].
pub async fn read_page<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    query: &ListQuery,
) -> Result<Listing, QueryError> {
    if query
        .cursor
        .as_ref()
        .is_some_and(|cursor| cursor.leaderboard != *id)
    {
        return Err(QueryError::Invalid(Invalid::new(
            "cursor",
            "belongs to another leaderboard",
        )));
    }
    read_with_current(deps, tenant, id, caller, async |board| {
        read_page_once(deps, tenant, board, caller, query).await
    })
    .await
}

async fn read_page_once<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    board: &SharedLeaderboard,
    caller: &Caller,
    query: &ListQuery,
) -> Result<Listing, ReadFailure> {
    let selector = match &query.cursor {
        None => query.period.clone(),
        Some(cursor) => PeriodSelector::Named(cursor.period.clone()),
    };
    let period = resolve_period(deps, tenant, &board.value, &selector).await?;
    if query.cursor.is_some() && query.period != PeriodSelector::Current {
        let asked = resolve_period(deps, tenant, &board.value, &query.period).await?;
        if asked.id != period.id {
            return Err(QueryError::Invalid(Invalid::new("cursor", "belongs to another period")).into());
        }
    }
    let from = query
        .cursor
        .as_ref()
        .map_or(PageFrom::Top, |cursor| match cursor.direction {
            Direction::Next => PageFrom::After(cursor.key.clone()),
            Direction::Previous => PageFrom::Before(cursor.key.clone()),
        });
    let page = deps
        .store
        .page(
            &refer_to_period(tenant, board, &period, deps.now),
            &from,
            query.limit,
            caller,
        )
        .await?;
    let layout = page.layout.clone().unwrap_or_else(|| board.value.layout());
    if let Some(cursor) = &query.cursor {
        if cursor.layout != Cursor::layout_hash(&layout) {
            return Err(QueryError::StaleCursor.into());
        }
        if layout.parse(cursor.key.as_bytes()).is_none() {
            return Err(QueryError::Invalid(Invalid::new("cursor", "is not a cursor of this list")).into());
        }
    }
    Ok(listing(board, period, page, query.cursor.as_ref()))
}

/// A page with the ways on from it; `cursor` is what it was read by.
fn listing(board: &SharedLeaderboard, period: Period, page: Page, cursor: Option<&Cursor>) -> Listing {
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
        })
    };
    let next = cursor_at(page.entries.last().filter(|_| page.more_after), Direction::Next);
    let previous = cursor_at(
        page.entries.first().filter(|_| page.more_before),
        Direction::Previous,
    );
    Listing {
        board: board.clone(),
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

/// The window around a player, a page like those of the list, with cursors in both directions.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] when there is no entry that the caller sees.
pub async fn read_around<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
    limit: u32,
) -> Result<Listing, QueryError> {
    read_with_current(deps, tenant, id, caller, async |board| {
        let period = resolve_period(deps, tenant, &board.value, selector).await?;
        let at = refer_to_period(tenant, board, &period, deps.now);
        let page = deps
            .store
            .around(&at, player, limit, caller)
            .await?
            .ok_or(QueryError::UnknownEntry)?;
        Ok(listing(board, period, page, None))
    })
    .await
}

/// Some players' entries; those without one are missing.
///
/// # Errors
/// [`QueryError`].
pub async fn read_players<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    asked: &[PlayerId],
    selector: &PeriodSelector,
) -> Result<PlayerEntry, QueryError> {
    read_with_current(deps, tenant, id, caller, async |board| {
        let period = resolve_period(deps, tenant, &board.value, selector).await?;
        let found = deps
            .store
            .entries_by_player(&refer_to_period(tenant, board, &period, deps.now), asked, caller)
            .await?;
        Ok(player_entry_from(board, period, found))
    })
    .await
}

/// One player's entry.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] when there is none that the caller sees.
pub async fn read_player<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<PlayerEntry, QueryError> {
    let found = read_players(deps, tenant, caller, id, std::slice::from_ref(player), selector).await?;
    if found.entries.is_empty() {
        Err(QueryError::UnknownEntry)
    } else {
        Ok(found)
    }
}

/// A page of the periods that have entries, newest first: those that start before `before`, or all.
///
/// # Errors
/// [`QueryError`].
pub async fn list_periods<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    before: Option<Timestamp>,
    limit: u32,
) -> Result<(SharedLeaderboard, PeriodPage), QueryError> {
    let board = load_readable_leaderboard(deps, tenant, caller, id).await?;
    let mut page = deps
        .store
        .list_periods(tenant, id, before, limit, deps.now)
        .await?;
    for summary in &mut page.periods {
        summary.period = board.value.schedule.bounds_of(summary.period.clone());
    }
    Ok((board, page))
}

/// A leaderboard's configuration as the store has it now, for a caller who may read its entries.
///
/// # Errors
/// [`QueryError`].
pub async fn load_readable_leaderboard<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
) -> Result<SharedLeaderboard, QueryError> {
    // What follows proves no version, so the right to read is decided with the current configuration.
    let board = deps
        .load_current(tenant, id)
        .await?
        .ok_or(QueryError::UnknownLeaderboard)?;
    if caller.may_read(board.value.access) {
        Ok(board)
    } else {
        Err(QueryError::Forbidden)
    }
}

/// Removes a player's entry. The period's version after it.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] when there is none, [`QueryError::Forbidden`] for anybody but a server: a
/// player removes nothing, not even their own entry.
pub async fn remove_entry<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<u64, QueryError> {
    if !caller.is_server() {
        return Err(QueryError::Forbidden);
    }
    read_with_current(deps, tenant, id, caller, async |board| {
        let period = resolve_period(deps, tenant, &board.value, selector).await?;
        let at = refer_to_period(tenant, board, &period, deps.now);
        let version = deps.store.remove(&at, player, deps.now).await?;
        version.ok_or(ReadFailure::Query(QueryError::UnknownEntry))
    })
    .await
}

fn player_entry_from(board: &SharedLeaderboard, period: Period, found: PlayerEntries) -> PlayerEntry {
    let PlayerEntries {
        layout,
        version,
        count,
        entries,
    } = found;
    PlayerEntry {
        board: SharedLeaderboard::clone(board),
        layout: layout.unwrap_or_else(|| board.value.layout()),
        period,
        version,
        count,
        entries,
    }
}
