//! Counts the visible entries or the different tuples of a period.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::periods::PeriodRow;
use crate::rank_blocks::{self, CountedBy};
use crate::row::corrupt;
use crate::session::Session;

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

/// Checks how many rows the blocks of a period have together.
///
/// # Errors
/// `Corrupt` if the number of entries is another one than the period's, or if the number of tuples is impossible: the blocks are
/// damaged.
pub(crate) fn check_total(counted: CountedBy, period: &PeriodRow, total: u64) -> Result<(), StoreError> {
    let fits = match counted {
        CountedBy::Entries => total == period.visible,
        // Nothing else counts the tuples.
        CountedBy::Tuples => total <= period.visible && (total == 0) == (period.visible == 0),
    };
    if fits {
        Ok(())
    } else {
        Err(corrupt("sizes of rank blocks"))
    }
}

/// Counts the rows before each bound. The bounds ascend.
///
/// # Errors
/// `Corrupt` if the blocks that a count reads have other sizes than their rows; and those of [`check_total`].
pub(crate) fn count_before_each(
    session: &Session<'_>,
    counted: CountedBy,
    period: &PeriodRow,
    bounds: &[&[u8]],
) -> Result<Vec<u64>, StoreError> {
    if bounds.is_empty() {
        return Ok(Vec::new());
    }
    let counts = rank_blocks::count_before(session, counted, period.row, bounds)?;
    check_total(counted, period, counts.total)?;
    Ok(counts.before)
}

/// Counts the rows before a bound.
///
/// # Errors
/// Those of [`count_before_each`].
pub(crate) fn count_before(
    session: &Session<'_>,
    counted: CountedBy,
    period: &PeriodRow,
    bound: &[u8],
) -> Result<u64, StoreError> {
    let counts = count_before_each(session, counted, period, &[bound])?;
    counts.first().copied().ok_or_else(|| corrupt("count"))
}
