//! Ranks of neighbouring entries, and of one entry before and after a change.

use leaderboard_core::{OrderKey, RankedEntry, StoreError, Ties};

use crate::connection::{Connection, Value};
use crate::counting::{self, CountedBy, rank_bound};
use crate::entries::KeyedEntry;
use crate::page::PeriodList;
use crate::periods::PeriodRow;
use crate::row::corrupt;
use crate::store::Session;

/// Ranks neighbouring entries, best first. The first has `first_index` entries before it.
pub(crate) async fn rank_stretch<C: Connection>(
    session: &Session<'_, C>,
    list: &PeriodList,
    first_index: u64,
    stretch: Vec<KeyedEntry>,
) -> Result<Vec<RankedEntry>, StoreError> {
    let period = &list.period;
    let Some(first) = stretch.first() else {
        return Ok(Vec::new());
    };
    let mut rank = first_rank(session, list, first_index, &first.key).await?;
    let mut index = first_index;
    let mut last_bound: Vec<u8> = rank_bound(period, &first.key).to_vec();
    let mut ranked = Vec::with_capacity(stretch.len());
    for KeyedEntry { key, entry } in stretch {
        let bound = rank_bound(period, &key);
        if bound != last_bound {
            rank = match period.layout.ties {
                Ties::Dense => rank.saturating_add(1),
                Ties::Earliest | Ties::Latest | Ties::Shared => index.saturating_add(1),
            };
            last_bound = bound.to_vec();
        }
        ranked.push(RankedEntry { rank, entry });
        index = index.saturating_add(1);
    }
    Ok(ranked)
}

async fn first_rank<C: Connection>(
    session: &Session<'_, C>,
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
        Ties::Shared => {
            let tied =
                counting::count_between(session, CountedBy::Entries, period.row, bound, key.as_bytes());
            let shown = list.has_shown_between(bound, key.as_bytes());
            first_index.saturating_sub(tied.await?.saturating_add(u64::from(shown)))
        }
        Ties::Dense => {
            let counted = counting::count_before(session, CountedBy::Tuples, period.row, bound).await?;
            counted.saturating_add(list.count_added_before(session, key).await?)
        }
    };
    Ok(better.saturating_add(1))
}

/// Returns the ranks of an entry after and before it moves from `old` to `new`. The entry has not moved in the tables yet. A banned
/// player gets the ranks that they would have without the ban.
pub(crate) async fn rank_move<C: Connection>(
    session: &Session<'_, C>,
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
