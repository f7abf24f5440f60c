//! Pages and windows of the list.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Page, PageFrom, PeriodRef, ReadError};
use leaderboard_core::{OrderKey, PlayerId, StoreError};

use crate::connection::Connection;
use crate::counting::{self, CountedBy, rank_bound};
use crate::entries::{self, KeyedEntry, Side};
use crate::periods::{self, PeriodRow};
use crate::ranking::rank_stretch;
use crate::store::Session;
use crate::{entries_by_player, tuples};

/// Reads a page of the list.
pub(crate) async fn page<C: Connection>(
    session: &Session<'_, C>,
    period_ref: &PeriodRef<'_>,
    from: &PageFrom,
    limit: u32,
    caller: &Caller,
) -> Result<Page, ReadError> {
    let Some(period) = periods::find_current(session, period_ref).await? else {
        return Ok(Page {
            layout: None,
            version: 0,
            count: 0,
            entries: Vec::new(),
            more_before: false,
            more_after: false,
        });
    };
    let list = PeriodList::new(session, period, caller.own_player()).await?;
    let limit = u64::from(limit);
    let stretch = match from {
        PageFrom::Top => list.read_beside(session, Side::After, &[], limit).await?,
        PageFrom::After(key) => {
            list.read_beside(session, Side::After, key.as_bytes(), limit)
                .await?
        }
        PageFrom::Before(key) => {
            let mut stretch = list
                .read_beside(session, Side::Before, key.as_bytes(), limit)
                .await?;
            stretch.reverse();
            stretch
        }
    };
    let first_index = match (stretch.first(), from) {
        (_, PageFrom::Top) | (None, PageFrom::Before(_)) => 0,
        (Some(first), _) => list.count_before(session, first.key.as_bytes()).await?,
        // The page is after the end of the list.
        (None, PageFrom::After(_)) => list.count(),
    };
    Ok(list.finish(session, first_index, stretch).await?)
}

/// Reads a window with the player's entry in the middle.
pub(crate) async fn around<C: Connection>(
    session: &Session<'_, C>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Page>, ReadError> {
    let Some(period) = periods::find_current(session, period_ref).await? else {
        return Ok(None);
    };
    let found =
        entries_by_player::find_visible(session, &period, std::slice::from_ref(player), caller).await?;
    let Some((own, _)) = found.into_iter().next() else {
        return Ok(None);
    };
    let shown = caller.own_player().unwrap_or(player);
    let list = PeriodList::new(session, period, Some(shown)).await?;
    let key = own.key.as_bytes().to_vec();
    let index = list.count_before(session, &key).await?;
    let limit = u64::from(limit.max(1));
    let start = index
        .saturating_sub(limit / 2)
        .min(list.count().saturating_sub(limit));
    let above = index.saturating_sub(start);
    let below = limit.saturating_sub(above).saturating_sub(1);
    let mut stretch = list.read_beside(session, Side::Before, &key, above).await?;
    stretch.reverse();
    stretch.push(own);
    stretch.extend(list.read_beside(session, Side::After, &key, below).await?);
    Ok(Some(list.finish(session, start, stretch).await?))
}

/// A period's list as a caller sees it: the visible entries, and the entry of one banned player that is shown to this caller.
pub(crate) struct PeriodList {
    pub(crate) period: PeriodRow,
    shown: Option<KeyedEntry>,
}

impl PeriodList {
    /// Creates the list in which `player` is shown, even when banned.
    pub(crate) async fn new<C: Connection>(
        session: &Session<'_, C>,
        period: PeriodRow,
        player: Option<&PlayerId>,
    ) -> Result<Self, StoreError> {
        let shown = match player {
            Some(player) => entries_by_player::find_banned(session, &period, player).await?,
            None => None,
        };
        Ok(Self { period, shown })
    }

    /// Returns the number of entries.
    pub(crate) fn count(&self) -> u64 {
        self.period
            .visible
            .saturating_add(u64::from(self.shown.is_some()))
    }

    /// Counts the entries before a key.
    async fn count_before<C: Connection>(
        &self,
        session: &Session<'_, C>,
        key: &[u8],
    ) -> Result<u64, StoreError> {
        let visible = counting::count_before(session, CountedBy::Entries, self.period.row, key).await?;
        let shown = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.key.as_bytes() < key);
        Ok(visible.saturating_add(u64::from(shown)))
    }

    /// Returns whether the shown entry is from `from` (included) to `to` (excluded).
    pub(crate) fn has_shown_between(&self, from: &[u8], to: &[u8]) -> bool {
        let shown = self.shown.as_ref().map(|shown| shown.key.as_bytes());
        shown.is_some_and(|own| from <= own && own < to)
    }

    /// Returns 1 if the shown entry counts towards the rank of a key, in addition to the counted rows, else 0.
    pub(crate) async fn count_added_before<C: Connection>(
        &self,
        session: &Session<'_, C>,
        key: &OrderKey,
    ) -> Result<u64, StoreError> {
        let Some(shown) = &self.shown else {
            return Ok(0);
        };
        let own = rank_bound(&self.period, &shown.key);
        if own >= rank_bound(&self.period, key) {
            return Ok(0);
        }
        let counted_already =
            self.period.keeps_tuples() && tuples::contains(session, self.period.row, own).await?;
        Ok(u64::from(!counted_already))
    }

    /// Returns up to `limit` entries on one side of a key, nearest first.
    async fn read_beside<C: Connection>(
        &self,
        session: &Session<'_, C>,
        side: Side,
        key: &[u8],
        limit: u64,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let PeriodRow { row, layout, .. } = &self.period;
        let mut found = entries::read_beside(session, *row, layout, side, key, limit).await?;
        if let Some(shown) = &self.shown {
            let own = shown.key.as_bytes();
            let at = match side {
                Side::After if own > key => found.iter().position(|other| other.key.as_bytes() > own),
                Side::Before if own < key => found.iter().position(|other| other.key.as_bytes() < own),
                Side::After | Side::Before => return Ok(found),
            };
            found.insert(at.unwrap_or(found.len()), shown.clone());
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(found)
    }

    /// Ranks neighbouring entries that have `first_index` entries before them, and returns the page.
    async fn finish<C: Connection>(
        self,
        session: &Session<'_, C>,
        first_index: u64,
        stretch: Vec<KeyedEntry>,
    ) -> Result<Page, StoreError> {
        let count = self.count();
        let end = first_index.saturating_add(stretch.len() as u64);
        Ok(Page {
            version: self.period.version,
            count,
            entries: rank_stretch(session, &self, first_index, stretch).await?,
            more_before: first_index > 0,
            more_after: end < count,
            layout: Some(self.period.layout),
        })
    }
}
