//! Drift: what changed in a list since its first page.

use std::collections::BTreeMap;

use super::query::refer_to_period;
use super::{Deps, Direction, Listing, MAX_PLAYERS_ASKED};
use crate::access::Caller;
use crate::ports::{Events, PeriodRef, ReadError, ReadSource, Scores};
use crate::{Entry, Event, EventBody, Operator, PeriodId, PlayerId, RankedEntry, RecordedEvent, StoreError};

/// The most events that are read to find the drift of a list.
pub const MAX_DRIFT_EVENTS: u32 = 1000;
/// How many events one read returns. Reading stops when the result is known.
const EVENTS_AT_ONCE: u32 = 100;

/// What changed in a list since its first page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// The ranks on this page whose entries may have changed.
    pub touched_ranks: Vec<u64>,
    /// Changes of players who are not on this page; `None` if there are more than [`MAX_PLAYERS_ASKED`] such players.
    pub elsewhere: Option<Elsewhere>,
}

/// Changes of players who are not on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Changed players whose entries are now in the part that the list has already shown, best first. If a player moved there
    /// from the part that the list has not shown yet, no page of the list shows the player.
    pub moved_past: Vec<PlayerId>,
    /// How many players were removed or banned. Their names are not included, so that a ban stays secret.
    pub gone: u64,
}

/// Finds the drift of a list, as `caller` sees it: a banned player does not see their own ban as a change. Returns `None` if
/// there were more than [`MAX_DRIFT_EVENTS`] events, if one of them has an unknown format, or if the log no longer has all events
/// since the list's first page.
///
/// The drift explains each difference between this page and the page at the start of the list: either an entry of the page
/// changed, or changes elsewhere moved the page as a whole.
///
/// If the list has not changed, the function does not call the store; otherwise it reads only as many events as it needs.
///
/// # Errors
/// [`StoreError`].
pub async fn find_drift<S: Events + Scores, K>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    listing: &Listing,
) -> Result<Option<Drift>, StoreError> {
    if !listing.drifted {
        return Ok(Some(Drift::default()));
    }
    let Some(mut by_player) = events_by_player(deps, caller, listing).await? else {
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
        elsewhere: elsewhere(deps, caller, listing, &by_player).await?,
    }))
}

/// Events by player.
type ByPlayer = BTreeMap<PlayerId, Vec<Event>>;

/// Reads the events between a list's first page and this page that `caller` sees, until the result is known. Returns `None` if
/// there are too many events, one of them has an unknown format, or some of them were removed from the log.
async fn events_by_player<S: Events, K>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    listing: &Listing,
) -> Result<Option<ByPlayer>, StoreError> {
    let id = &listing.leaderboard.value.id;
    let (mut after, last) = (listing.started_from, listing.page.version);
    // Positions have no gaps, so the difference is the number of events. It is negative if the leaderboard was deleted and created
    // again.
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
            .read(deps.tenant, id, after, left.min(EVENTS_AT_ONCE))
            .await?;
        if events.is_empty() {
            return Ok(None);
        }
        for logged in events {
            let Ok(RecordedEvent { position, event }) = logged.into_known() else {
                return Ok(None);
            };
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

/// Returns whether reading more events cannot change the result: every entry of the page may have changed, and more players elsewhere
/// have changed than are looked up.
fn is_complete(by_player: &ByPlayer, listing: &Listing) -> bool {
    let entries = &listing.page.entries;
    by_player.len() > entries.len().saturating_add(MAX_PLAYERS_ASKED)
        && entries.iter().all(|ranked| is_touched(by_player, &ranked.entry))
}

fn is_touched(by_player: &ByPlayer, entry: &Entry) -> bool {
    let events = by_player.get(&entry.player).into_iter().flatten();
    events.into_iter().any(|event| may_have_made(event, entry))
}

/// Finds the changes of players who have events and are not on the page.
async fn elsewhere<S: Scores, K>(
    deps: &Deps<'_, S, K>,
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
    // The log was read from the primary, so the replica of the page may lack what is in it.
    let period_ref = PeriodRef {
        source: ReadSource::Primary,
        ..refer_to_period(deps, &listing.leaderboard, &listing.period)
    };
    // Except for their own entry, callers see no banned player in a list.
    let seen_by = if caller.own_player().is_some() {
        caller
    } else {
        &Caller::Reader
    };
    let found = match deps.store.entries_by_player(&period_ref, &players, seen_by).await {
        Ok(found) => found.entries,
        // The configuration has changed since the page was read.
        Err(ReadError::StaleConfiguration | ReadError::Replica(_)) => return Ok(None),
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

/// Returns whether an entry is in the part that the list has shown before this page.
fn is_past(listing: &Listing, entry: &Entry) -> bool {
    let key = |entry: &Entry| listing.layout.key(&entry.values, entry.reached_at, &entry.player);
    let entries = &listing.page.entries;
    match listing.direction {
        Direction::Next => entries.first().is_none_or(|first| key(entry) < key(&first.entry)),
        Direction::Previous => entries.last().is_none_or(|last| key(entry) > key(&last.entry)),
    }
}

/// Returns whether an event may have caused the current state of an entry. Returns false for an event that kept the entry, and
/// true if this is unclear.
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

/// Returns whether an event bans or unbans the caller. The caller must not notice such an event.
fn is_own_ban(caller: &Caller, event: &Event) -> bool {
    event.body.is_ban() && event.body.player() == caller.own_player()
}

/// Returns the player of an event, if the event concerns an entry in the period `of`.
fn find_player<'e>(event: &'e Event, of: &PeriodId) -> Option<&'e PlayerId> {
    match &event.body {
        EventBody::Submitted { period, .. } | EventBody::Removed { period, .. } if period != of => None,
        body => body.player(),
    }
}
