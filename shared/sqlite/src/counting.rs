//! Counts visible entries by their index, or the different tuples of a period.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::connection::{Connection, Value};
use crate::periods::PeriodRow;
use crate::row::corrupt;
use crate::store::Session;
use crate::tuples;

/// The rows that a count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// Visible entries, by order key.
    Entries,
    /// Different tuples of visible entries. They exist only for [`Ties::Dense`].
    Tuples,
}

impl CountedBy {
    /// Returns the rows by which the ranks of a period are counted.
    pub(crate) fn for_ranks(period: &PeriodRow) -> Self {
        match period.layout.ties {
            Ties::Dense => Self::Tuples,
            Ties::Earliest | Ties::Latest | Ties::Shared => Self::Entries,
        }
    }
}

/// Returns the upper bound of everything that ranks better than a key. The rank of the key is the number of rows below this bound,
/// plus one.
pub(crate) fn rank_bound<'k>(period: &PeriodRow, key: &'k OrderKey) -> &'k [u8] {
    match period.layout.ties {
        Ties::Earliest | Ties::Latest => key.as_bytes(),
        Ties::Shared | Ties::Dense => tuples::prefix_of(period, key),
    }
}

/// Counts the rows from `from` (included) to `to` (excluded).
pub(crate) async fn count_between<C: Connection>(
    session: &Session<'_, C>,
    counted: CountedBy,
    period: i64,
    from: &[u8],
    to: &[u8],
) -> Result<u64, StoreError> {
    const ENTRIES: &str = "SELECT count(*) FROM entries \
         WHERE period = ?1 AND hidden = 0 AND order_key >= ?2 AND order_key < ?3";
    const TUPLES: &str = "SELECT count(*) FROM tuples WHERE period = ?1 AND tuple >= ?2 AND tuple < ?3";
    let sql = match counted {
        CountedBy::Entries => ENTRIES,
        CountedBy::Tuples => TUPLES,
    };
    let parameters = [Value::Integer(period), Value::Blob(from), Value::Blob(to)];
    let row = session.row(sql, &parameters).await?;
    row.ok_or_else(|| corrupt("count"))?.unsigned("count")
}

/// Counts the rows before `to`.
pub(crate) async fn count_before<C: Connection>(
    session: &Session<'_, C>,
    counted: CountedBy,
    period: i64,
    to: &[u8],
) -> Result<u64, StoreError> {
    count_between(session, counted, period, &[], to).await
}

/// Counts the rows before each bound. The bounds ascend, so each row is read at most once.
pub(crate) async fn count_before_each<C: Connection>(
    session: &Session<'_, C>,
    counted: CountedBy,
    period: i64,
    bounds: &[&[u8]],
) -> Result<Vec<u64>, StoreError> {
    let mut counts = Vec::with_capacity(bounds.len());
    let (mut from, mut count): (&[u8], u64) = (&[], 0);
    for to in bounds {
        if *to != from {
            count = count.saturating_add(count_between(session, counted, period, from, to).await?);
        }
        counts.push(count);
        from = to;
    }
    Ok(counts)
}
