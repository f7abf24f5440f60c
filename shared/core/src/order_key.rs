//! The order key: an entry's place as one byte string.
//!
//! Columns (sign bit flipped, big-endian, inverted where descending), then the time reached (sign bit
//! flipped, big-endian, inverted for [`Ties::Latest`]), then the player id. Both stores order by these bytes
//! and nothing else, so they cannot disagree.

use crate::{Columns, Order, PlayerId, Ties, Timestamp, Values};

/// Bytes of one column, and of the time.
pub const SORTABLE_BYTES: usize = 8;

/// A signed integer as eight bytes that sort as the integers do.
#[must_use]
pub const fn sortable(value: i64) -> [u8; SORTABLE_BYTES] {
    (value ^ i64::MIN).to_be_bytes()
}

/// The inverse of [`sortable`].
#[must_use]
pub const fn from_sortable(bytes: [u8; SORTABLE_BYTES]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
}

/// How entries are ordered and ranked: all that an order key depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Names and directions.
    pub columns: Columns,
    /// How equal tuples rank.
    pub ties: Ties,
}

impl Layout {
    /// Length in bytes of the part of a key that holds the columns.
    #[must_use]
    pub fn tuple_bytes(&self) -> usize {
        self.columns.count() * SORTABLE_BYTES
    }

    /// The part of a key that holds the columns: equal for equal tuples, smaller for better ones.
    #[must_use]
    pub fn tuple(&self, values: &Values) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.tuple_bytes());
        for (column, value) in self.columns.iter().zip(values.as_slice()) {
            let descending = column.order() == Order::Descending;
            bytes.extend_from_slice(&sortable(if descending { !value } else { *value }));
        }
        bytes
    }

    /// The whole key.
    #[must_use]
    pub fn key(&self, values: &Values, reached_at: Timestamp, player: &PlayerId) -> OrderKey {
        let mut bytes = self.tuple(values);
        let at = reached_at.as_unix_ms();
        bytes.extend_from_slice(&sortable(if self.ties == Ties::Latest { !at } else { at }));
        bytes.extend_from_slice(player.as_bytes());
        OrderKey(bytes)
    }

    /// Reads a key back. `None` when the bytes are not a key of this layout.
    #[must_use]
    pub fn parse(&self, key: &[u8]) -> Option<(Values, Timestamp, PlayerId)> {
        let (tuple, rest) = key.split_at_checked(self.tuple_bytes())?;
        let mut values = Vec::with_capacity(self.columns.count());
        for (column, word) in self.columns.iter().zip(tuple.chunks_exact(SORTABLE_BYTES)) {
            let value = from_sortable(word.try_into().ok()?);
            values.push(if column.order() == Order::Descending {
                !value
            } else {
                value
            });
        }
        let (time, player) = rest.split_at_checked(SORTABLE_BYTES)?;
        let at = from_sortable(time.try_into().ok()?);
        let at = Timestamp::from_unix_ms(if self.ties == Ties::Latest { !at } else { at })?;
        let player = PlayerId::new(std::str::from_utf8(player).ok()?).ok()?;
        Some((Values::new(values), at, player))
    }
}

/// An entry's place, as bytes. Smaller is better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(Vec<u8>);

impl OrderKey {
    /// A key as a store or a cursor holds it; [`Layout::parse`] tells whether it is one.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
