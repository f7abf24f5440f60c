//! Where a list has drifted since it was started.

use std::collections::BTreeMap;

use super::query::refer_to_period;
use super::{Deps, Direction, Listing, MAX_PLAYERS_ASKED};
use crate::access::Caller;
use crate::ports::{Events, ReadError, Scores};
use crate::{
    Entry, Event, EventBody, Operator, PeriodId, PlayerId, RankedEntry, RecordedEvent, StoreError, TenantId,
};

/// The most events that are read to tell where a list drifted.
pub const MAX_DRIFT_EVENTS: u32 = 1000;
/// How many events are read at once: no more are read when the answer is known.
const EVENTS_AT_ONCE: u32 = 100;

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

/// Where a list has drifted; `None` when there are more than [`MAX_DRIFT_EVENTS`] events to go through, or when the log no
/// longer reaches back to where the list was started. Where a page differs from the one that would have been read when the
/// list was started, it is there, or everything has moved up or down because of entries elsewhere.
///
/// It is told as `caller` sees the list: to its own player, no ban of that player changes anything.
///
/// Asks the store only where the list has drifted, and for no more events than the answer takes.
///
/// # Errors
/// [`StoreError`].
pub async fn find_drift<S: Events + Scores, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    listing: &Listing,
) -> Result<Option<Drift>, StoreError> {
    if !listing.drifted {
        return Ok(Some(Drift::default()));
    }
    let Some(mut by_player) = events_by_player(deps, tenant, caller, listing).await? else {
        return Ok(None);
    };
    let entries = &listing.page.entries;
    let touched = entries
        .iter()
        .filter(|ranked| is_touched(&by_player, &ranked.entry));
    let touched_ranks = touched.map(|ranked| ranked.rank).collect();
    for RankedEntry { entry, .. } in entries {
        by_player.remove(&entry.player);
    }
    Ok(Some(Drift {
        touched_ranks,
        elsewhere: elsewhere(deps, tenant, caller, listing, &by_player).await?,
    }))
}

/// What happened to whom.
type ByPlayer = BTreeMap<PlayerId, Vec<Event>>;

/// The events between the start of a list and its page that `caller` sees, or as many of them as settle the answer; `None`
/// when they are too many or no longer there.
async fn events_by_player<S: Events, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    listing: &Listing,
) -> Result<Option<ByPlayer>, StoreError> {
    let id = &listing.board.value.id;
    let (mut after, last) = (listing.started_from, listing.page.version);
    // Positions have no gaps, so these two tell how many events there are. The last one is before the first one where
    // the leaderboard was deleted and made again.
    let count = last.checked_sub(after);
    if count.is_none_or(|count| count > u64::from(MAX_DRIFT_EVENTS)) {
        return Ok(None);
    }
    let mut by_player = ByPlayer::new();
    while after < last && !is_complete(&by_player, listing) {
        // What happened after the page was read does not show in it.
        let left = u32::try_from(last.saturating_sub(after)).unwrap_or(u32::MAX);
        let events = deps
            .store
            .read(tenant, id, after, left.min(EVENTS_AT_ONCE))
            .await?;
        if events.is_empty() {
            return Ok(None);
        }
        for RecordedEvent { position, event } in events {
            if position != after.saturating_add(1) {
                return Ok(None);
            }
            after = position;
            if let Some(player) = find_player(&event, &listing.period.id)
                && !is_own_ban(caller, &event)
            {
                by_player.entry(player.clone()).or_default().push(event);
            }
        }
    }
    Ok(Some(by_player))
}

/// Whether more events would not change the answer: all ranks of the page are touched, and of more players elsewhere than
/// are asked for nothing is told.
fn is_complete(by_player: &ByPlayer, listing: &Listing) -> bool {
    let entries = &listing.page.entries;
    by_player.len() > entries.len().saturating_add(MAX_PLAYERS_ASKED)
        && entries.iter().all(|ranked| is_touched(by_player, &ranked.entry))
}

fn is_touched(by_player: &ByPlayer, entry: &Entry) -> bool {
    let events = by_player.get(&entry.player).into_iter().flatten();
    events.into_iter().any(|event| may_have_made(event, entry))
}

/// What happened to those who have events and are not on the page.
async fn elsewhere<S: Scores, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    listing: &Listing,
    by_player: &ByPlayer,
) -> Result<Option<Elsewhere>, StoreError> {
    let players: Vec<PlayerId> = by_player.keys().cloned().collect();
    if players.is_empty() {
        return Ok(Some(Elsewhere::default()));
    }
    if players.len() > MAX_PLAYERS_ASKED {
        return Ok(None);
    }
    let period_ref = refer_to_period(tenant, &listing.board, &listing.period, deps.now);
    // A list shows the hidden player who asks, and no other one, to whoever asks.
    let seen_by = if caller.own_player().is_some() {
        caller
    } else {
        &Caller::Reader
    };
    let found = match deps.store.entries_by_player(&period_ref, &players, seen_by).await {
        Ok(found) => found.entries,
        // The leaderboard has changed under the list.
        Err(ReadError::StaleConfiguration) => return Ok(None),
        Err(ReadError::Store(error)) => return Err(error),
    };
    let mut elsewhere = Elsewhere::default();
    for (player, events) in by_player {
        if found.iter().all(|ranked| ranked.entry.player != *player) && events.iter().any(is_removal_or_ban) {
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
        kept,
        ..
    } = &event.body
    else {
        return true;
    };
    match operator {
        _ if *kept => false,
        Operator::Best => *values == entry.values && *occurred_at == entry.reached_at,
        // Metadata alone may have changed.
        Operator::Set => *values == entry.values && *metadata == entry.metadata,
        Operator::Increment | Operator::Decrement => {
            values.first() != 0 || values.as_slice().len() > 1 || metadata.is_some()
        }
    }
}

fn is_removal_or_ban(event: &Event) -> bool {
    matches!(event.body, EventBody::Removed { .. } | EventBody::Banned { .. })
}

/// Whether an event hides or shows the player who asks: to that player it has not happened.
fn is_own_ban(caller: &Caller, event: &Event) -> bool {
    match &event.body {
        EventBody::Banned { player } | EventBody::Unbanned { player } => caller.own_player() == Some(player),
        EventBody::Submitted { .. } | EventBody::Removed { .. } | EventBody::Configured { .. } => false,
    }
}

/// Whose entry in the period an event is about.
fn find_player<'e>(event: &'e Event, of: &PeriodId) -> Option<&'e PlayerId> {
    match &event.body {
        EventBody::Submitted { player, period, .. } | EventBody::Removed { player, period } => {
            (period == of).then_some(player)
        }
        EventBody::Banned { player } | EventBody::Unbanned { player } => Some(player),
        EventBody::Configured { .. } => None,
    }
}
