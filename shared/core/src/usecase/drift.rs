//! Where a list has drifted since it was started.

use std::collections::BTreeSet;

use super::{Deps, Listing};
use crate::ports::Events;
use crate::{EventBody, PeriodId, PlayerId, RecordedEvent, StoreError, TenantId};

/// The most events that are read to tell where a list drifted.
pub const MAX_DRIFT_EVENTS: u32 = 1000;

/// The ranks on a page whose players have events since the list was started; `None` when there are more than
/// [`MAX_DRIFT_EVENTS`] of them to go through. Where a page differs from the one that would have been read then, it
/// is at these ranks, or everything has moved up or down because of entries elsewhere.
///
/// Asks the store only where the list has drifted. Players who are not on the page are not told of.
///
/// # Errors
/// [`StoreError`].
pub async fn touched_ranks<S: Events, K>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    listing: &Listing,
) -> Result<Option<Vec<u64>>, StoreError> {
    if !listing.drifted {
        return Ok(Some(Vec::new()));
    }
    let page = &listing.page;
    let events = deps
        .store
        .read(
            tenant,
            &listing.board.value.id,
            listing.started_from,
            MAX_DRIFT_EVENTS,
        )
        .await?;
    let read_up_to = events.last().map_or(listing.started_from, |event| event.position);
    if read_up_to < page.version {
        return Ok(None);
    }
    let touched: BTreeSet<&PlayerId> = events
        .iter()
        // What happened after the page was read does not show in it.
        .take_while(|event| event.position <= page.version)
        .filter_map(|event| player_of(event, &listing.period.id))
        .collect();
    let ranks = page.entries.iter();
    Ok(Some(
        ranks
            .filter(|ranked| touched.contains(&ranked.entry.player))
            .map(|ranked| ranked.rank)
            .collect(),
    ))
}

/// Whose entry in the period an event is about.
fn player_of<'e>(event: &'e RecordedEvent, of: &PeriodId) -> Option<&'e PlayerId> {
    match &event.event.body {
        EventBody::Submitted { player, period, .. } | EventBody::Removed { player, period } => {
            (period == of).then_some(player)
        }
        EventBody::Hidden { player } | EventBody::Restored { player } => Some(player),
        EventBody::Configured { .. } => None,
    }
}
