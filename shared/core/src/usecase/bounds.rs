//! Ranges of a column's values, for the buckets of a distribution.

use crate::Order;

/// A range of a column's values, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Span {
    /// Returns the better end of the range.
    pub(super) fn better_end(self, order: Order) -> i64 {
        match order {
            Order::Descending => self.high,
            Order::Ascending => self.low,
        }
    }

    /// Cuts the range into at most `parts` ranges of equal width in ascending order; the last range may be shorter. The
    /// arithmetic uses 128 bits, so the range can be all 64-bit integers.
    pub(super) fn cut(self, parts: u32) -> Vec<Self> {
        let (low, high) = (i128::from(self.low), i128::from(self.high));
        let width = (high - low + 1).div_euclid(i128::from(parts.max(1)));
        let exact = width * i128::from(parts.max(1)) == high - low + 1;
        let width = if exact { width } else { width + 1 };
        let mut spans = Vec::new();
        let mut from = low;
        while from <= high {
            let to = (from + width - 1).min(high);
            if let (Ok(low), Ok(high)) = (i64::try_from(from), i64::try_from(to)) {
                spans.push(Self { low, high });
            }
            from = to + 1;
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_the_range_without_gaps_or_overlaps() {
        for (low, high, parts) in [
            (0, 0, 20),
            (1, 16, 4),
            (-7, 9, 20),
            (i64::MIN, i64::MAX, 20),
            (5, 104, 7),
        ] {
            let spans = Span { low, high }.cut(parts);
            assert!(spans.len() <= parts as usize && !spans.is_empty());
            assert_eq!((spans[0].low, spans[spans.len() - 1].high), (low, high));
            assert!(spans.windows(2).all(|pair| pair[0].high + 1 == pair[1].low));
        }
    }
}
