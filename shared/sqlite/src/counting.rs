//! Counting over the index of visible entries, or over the tuples of a period.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::connection::{Connection, Value};
use crate::periods::PeriodRow;
use crate::row::corrupt;
use crate::store::Session;
use crate::tuples;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// Visible entries, by order key.
    Entries,
    /// Different tuples of visible entries. Only [`Ties::Dense`] has them.
    Tuples,
}

impl CountedBy {
    /// What the ranks of a period are counted by.
    pub(crate) fn for_ranks(period: &PeriodRow) -> Self {
        match period.layout.ties {
            Ties::Dense => Self::Tuples,
            Ties::Earliest | Ties::Latest | Ties::Shared => Self::Entries,
        }
    }
}

/// The bytes that everything better than this key is less than: one more than their number is its rank.
pub(crate) fn rank_bound<'k>(period: &PeriodRow, key: &'k OrderKey) -> &'k [u8] {
    match period.layout.ties {
        Ties::Earliest | Ties::Latest => key.as_bytes(),
        Ties::Shared | Ties::Dense => tuples::prefix_of(period, key),
    }
}

/// How many are at `from` or after it, and before `to`.
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

/// How many are before `to`.
pub(crate) async fn count_before<C: Connection>(
    session: &Session<'_, C>,
    counted: CountedBy,
    period: i64,
    to: &[u8],
) -> Result<u64, StoreError> {
    count_between(session, counted, period, &[], to).await
}

/// How many are before each bound; the bounds ascend. Every entry is passed once at most.
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
