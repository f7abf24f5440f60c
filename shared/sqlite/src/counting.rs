//! Counting over the index of visible entries, or over the tuples of a period.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::connection::{Connection, Value};
use crate::periods::Found;
use crate::row::corrupt;
use crate::store::Session;
use crate::tuples;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Visible entries, by order key.
    Entries,
    /// Different tuples of visible entries. Only [`Ties::Dense`] has them.
    Tuples,
}

impl Counted {
    /// What the ranks of a period are counted by.
    pub(crate) fn for_ranks(period: &Found) -> Self {
        match period.layout.ties {
            Ties::Dense => Self::Tuples,
            Ties::Earliest | Ties::Latest | Ties::Shared => Self::Entries,
        }
    }
}

/// The bytes that everything better than this key is less than: one more than their number is its rank.
pub(crate) fn rank_bound<'k>(period: &Found, key: &'k OrderKey) -> &'k [u8] {
    match period.layout.ties {
        Ties::Earliest | Ties::Latest => key.as_bytes(),
        Ties::Shared | Ties::Dense => tuples::of(period, key),
    }
}

/// How many are at `from` or after it, and before `to`.
pub(crate) async fn between<C: Connection>(
    session: &Session<'_, C>,
    counted: Counted,
    period: i64,
    from: &[u8],
    to: &[u8],
) -> Result<u64, StoreError> {
    const ENTRIES: &str = "SELECT count(*) FROM entries \
         WHERE period = ?1 AND hidden = 0 AND order_key >= ?2 AND order_key < ?3";
    const TUPLES: &str = "SELECT count(*) FROM tuples WHERE period = ?1 AND tuple >= ?2 AND tuple < ?3";
    let sql = match counted {
        Counted::Entries => ENTRIES,
        Counted::Tuples => TUPLES,
    };
    let parameters = [Value::Integer(period), Value::Blob(from), Value::Blob(to)];
    let row = session.row(sql, &parameters).await?;
    row.ok_or_else(|| corrupt("count"))?.unsigned("count")
}

/// How many are before `to`.
pub(crate) async fn before<C: Connection>(
    session: &Session<'_, C>,
    counted: Counted,
    period: i64,
    to: &[u8],
) -> Result<u64, StoreError> {
    between(session, counted, period, &[], to).await
}

/// How many are before each bound; the bounds ascend. Every entry is passed once at most.
pub(crate) async fn before_each<C: Connection>(
    session: &Session<'_, C>,
    counted: Counted,
    period: i64,
    bounds: &[&[u8]],
) -> Result<Vec<u64>, StoreError> {
    let mut counts = Vec::with_capacity(bounds.len());
    let (mut from, mut count): (&[u8], u64) = (&[], 0);
    for to in bounds {
        if *to != from {
            count = count.saturating_add(between(session, counted, period, from, to).await?);
        }
        counts.push(count);
        from = to;
    }
    Ok(counts)
}
