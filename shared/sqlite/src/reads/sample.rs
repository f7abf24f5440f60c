//! The reads of a distribution: values at fractions of the order, and positions of tuples.

use leaderboard_core::ports::{PeriodRef, Position, Positions, ReadError, Sample};
use leaderboard_core::{StoreError, Values};

use super::find_current;
use crate::counting::count_before_each;
use crate::periods::PeriodRow;
use crate::rank_blocks::{self, CountedBy};
use crate::row::corrupt;
use crate::session::Session;

/// The fraction of the last entry.
const WHOLE: u64 = 1000;

/// Returns the values at these fractions of the order, in thousandths.
pub(crate) fn sample(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    fractions: &[u16],
) -> Result<Sample, ReadError> {
    let Some(period) = find_current(session, period_ref)? else {
        return Ok(Sample::default());
    };
    let mut values = Vec::new();
    if let Some(last) = period.visible.checked_sub(1) {
        for fraction in fractions {
            let index = last.saturating_mul(u64::from(*fraction).min(WHOLE)) / WHOLE;
            values.push(read_values_at(session, &period, index)?);
        }
    }
    Ok(Sample {
        version: period.version,
        count: period.visible,
        values,
        layout: Some(period.layout),
    })
}

/// Returns the values of the entry at an index of the list.
fn read_values_at(session: &Session<'_>, period: &PeriodRow, index: u64) -> Result<Values, StoreError> {
    let key = rank_blocks::find_key_at(session, period.row, index, period.visible)?;
    let (values, ..) = period.layout.parse(&key).ok_or_else(|| corrupt("order key"))?;
    Ok(values)
}

/// Returns the positions that entries with these tuples would have.
pub(crate) fn positions(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    tuples: &[Vec<u8>],
) -> Result<Positions, ReadError> {
    let Some(period) = find_current(session, period_ref)? else {
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
    // The begin and the end of each prefix, ascending.
    let ends: Vec<Option<Vec<u8>>> = tuples.iter().map(|tuple| after_prefix(tuple)).collect();
    let mut bounds: Vec<&[u8]> = tuples.iter().map(Vec::as_slice).collect();
    bounds.extend(ends.iter().flatten().map(Vec::as_slice));
    bounds.sort_unstable();
    bounds.dedup();
    let entries = count_before_each(session, CountedBy::Entries, &period, &bounds)?;
    let distinct = if period.keeps_tuples() {
        count_before_each(session, CountedBy::Tuples, &period, &bounds)?
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
    fn the_end_of_a_prefix_carries_to_the_byte_before() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff, 0xff]), None);
    }
}
