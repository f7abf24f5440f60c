//! Counts the visible entries or the different tuples of a period, and computes the ranks of an entry from these counts.

use leaderboard_core::{OrderKey, StoreError, Ties};

use crate::connection::Value;
use crate::periods::PeriodRow;
use crate::row::corrupt;
use crate::session::Session;

/// The rows that a count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// Visible entries, by order key.
    Entries,
    /// Different tuples of visible entries. The store has these rows only for [`Ties::Dense`].
    Tuples,
}

impl CountedBy {
    /// Returns which rows to count for the ranks of a period.
    pub(crate) fn for_ranks(period: &PeriodRow) -> Self {
        match period.layout.ties {
            Ties::Dense => Self::Tuples,
            Ties::Earliest | Ties::Latest | Ties::Shared => Self::Entries,
        }
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

/// Counts the rows from `from` (included) to `to` (excluded).
pub(crate) async fn count_between(
    session: &Session<'_>,
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
pub(crate) async fn count_before(
    session: &Session<'_>,
    counted: CountedBy,
    period: i64,
    to: &[u8],
) -> Result<u64, StoreError> {
    count_between(session, counted, period, &[], to).await
}

/// Counts the rows before each bound. The bounds ascend, so each row is read at most once.
pub(crate) async fn count_before_each(
    session: &Session<'_>,
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

/// Returns the ranks of an entry after and before it moves from `old` to `new`. The tables still have the entry at `old`. A
/// banned player gets the ranks that the player would have without the ban.
pub(crate) async fn rank_move(
    session: &Session<'_>,
    period: &PeriodRow,
    old: Option<&OrderKey>,
    new: &OrderKey,
    banned: bool,
) -> Result<(u64, Option<u64>), StoreError> {
    const ENTRIES: &str = "SELECT \
         (SELECT count(*) FROM entries WHERE period = ?1 AND hidden = 0 AND order_key < ?2), \
         (SELECT count(*) FROM entries WHERE period = ?1 AND hidden = 0 AND order_key >= ?2 AND order_key < ?3), \
         1";
    const TUPLES: &str = "SELECT \
         (SELECT count(*) FROM tuples WHERE period = ?1 AND tuple < ?2), \
         (SELECT count(*) FROM tuples WHERE period = ?1 AND tuple >= ?2 AND tuple < ?3), \
         (SELECT entries FROM tuples WHERE period = ?1 AND tuple = ?2)";
    let new = rank_bound(period, new);
    let old = old.map(|key| rank_bound(period, key));
    let (low, high) = match old {
        Some(old) if old < new => (old, new),
        Some(old) => (new, old),
        None => (new, new),
    };
    let sql = match CountedBy::for_ranks(period) {
        CountedBy::Entries => ENTRIES,
        CountedBy::Tuples => TUPLES,
    };
    let parameters = [Value::Integer(period.row), Value::Blob(low), Value::Blob(high)];
    let mut cells = session
        .row(sql, &parameters)
        .await?
        .ok_or_else(|| corrupt("rank"))?;
    let before_low = cells.unsigned("rank")?;
    let before_high = before_low.saturating_add(cells.unsigned("rank")?);
    let at_low = cells.integer_or_null("entries of a tuple")?;
    let rank = |better: u64| better.saturating_add(1);
    Ok(match old {
        // The entry was counted at its better position and leaves it, unless other entries have the same tuple.
        Some(old) if old < new => {
            let leaves = u64::from(!banned && at_low == Some(1));
            (rank(before_high.saturating_sub(leaves)), Some(rank(before_low)))
        }
        Some(_) => (rank(before_low), Some(rank(before_high))),
        None => (rank(before_low), None),
    })
}
