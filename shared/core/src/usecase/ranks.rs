//! Reading ranks, and removing an entry.

use super::cursor::{Cursor, Direction};
use super::query::{Failure, QueryError, Shared, ask, period_of, place};
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
    pub board: Shared,
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
    pub board: Shared,
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
pub async fn list<S: Store, K: Cache>(
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
    ask(deps, tenant, id, caller, async |board| {
        list_once(deps, tenant, board, caller, query).await
    })
    .await
}

async fn list_once<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    board: &Shared,
    caller: &Caller,
    query: &ListQuery,
) -> Result<Listing, Failure> {
    let selector = match &query.cursor {
        None => query.period.clone(),
        Some(cursor) => PeriodSelector::Named(cursor.period.clone()),
    };
    let period = period_of(deps, tenant, &board.value, &selector).await?;
    if query.cursor.is_some() && query.period != PeriodSelector::Current {
        let asked = period_of(deps, tenant, &board.value, &query.period).await?;
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
            &place(tenant, board, &period, deps.now),
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
fn listing(board: &Shared, period: Period, page: Page, cursor: Option<&Cursor>) -> Listing {
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
pub async fn around<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
    limit: u32,
) -> Result<Listing, QueryError> {
    ask(deps, tenant, id, caller, async |board| {
        let period = period_of(deps, tenant, &board.value, selector).await?;
        let at = place(tenant, board, &period, deps.now);
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
pub async fn players<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    asked: &[PlayerId],
    selector: &PeriodSelector,
) -> Result<PlayerEntry, QueryError> {
    ask(deps, tenant, id, caller, async |board| {
        let period = period_of(deps, tenant, &board.value, selector).await?;
        let found = deps
            .store
            .entries_by_player(&place(tenant, board, &period, deps.now), asked, caller)
            .await?;
        Ok(standing_of(board, period, found))
    })
    .await
}

/// One player's entry.
///
/// # Errors
/// [`QueryError`]; [`QueryError::UnknownEntry`] when there is none that the caller sees.
pub async fn standing<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<PlayerEntry, QueryError> {
    let found = players(deps, tenant, caller, id, std::slice::from_ref(player), selector).await?;
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
pub async fn periods<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
    before: Option<Timestamp>,
    limit: u32,
) -> Result<(Shared, PeriodPage), QueryError> {
    let board = readable(deps, tenant, caller, id).await?;
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
pub async fn readable<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    id: &LeaderboardId,
) -> Result<Shared, QueryError> {
    // What follows proves no version, so the right to read is decided with the current configuration.
    let board = deps
        .current_board(tenant, id)
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
pub async fn remove<S: Store, K: Cache>(
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
    ask(deps, tenant, id, caller, async |board| {
        let period = period_of(deps, tenant, &board.value, selector).await?;
        let at = place(tenant, board, &period, deps.now);
        let version = deps.store.remove(&at, player, deps.now).await?;
        version.ok_or(Failure::Query(QueryError::UnknownEntry))
    })
    .await
}

fn standing_of(board: &Shared, period: Period, found: PlayerEntries) -> PlayerEntry {
    let PlayerEntries {
        layout,
        version,
        count,
        entries,
    } = found;
    PlayerEntry {
        board: Shared::clone(board),
        layout: layout.unwrap_or_else(|| board.value.layout()),
        period,
        version,
        count,
        entries,
    }
}
