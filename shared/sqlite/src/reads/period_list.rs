//! A period's list as a caller sees it.

use leaderboard_core::ports::Page;
use leaderboard_core::{OrderKey, PlayerId, RankedEntry, StoreError, Ties};

use crate::counting::{self, rank_bound};
use crate::entries::{self, KeyedEntry, Side, entry_columns};
use crate::periods::PeriodRow;
use crate::rank_blocks::CountedBy;
use crate::session::Session;
use crate::tuples;

/// A period's list as a caller sees it: the visible entries, and at most one entry of a banned player that this caller may see.
pub(super) struct PeriodList {
    pub(super) period: PeriodRow,
    shown: Option<KeyedEntry>,
}

impl PeriodList {
    /// Creates the list. It shows the entry of `player` even if the player is banned.
    pub(super) fn new(
        session: &Session<'_>,
        period: PeriodRow,
        player: Option<&PlayerId>,
    ) -> Result<Self, StoreError> {
        let shown = match player {
            Some(player) => find_banned(session, &period, player)?,
            None => None,
        };
        Ok(Self { period, shown })
    }

    /// Returns the number of entries.
    pub(super) fn count(&self) -> u64 {
        self.period
            .visible
            .saturating_add(u64::from(self.shown.is_some()))
    }

    /// Counts the entries before a key.
    pub(super) fn count_before(&self, session: &Session<'_>, key: &[u8]) -> Result<u64, StoreError> {
        let visible = counting::count_before(session, CountedBy::Entries, &self.period, key)?;
        let shown = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.key.as_bytes() < key);
        Ok(visible.saturating_add(u64::from(shown)))
    }

    /// Returns 1 if the banned player's shown entry must be added to the counted rows for the rank of a key, otherwise 0.
    pub(super) fn count_added_before(
        &self,
        session: &Session<'_>,
        key: &OrderKey,
    ) -> Result<u64, StoreError> {
        let Some(shown) = &self.shown else {
            return Ok(0);
        };
        let own = rank_bound(&self.period, &shown.key);
        if own >= rank_bound(&self.period, key) {
            return Ok(0);
        }
        let counted_already = self.period.keeps_tuples() && tuples::contains(session, self.period.row, own)?;
        Ok(u64::from(!counted_already))
    }

    /// Returns up to `limit` entries on one side of a key, nearest first.
    pub(super) fn read_beside(
        &self,
        session: &Session<'_>,
        side: Side,
        key: &[u8],
        limit: u64,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let PeriodRow { row, layout, .. } = &self.period;
        let mut found = entries::read_beside(session, *row, layout, side, key, limit)?;
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

    /// Computes the ranks of consecutive entries and returns the page. `first_index` is the number of entries before them.
    pub(super) fn finish(
        self,
        session: &Session<'_>,
        first_index: u64,
        stretch: Vec<KeyedEntry>,
    ) -> Result<Page, StoreError> {
        let count = self.count();
        let end = first_index.saturating_add(stretch.len() as u64);
        Ok(Page {
            version: self.period.version,
            count,
            entries: rank_stretch(session, &self, first_index, stretch)?,
            more_before: first_index > 0,
            more_after: end < count,
            layout: Some(self.period.layout),
        })
    }
}

/// Returns the entry of a banned player.
fn find_banned(
    session: &Session<'_>,
    period: &PeriodRow,
    player: &PlayerId,
) -> Result<Option<KeyedEntry>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND player = ?2 AND hidden = 1"
    );
    session.map_row(FIND, &[period.row.into(), player.into()], |cells| {
        entries::read_entry(&period.layout, cells)
    })
}

/// Computes the ranks of consecutive entries, best first. `first_index` is the number of entries before the first of them.
fn rank_stretch(
    session: &Session<'_>,
    list: &PeriodList,
    first_index: u64,
    stretch: Vec<KeyedEntry>,
) -> Result<Vec<RankedEntry>, StoreError> {
    let Some(first) = stretch.first() else {
        return Ok(Vec::new());
    };
    let first_rank = first_rank(session, list, first_index, &first.key)?;
    Ok(rank_from_first(&list.period, first_index, first_rank, stretch))
}

/// Returns consecutive entries with their ranks. The first entry has `first_index` entries before it, and `first_rank`.
pub(super) fn rank_from_first(
    period: &PeriodRow,
    first_index: u64,
    first_rank: u64,
    stretch: Vec<KeyedEntry>,
) -> Vec<RankedEntry> {
    let mut rank = first_rank;
    let mut index = first_index;
    let mut last_bound: Option<Vec<u8>> = None;
    let mut ranked = Vec::with_capacity(stretch.len());
    for KeyedEntry { key, entry } in stretch {
        let bound = rank_bound(period, &key);
        if last_bound.as_ref().is_some_and(|last| last != bound) {
            rank = match period.layout.ties {
                Ties::Dense => rank.saturating_add(1),
                Ties::Earliest | Ties::Latest | Ties::Shared => index.saturating_add(1),
            };
        }
        last_bound = Some(bound.to_vec());
        ranked.push(RankedEntry { rank, entry });
        index = index.saturating_add(1);
    }
    ranked
}

fn first_rank(
    session: &Session<'_>,
    list: &PeriodList,
    first_index: u64,
    key: &OrderKey,
) -> Result<u64, StoreError> {
    if first_index == 0 {
        return Ok(1);
    }
    let period = &list.period;
    let bound = rank_bound(period, key);
    let better = match period.layout.ties {
        Ties::Earliest | Ties::Latest => first_index,
        Ties::Shared => list.count_before(session, bound)?,
        Ties::Dense => {
            let counted = counting::count_before(session, CountedBy::Tuples, period, bound)?;
            counted.saturating_add(list.count_added_before(session, key)?)
        }
    };
    Ok(better.saturating_add(1))
}
