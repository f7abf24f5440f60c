//! The reads of a distribution: values at fractions of the order, and positions of tuples.

use leaderboard_core::ports::{PeriodRef, Position, Positions, ReadError, Sample};
use leaderboard_core::{StoreError, Values};

use super::find_current;
use crate::connection::Value;
use crate::counting::{self, CountedBy};
use crate::periods::PeriodRow;
use crate::row::{corrupt, stored};
use crate::session::Session;

/// The fraction of the last entry.
const WHOLE: u64 = 1000;

/// Returns the values at these fractions of the order, in thousandths.
pub(crate) async fn sample(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    fractions: &[u16],
) -> Result<Sample, ReadError> {
    let Some(period) = find_current(session, period_ref).await? else {
        return Ok(Sample {
            layout: None,
            version: 0,
            count: 0,
            values: Vec::new(),
        });
    };
    let mut values = Vec::new();
    if let Some(last) = period.visible.checked_sub(1) {
        let indexes: Vec<u64> = fractions
            .iter()
            .map(|fraction| last.saturating_mul(u64::from(*fraction).min(WHOLE)) / WHOLE)
            .collect();
        values = at_indexes(session, &period, &indexes).await?;
    }
    Ok(Sample {
        version: period.version,
        count: period.visible,
        values,
        layout: Some(period.layout),
    })
}

/// Returns the values at these indexes of the list, in the order of `indexes`. Reads the list once.
async fn at_indexes(
    session: &Session<'_>,
    period: &PeriodRow,
    indexes: &[u64],
) -> Result<Vec<Values>, StoreError> {
    const STEP: &str = "SELECT order_key FROM entries WHERE period = ?1 AND hidden = 0 AND order_key >= ?2 \
         ORDER BY order_key LIMIT 1 OFFSET ?3";
    let mut steps: Vec<(u64, usize)> = indexes.iter().copied().zip(0..).collect();
    steps.sort_unstable();
    let (mut at, mut key): (u64, Vec<u8>) = (0, Vec::new());
    let mut found: Vec<(usize, Values)> = Vec::with_capacity(steps.len());
    for (index, period_ref) in steps {
        if key.is_empty() || index > at {
            let parameters = [
                Value::Integer(period.row),
                Value::Blob(&key),
                Value::Integer(stored(index.saturating_sub(at))),
            ];
            let row = session.row(STEP, &parameters).await?;
            key = row
                .ok_or_else(|| corrupt("count of entries"))?
                .blob("order key")?;
            at = index;
        }
        let (values, ..) = period.layout.parse(&key).ok_or_else(|| corrupt("order key"))?;
        found.push((period_ref, values));
    }
    found.sort_unstable_by_key(|(period_ref, _)| *period_ref);
    Ok(found.into_iter().map(|(_, values)| values).collect())
}

/// Returns the positions that entries with these tuples would have.
pub(crate) async fn positions(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    tuples: &[Vec<u8>],
) -> Result<Positions, ReadError> {
    let Some(period) = find_current(session, period_ref).await? else {
        return Ok(Positions {
            version: 0,
            count: 0,
            positions: vec![
                Position {
                    better: 0,
                    equal: 0,
                    better_tuples: 0
                };
                tuples.len()
            ],
        });
    };
    // The begin and the end of each prefix in ascending order, so that each entry is read once.
    let ends: Vec<Option<Vec<u8>>> = tuples.iter().map(|tuple| after_prefix(tuple)).collect();
    let mut bounds: Vec<&[u8]> = tuples.iter().map(Vec::as_slice).collect();
    bounds.extend(ends.iter().flatten().map(Vec::as_slice));
    bounds.sort_unstable();
    bounds.dedup();
    let entries = counting::count_before_each(session, CountedBy::Entries, period.row, &bounds).await?;
    let distinct = if period.keeps_tuples() {
        counting::count_before_each(session, CountedBy::Tuples, period.row, &bounds).await?
    } else {
        entries.clone()
    };
    let at = |counts: &[u64], bound: &[u8]| {
        let index = bounds.binary_search(&bound).ok()?;
        counts.get(index).copied()
    };
    let positions = tuples.iter().zip(&ends).map(|(tuple, end)| {
        let better = at(&entries, tuple)?;
        let not_worse = match end {
            Some(end) => at(&entries, end)?,
            None => period.visible,
        };
        Some(Position {
            better,
            equal: not_worse.saturating_sub(better),
            better_tuples: at(&distinct, tuple)?,
        })
    });
    Ok(Positions {
        version: period.version,
        count: period.visible,
        positions: positions
            .collect::<Option<_>>()
            .ok_or_else(|| corrupt("position"))?,
    })
}

/// Returns the smallest bytes that are greater than all bytes with this prefix; `None` if there are no such bytes.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = prefix.to_vec();
    while let Some(last) = bytes.last_mut() {
        match last.checked_add(1) {
            Some(next) => {
                *last = next;
                return Some(bytes);
            }
            None => {
                bytes.pop();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_carries() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff, 0xff]), None);
    }
}
