//! Counts the visible entries or the different tuples of a period, and computes the ranks of an entry from these counts.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::periods::PeriodRow;
use crate::rank_blocks::{self, CountedBy};
use crate::row::corrupt;
use crate::session::Session;
use crate::tuples;

/// Returns which rows to count for the ranks of a period.
pub(crate) fn counted_for_ranks(period: &PeriodRow) -> CountedBy {
    match period.layout.ties {
        Ties::Dense => CountedBy::Tuples,
        Ties::Earliest | Ties::Latest | Ties::Shared => CountedBy::Entries,
    }
}

/// Returns the upper bound of all rows that rank better than a key. The rank of the key is the number of rows below this bound,
/// plus one.
pub(crate) fn rank_bound<'k>(period: &PeriodRow, key: &'k OrderKey) -> &'k [u8] {
    match period.layout.ties {
        Ties::Earliest | Ties::Latest => key.as_bytes(),
        Ties::Shared | Ties::Dense => period.layout.tuple_of(key),
    }
}

/// Counts the rows before each bound. The bounds ascend.
///
/// # Errors
/// `Corrupt` if the blocks have another number of entries than the period: they are damaged.
pub(crate) async fn count_before_each(
    session: &Session<'_>,
    counted: CountedBy,
    period: &PeriodRow,
    bounds: &[&[u8]],
) -> Result<Vec<u64>, StoreError> {
    if bounds.is_empty() {
        return Ok(Vec::new());
    }
    let counts = rank_blocks::count_before(session, counted, period.row, bounds).await?;
    if counted == CountedBy::Entries && counts.total != period.visible {
        return Err(corrupt("sizes of rank blocks"));
    }
    Ok(counts.before)
}

/// Counts the rows before a bound.
///
/// # Errors
/// Those of [`count_before_each`].
pub(crate) async fn count_before(
    session: &Session<'_>,
    counted: CountedBy,
    period: &PeriodRow,
    bound: &[u8],
) -> Result<u64, StoreError> {
    let counts = count_before_each(session, counted, period, &[bound]).await?;
    counts.first().copied().ok_or_else(|| corrupt("count"))
}

/// Returns the ranks of an entry after and before it moves from `old` to `new`. The tables still have the entry at `old`. A
/// banned player gets the ranks that the player would have without the ban.
pub(crate) async fn rank_move(
    session: &Session<'_>,
    period: &PeriodRow,
    old: Option<&OrderKey>,
    new: &OrderKey,
    banned: bool,
) -> Result<(u64, Option<u64>), StoreError> {
    let counted = counted_for_ranks(period);
    let new = rank_bound(period, new);
    let Some(old) = old.map(|key| rank_bound(period, key)) else {
        let before_new = count_before(session, counted, period, new).await?;
        return Ok((before_new.saturating_add(1), None));
    };
    let bounds = if old < new { [old, new] } else { [new, old] };
    let counts = count_before_each(session, counted, period, &bounds).await?;
    let &[before_first, before_second] = counts.as_slice() else {
        return Err(corrupt("count"));
    };
    let (before_old, mut before_new) = if old < new {
        (before_first, before_second)
    } else {
        (before_second, before_first)
    };
    // The entry was counted at its better position and leaves it, unless other entries have the same tuple.
    if old < new && !banned && leaves_row(session, period, old).await? {
        before_new = before_new.saturating_sub(1);
    }
    Ok((before_new.saturating_add(1), Some(before_old.saturating_add(1))))
}

/// Returns whether a counted row disappears when the visible entry with this rank bound leaves it.
async fn leaves_row(session: &Session<'_>, period: &PeriodRow, bound: &[u8]) -> Result<bool, StoreError> {
    match counted_for_ranks(period) {
        CountedBy::Entries => Ok(true),
        CountedBy::Tuples => Ok(tuples::count_entries(session, period.row, bound).await? == 1),
    }
}
