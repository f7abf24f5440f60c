//! Where a list has drifted since it was started.

use std::collections::BTreeMap;

use super::query::place;
use super::{Deps, Direction, Listing, MAX_PLAYERS_ASKED};
use crate::access::Caller;
use crate::ports::{Events, ReadError, Scores};
use crate::{Entry, Event, EventBody, Operator, PeriodId, PlayerId, RankedEntry, StoreError, TenantId};

/// The most events that are read to tell where a list drifted.
pub const MAX_DRIFT_EVENTS: u32 = 1000;

/// Where a list differs from the one that was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// The ranks on this page whose players had changes.
    pub touched_ranks: Vec<u64>,
    /// What happened to players who are not on this page; `None` when there are more of them than are asked for.
    pub elsewhere: Option<Elsewhere>,
}

/// What happened to players who are not on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Who had changes and stands where the list has been already, best first: those who came there from where it has
    /// not been yet are on none of its pages.
    pub moved_past: Vec<PlayerId>,
    /// How many were removed or hidden. Who is not told: nobody learns here that somebody is hidden.
    pub gone: u64,
}

/// Where a list has drifted; `None` when there are more than [`MAX_DRIFT_EVENTS`] events to go through. Where a page differs
/// from the one that would have been read when the list was started, it is there, or everything has moved up or down because
/// of entries elsewhere.
///
/// Asks the store only where the list has drifted.
///
/// # Errors
/// [`StoreError`].
pub async fn drift<S: Events + Scores, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    listing: &Listing,
) -> Result<Option<Drift>, StoreError> {
    if !listing.drifted {
        return Ok(Some(Drift::default()));
    }
    let page = &listing.page;
    let id = &listing.board.value.id;
    let store = deps.store;
    let events = store
        .read(tenant, id, listing.started_from, MAX_DRIFT_EVENTS)
        .await?;
    let read_up_to = events.last().map_or(listing.started_from, |event| event.position);
    if read_up_to < page.version {
        return Ok(None);
    }
    let mut by_player: BTreeMap<&PlayerId, Vec<&Event>> = BTreeMap::new();
    // What happened after the page was read does not show in it.
    for recorded in events.iter().take_while(|event| event.position <= page.version) {
        if let Some(player) = player_of(&recorded.event, &listing.period.id) {
            by_player.entry(player).or_default().push(&recorded.event);
        }
    }
    let mut touched_ranks = Vec::new();
    for RankedEntry { rank, entry } in &page.entries {
        let events = by_player.remove(&entry.player).unwrap_or_default();
        if events.iter().any(|event| may_have_made(event, entry)) {
            touched_ranks.push(*rank);
        }
    }
    Ok(Some(Drift {
        touched_ranks,
        elsewhere: elsewhere(deps, tenant, listing, &by_player).await?,
    }))
}

/// What happened to those who have events and are not on the page.
async fn elsewhere<S: Scores, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    listing: &Listing,
    by_player: &BTreeMap<&PlayerId, Vec<&Event>>,
) -> Result<Option<Elsewhere>, StoreError> {
    let players: Vec<PlayerId> = by_player.keys().copied().cloned().collect();
    if players.is_empty() {
        return Ok(Some(Elsewhere::default()));
    }
    if players.len() > MAX_PLAYERS_ASKED {
        return Ok(None);
    }
    let place = place(tenant, &listing.board, &listing.period);
    let found = match deps.store.standings(&place, &players, &Caller::Reader).await {
        Ok(found) => found.entries,
        // The leaderboard has changed under the list.
        Err(ReadError::StaleConfiguration) => return Ok(None),
        Err(ReadError::Store(error)) => return Err(error),
    };
    let mut elsewhere = Elsewhere::default();
    for (player, events) in by_player {
        if found.iter().all(|ranked| ranked.entry.player != **player)
            && events.iter().any(|event| takes_out(event))
        {
            elsewhere.gone = elsewhere.gone.saturating_add(1);
        }
    }
    for RankedEntry { entry, .. } in found {
        let events = by_player.get(&entry.player).into_iter().flatten();
        if is_past(listing, &entry) && events.into_iter().any(|event| may_have_made(event, &entry)) {
            elsewhere.moved_past.push(entry.player);
        }
    }
    Ok(Some(elsewhere))
}

/// Whether an entry stands where the list has been before this page.
fn is_past(listing: &Listing, entry: &Entry) -> bool {
    let key = |entry: &Entry| listing.layout.key(&entry.values, entry.reached_at, &entry.player);
    let entries = &listing.page.entries;
    match listing.direction {
        Direction::Next => entries.first().is_none_or(|first| key(entry) < key(&first.entry)),
        Direction::Previous => entries.last().is_none_or(|last| key(entry) > key(&last.entry)),
    }
}

/// Whether an event may have made an entry what it is. One that left the entry as it was did not; what cannot be told
/// apart counts.
fn may_have_made(event: &Event, entry: &Entry) -> bool {
    let EventBody::Submitted {
        operator,
        values,
        metadata,
        occurred_at,
        ..
    } = &event.body
    else {
        return true;
    };
    match operator {
        Operator::Best => *values == entry.values && *occurred_at == entry.reached_at,
        // Metadata alone may have changed.
        Operator::Set => *values == entry.values && *metadata == entry.metadata,
        Operator::Increment | Operator::Decrement => {
            values.first() != 0 || values.as_slice().len() > 1 || metadata.is_some()
        }
    }
}

fn takes_out(event: &Event) -> bool {
    matches!(event.body, EventBody::Removed { .. } | EventBody::Hidden { .. })
}

/// Whose entry in the period an event is about.
fn player_of<'e>(event: &'e Event, of: &PeriodId) -> Option<&'e PlayerId> {
    match &event.body {
        EventBody::Submitted { player, period, .. } | EventBody::Removed { player, period } => {
            (period == of).then_some(player)
        }
        EventBody::Hidden { player } | EventBody::Restored { player } => Some(player),
        EventBody::Configured { .. } => None,
    }
}
