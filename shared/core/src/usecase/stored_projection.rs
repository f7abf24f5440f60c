//! The projection of the stored entries, for a leaderboard whose history has neither its first event nor a snapshot left.
//!
//! Each batch of entries comes with the position of the newest event at the same moment. Other writers submit meanwhile, so the batches
//! have different positions. The events after the first batch are applied to the entries that do not have them yet, until all have the
//! events up to the same position.

use std::collections::{BTreeMap, HashMap};

use super::Deps;
use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, refer_to_period};
use super::replay::EVENTS_AT_ONCE;
use crate::ports::{
    EntryRepair, Events, ListedEntry, MAX_COMPARED_PLAYERS, PeriodRef, ReadError, Scores, StoredEntry,
};
use crate::{EventBody, Layout, Period, PeriodId, PlayerId, Projection, RecordedEvent, StoreError};

/// The most entries that are read. More entries are not one snapshot.
const MAX_ENTRIES: usize = 400_000;
/// The most steps of a scan of a period.
const MAX_SCAN_STEPS: u32 = 2_000;

/// The stored entries of a period.
struct StoredPeriod {
    period: Period,
    layout: Layout,
    version: u64,
    /// The entry of each player, and the position of the newest event when it was read.
    entries: HashMap<PlayerId, (Option<ListedEntry>, u64)>,
}

/// Returns the projection of the stored entries; `None` if they are too many or damaged, or if the configuration changes meanwhile.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn project_stored<S: Scores + Events + EntryRepair, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
) -> Result<Option<Projection>, QueryError> {
    let mut periods = BTreeMap::new();
    let mut room = MAX_ENTRIES;
    let id = &board.value.id;
    let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
    let Some(begin) = bounds.map(|bounds| bounds.last) else {
        return Ok(None);
    };
    for summary in deps.store.periods(deps.tenant, id, deps.now).await? {
        let Some(stored) = read_period(deps, board, summary.period, &mut room).await? else {
            return Ok(None);
        };
        periods.insert(stored.period.id.clone(), stored);
    }
    let mut projection = Projection::of_leaderboard(
        board.value.clone(),
        begin.position,
        begin.recorded_at().unwrap_or(deps.now),
    );
    for stored in periods.values() {
        let entries = stored.entries.values().filter_map(|(entry, _)| entry.as_ref());
        projection.add_period(&stored.period, &stored.layout, entries);
    }
    if !apply_later_events(deps, board, &periods, &mut projection).await? {
        return Ok(None);
    }
    for (id, stored) in &periods {
        projection.raise_version(id, stored.version);
    }
    Ok(Some(projection))
}

/// Returns the stored entries of a period; `None` if they are too many or damaged.
async fn read_period<S: EntryRepair, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    period: Period,
    room: &mut usize,
) -> Result<Option<StoredPeriod>, QueryError> {
    let period_ref = refer_to_period(deps, board, &period);
    let mut from = Vec::new();
    let mut found: Option<StoredPeriod> = None;
    for _ in 0..MAX_SCAN_STEPS {
        let scanned = deps.store.scan_stored_players(&period_ref, &from, false).await;
        let scanned = scanned.map_err(failure)?;
        let mut players = scanned.players;
        if let Some(stored) = &found {
            players.retain(|player| !stored.entries.contains_key(player));
        }
        let batches: Vec<&[PlayerId]> = if players.is_empty() && found.is_none() {
            // The layout and the version of a period without entries.
            vec![&[]]
        } else {
            players.chunks(MAX_COMPARED_PLAYERS).collect()
        };
        for batch in batches {
            let is_read = read_batch(deps, &period_ref, (&period, batch), &mut found).await?;
            *room = room.saturating_sub(batch.len());
            if !is_read || *room == 0 {
                return Ok(None);
            }
        }
        match scanned.next {
            Some(next) => from = next,
            None => return Ok(found),
        }
    }
    Ok(None)
}

/// Adds the stored entries of some players. Returns false if an entry is damaged or the period is gone.
async fn read_batch<S: EntryRepair, K>(
    deps: &Deps<'_, S, K>,
    period_ref: &PeriodRef<'_>,
    (period, players): (&Period, &[PlayerId]),
    found: &mut Option<StoredPeriod>,
) -> Result<bool, QueryError> {
    let stored = deps.store.read_stored_entries(period_ref, players).await;
    let stored = stored.map_err(failure)?;
    let Some(layout) = stored.layout else {
        return Ok(false);
    };
    let known = found.get_or_insert_with(|| StoredPeriod {
        period: period.clone(),
        layout: layout.clone(),
        version: 0,
        entries: HashMap::new(),
    });
    if known.layout != layout {
        return Ok(false);
    }
    known.version = stored.version;
    for (player, (entry, _)) in players.iter().zip(stored.entries) {
        let entry = match entry {
            StoredEntry::Absent => None,
            StoredEntry::Present(entry) => Some(entry),
            StoredEntry::Damaged => return Ok(false),
        };
        known.entries.insert(player.clone(), (entry, stored.position));
    }
    Ok(true)
}

/// Applies the events after the first batch to the entries that do not have them yet. Returns false if the configuration changed.
async fn apply_later_events<S: Events, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    periods: &BTreeMap<PeriodId, StoredPeriod>,
    projection: &mut Projection,
) -> Result<bool, QueryError> {
    let stamps = periods
        .values()
        .flat_map(|stored| stored.entries.values())
        .map(|(_, position)| *position);
    let last = stamps.max().unwrap_or_else(|| projection.position());
    while projection.position() < last {
        let id = &board.value.id;
        let read = deps
            .store
            .read(deps.tenant, id, projection.position(), EVENTS_AT_ONCE)
            .await?;
        if read.is_empty() {
            return Ok(false);
        }
        for logged in read {
            let position = logged.position;
            if position > last {
                break;
            }
            let event = logged
                .into_known()
                .map_err(|_| QueryError::UnknownEvent { position })?;
            if matches!(event.event.body, EventBody::Configured { .. }) {
                return Ok(false);
            }
            if has_event(periods, projection, &event) {
                projection.pass(&event);
            } else if projection.apply(&event).is_err() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Returns whether the entry of an event has it already, or has nothing that the event could change.
fn has_event(
    periods: &BTreeMap<PeriodId, StoredPeriod>,
    projection: &Projection,
    recorded: &RecordedEvent,
) -> bool {
    let (player, period) = match &recorded.event.body {
        EventBody::Submitted { player, period, .. } => (player, period),
        EventBody::Removed { player, period } => {
            // An entry that the scan missed was removed and created again, or removed.
            if projection.listed_entry(period, player).is_none() {
                return true;
            }
            (player, period)
        }
        _ => return false,
    };
    let stored = periods.get(period).and_then(|stored| stored.entries.get(player));
    stored.is_some_and(|(_, position)| *position >= recorded.position)
}

fn failure(error: ReadError) -> QueryError {
    match error {
        ReadError::StaleConfiguration => {
            StoreError::Unavailable("the configuration changed meanwhile".into()).into()
        }
        ReadError::Replica(refusal) => QueryError::Replica(refusal),
        ReadError::Store(error) => error.into(),
    }
}
