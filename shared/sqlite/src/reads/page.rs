//! Pages and windows of the list.

use leaderboard_core::PlayerId;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Page, PageFrom, PeriodRef, ReadError};

use super::entries_by_player::find_visible;
use super::find_current;
use super::period_list::PeriodList;
use crate::entries::Side;
use crate::session::Session;

/// Reads a page of the list.
pub(crate) fn page(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    from: &PageFrom,
    limit: u32,
    caller: &Caller,
) -> Result<Page, ReadError> {
    let Some(period) = find_current(session, period_ref)? else {
        return Ok(Page::default());
    };
    let list = PeriodList::new(session, period, caller.own_player())?;
    let limit = u64::from(limit);
    let stretch = match from {
        PageFrom::Top => list.read_beside(session, Side::After, &[], limit)?,
        PageFrom::After(key) => list.read_beside(session, Side::After, key.as_bytes(), limit)?,
        PageFrom::Before(key) => {
            let mut stretch = list.read_beside(session, Side::Before, key.as_bytes(), limit)?;
            stretch.reverse();
            stretch
        }
    };
    let first_index = match (stretch.first(), from) {
        (_, PageFrom::Top) | (None, PageFrom::Before(_)) => 0,
        (Some(first), _) => list.count_before(session, first.key.as_bytes())?,
        // The page is after the end of the list.
        (None, PageFrom::After(_)) => list.count(),
    };
    Ok(list.finish(session, first_index, stretch)?)
}

/// Reads a window with the player's entry in the middle.
pub(crate) fn around(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Page>, ReadError> {
    let Some(period) = find_current(session, period_ref)? else {
        return Ok(None);
    };
    let found = find_visible(session, &period, std::slice::from_ref(player), caller)?;
    let Some((own, _)) = found.into_iter().next() else {
        return Ok(None);
    };
    let shown = caller.own_player().unwrap_or(player);
    let list = PeriodList::new(session, period, Some(shown))?;
    let key = own.key.as_bytes().to_vec();
    let index = list.count_before(session, &key)?;
    let limit = u64::from(limit.max(1));
    let start = start_of_window(index, list.count(), limit);
    let above = index.saturating_sub(start);
    let below = limit.saturating_sub(above).saturating_sub(1);
    let mut stretch = list.read_beside(session, Side::Before, &key, above)?;
    stretch.reverse();
    stretch.push(own);
    stretch.extend(list.read_beside(session, Side::After, &key, below)?);
    Ok(Some(list.finish(session, start, stretch)?))
}

/// Returns how many entries are before a window of `limit` entries around the entry at `index`, of a list of `count` entries.
pub(super) fn start_of_window(index: u64, count: u64, limit: u64) -> u64 {
    index.saturating_sub(limit / 2).min(count.saturating_sub(limit))
}
