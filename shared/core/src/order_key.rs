//! The order key: the bytes that entries are ordered by.
//!
//! The key contains the columns (sign bit flipped, big-endian, inverted if descending), the time when the tuple was reached
//! (sign bit flipped, big-endian, inverted for [`Ties::Latest`]), and the player id. Both stores order entries by these bytes only,
//! so they order them the same.

use crate::{Columns, Order, PlayerId, Timestamp, Values};

/// The length of one column in an order key, and of the time, in bytes.
pub const SORTABLE_BYTES: usize = 8;

/// Encodes a signed integer as eight bytes that sort like the integers.
#[must_use]
pub const fn encode_sortable(value: i64) -> [u8; SORTABLE_BYTES] {
    (value ^ i64::MIN).to_be_bytes()
}

/// Decodes an integer from the bytes that [`encode_sortable`] returns.
#[must_use]
pub const fn decode_sortable(bytes: [u8; SORTABLE_BYTES]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
}

/// How equal tuples are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ties {
    /// The player who reached the tuple first ranks higher; every rank occurs once.
    Earliest,
    /// The player who reached the tuple last ranks higher; every rank occurs once.
    Latest,
    /// Equal tuples share a rank, and the next rank is skipped ("1224").
    Shared,
    /// Equal tuples share a rank, and no rank is skipped ("1223").
    Dense,
}

/// How entries are ordered and ranked. An order key depends only on its entry and this layout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The names and directions of the columns.
    pub columns: Columns,
    /// How equal tuples are ranked.
    pub ties: Ties,
}

impl Layout {
    /// Returns the length of the columns in an order key, in bytes.
    #[must_use]
    pub fn tuple_bytes(&self) -> usize {
        self.columns.count() * SORTABLE_BYTES
    }

    /// Returns the first part of an order key, made from the columns: equal for equal tuples, smaller for better tuples.
    #[must_use]
    pub fn tuple(&self, values: &Values) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.tuple_bytes());
        for (column, value) in self.columns.iter().zip(values.as_slice()) {
            let descending = column.order() == Order::Descending;
            bytes.extend_from_slice(&encode_sortable(if descending { !value } else { *value }));
        }
        bytes
    }

    /// Returns the first part of an order key of this layout, made from the columns.
    #[must_use]
    pub fn tuple_of<'k>(&self, key: &'k OrderKey) -> &'k [u8] {
        key.0.get(..self.tuple_bytes()).unwrap_or(&key.0)
    }

    /// Returns the whole order key.
    #[must_use]
    pub fn key(&self, values: &Values, reached_at: Timestamp, player: &PlayerId) -> OrderKey {
        let mut bytes = self.tuple(values);
        let at = reached_at.as_unix_ms();
        bytes.extend_from_slice(&encode_sortable(if self.ties == Ties::Latest { !at } else { at }));
        bytes.extend_from_slice(player.as_bytes());
        OrderKey(bytes)
    }

    /// Decodes a key. Returns `None` if the bytes are not a key of this layout.
    #[must_use]
    pub fn parse(&self, key: &[u8]) -> Option<(Values, Timestamp, PlayerId)> {
        let (tuple, rest) = key.split_at_checked(self.tuple_bytes())?;
        let mut values = Vec::with_capacity(self.columns.count());
        for (column, word) in self.columns.iter().zip(tuple.chunks_exact(SORTABLE_BYTES)) {
            let value = decode_sortable(word.try_into().ok()?);
            values.push(if column.order() == Order::Descending {
                !value
            } else {
                value
            });
        }
        let (time, player) = rest.split_at_checked(SORTABLE_BYTES)?;
        let at = decode_sortable(time.try_into().ok()?);
        let at = Timestamp::from_unix_ms(if self.ties == Ties::Latest { !at } else { at })?;
        let player = PlayerId::new(std::str::from_utf8(player).ok()?).ok()?;
        Some((Values::new(values), at, player))
    }
}

/// The order key of an entry. Smaller keys are better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(Vec<u8>);

impl OrderKey {
    /// Creates an order key from stored bytes, without a check; [`Layout::parse`] checks them.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
