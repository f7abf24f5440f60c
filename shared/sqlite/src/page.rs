//! Stretches of the list: pages and windows.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Page, PageFrom, Place, ReadError};
use leaderboard_core::{PlayerId, StoreError};

use crate::connection::Connection;
use crate::counting::{self, Counted};
use crate::entries::{self, Placed, Side};
use crate::periods::{self, Found};
use crate::ranking::rank_stretch;
use crate::standings;
use crate::store::Session;

/// A page of the visible entries.
pub(crate) async fn page<C: Connection>(
    session: &Session<'_, C>,
    place: &Place<'_>,
    from: &PageFrom,
    limit: u32,
) -> Result<Page, ReadError> {
    let Some(period) = periods::at_place(session, place).await? else {
        return Ok(Page {
            layout: None,
            version: 0,
            count: 0,
            entries: Vec::new(),
            more_before: false,
            more_after: false,
        });
    };
    let (first_index, stretch) = stretch(session, &period, from, u64::from(limit)).await?;
    Ok(finish(session, period, first_index, stretch, 0).await?)
}

/// The entries of a page, and how many come before them.
async fn stretch<C: Connection>(
    session: &Session<'_, C>,
    period: &Found,
    from: &PageFrom,
    limit: u64,
) -> Result<(u64, Vec<Placed>), StoreError> {
    let layout = &period.layout;
    match from {
        PageFrom::Top => {
            let entries = entries::beside(session, period.row, layout, Side::After, &[], limit).await?;
            Ok((0, entries))
        }
        PageFrom::After(key) => {
            let key = key.as_bytes();
            let entries = entries::beside(session, period.row, layout, Side::After, key, limit).await?;
            // From the first entry found, or from the end.
            let index = match entries.first() {
                Some(first) => {
                    let first = first.key.as_bytes();
                    counting::before(session, Counted::Entries, period.row, first).await?
                }
                None => period.visible,
            };
            Ok((index, entries))
        }
        PageFrom::Before(key) => {
            let key = key.as_bytes();
            let mut entries = entries::beside(session, period.row, layout, Side::Before, key, limit).await?;
            entries.reverse();
            let index = match entries.first() {
                Some(first) => {
                    let first = first.key.as_bytes();
                    counting::before(session, Counted::Entries, period.row, first).await?
                }
                None => 0,
            };
            Ok((index, entries))
        }
    }
}

/// Ranks a stretch; `besides` are entries of it that the period does not count as visible.
async fn finish<C: Connection>(
    session: &Session<'_, C>,
    period: Found,
    first_index: u64,
    stretch: Vec<Placed>,
    besides: u64,
) -> Result<Page, StoreError> {
    let count = period.visible.saturating_add(besides);
    let end = first_index.saturating_add(stretch.len() as u64);
    Ok(Page {
        version: period.version,
        count,
        entries: rank_stretch(session, &period, first_index, stretch).await?,
        more_before: first_index > 0,
        more_after: end < count,
        layout: Some(period.layout),
    })
}

/// A window with the player's entry in the middle.
pub(crate) async fn around<C: Connection>(
    session: &Session<'_, C>,
    place: &Place<'_>,
    player: &PlayerId,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Page>, ReadError> {
    let Some(period) = periods::at_place(session, place).await? else {
        return Ok(None);
    };
    let found = standings::find(session, &period, std::slice::from_ref(player), caller).await?;
    let Some((own, hidden)) = found.into_iter().next() else {
        return Ok(None);
    };
    let besides = u64::from(hidden);
    let count = period.visible.saturating_add(besides);
    let key = own.key.as_bytes().to_vec();
    let index = counting::before(session, Counted::Entries, period.row, &key).await?;
    let limit = u64::from(limit.max(1));
    let start = index.saturating_sub(limit / 2).min(count.saturating_sub(limit));
    let above = index.saturating_sub(start);
    let below = limit.saturating_sub(above).saturating_sub(1);
    let layout = &period.layout;
    let mut stretch = entries::beside(session, period.row, layout, Side::Before, &key, above).await?;
    stretch.reverse();
    stretch.push(own);
    stretch.extend(entries::beside(session, period.row, layout, Side::After, &key, below).await?);
    Ok(Some(finish(session, period, start, stretch, besides).await?))
}
