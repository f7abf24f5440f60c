//! Rows of entries. The order key contains values and time, and the layout of the period decodes it.

use leaderboard_core::{Entry, Layout, Metadata, OrderKey, StoreError};

use crate::row::{Cells, corrupt};
use crate::session::Session;

/// The columns that [`read_entry`] reads, in its order.
macro_rules! entry_columns {
    () => {
        "order_key, attempts, metadata"
    };
}
pub(crate) use entry_columns;

/// An entry and its order key.
#[derive(Debug, Clone)]
pub(crate) struct KeyedEntry {
    pub(crate) key: OrderKey,
    pub(crate) entry: Entry,
}

/// Reads an entry whose key was already read.
pub(crate) fn read_keyed_entry(
    layout: &Layout,
    key: Vec<u8>,
    cells: &mut Cells,
) -> Result<KeyedEntry, StoreError> {
    let (values, reached_at, player) = layout.parse(&key).ok_or_else(|| corrupt("order key"))?;
    let attempts = u32::try_from(cells.integer("attempts")?).map_err(|_| corrupt("attempts"))?;
    let metadata = cells
        .text_or_null("metadata")?
        .map(|text| Metadata::from_json_text(text).map_err(|_| corrupt("metadata")))
        .transpose()?;
    Ok(KeyedEntry {
        key: OrderKey::from_bytes(key),
        entry: Entry {
            player,
            values,
            reached_at,
            metadata,
            attempts,
        },
    })
}

/// Reads the columns of [`entry_columns`].
pub(crate) fn read_entry(layout: &Layout, cells: &mut Cells) -> Result<KeyedEntry, StoreError> {
    let key = cells.blob("order key")?;
    read_keyed_entry(layout, key, cells)
}

/// A side of a key in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Entries after the key, best first.
    After,
    /// Entries before the key, nearest first.
    Before,
}

/// Returns up to `limit` visible entries on one side of a key, nearest first.
pub(crate) fn read_beside(
    session: &Session<'_>,
    period: i64,
    layout: &Layout,
    side: Side,
    key: &[u8],
    limit: u64,
) -> Result<Vec<KeyedEntry>, StoreError> {
    const AFTER: &str = concat!(
        "SELECT ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND hidden = 0 AND order_key > ?2 ORDER BY order_key LIMIT ?3 + 0"
    );
    const BEFORE: &str = concat!(
        "SELECT ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND hidden = 0 AND order_key < ?2 ORDER BY order_key DESC LIMIT ?3 + 0"
    );
    let sql = match side {
        Side::After => AFTER,
        Side::Before => BEFORE,
    };
    session.map_rows(sql, &[period.into(), key.into(), limit.into()], |cells| {
        read_entry(layout, cells)
    })
}
