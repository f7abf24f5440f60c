//! Rebuilds the entries of a period in another order, in steps.
//!
//! A rebuild copies the entries to a spare row number, which becomes the row of the period when all entries are copied. Until
//! then, reads use the old entries. Any other write to the period ends the rebuild ([`abandon`]), and the next step starts it
//! again, so no copy is outdated.

use std::collections::BTreeMap;

use leaderboard_core::codec::encode_layout;
use leaderboard_core::ports::{REBUILD_LEASE_MS, REBUILD_STEP_ENTRIES};
use leaderboard_core::{Entry, Layout, StoreError, Ties, Timestamp, Values};

use super::PeriodRow;
use crate::entries::{self, entry_columns};
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{sweep, tuples};

/// The progress of a rebuild.
struct RebuildProgress {
    /// The row of the copies.
    spare: i64,
    /// The last copied player.
    copied_to: String,
}

/// Copies up to [`REBUILD_STEP_ENTRIES`] entries of a period, with order keys of `layout`. Columns are matched by name; a new
/// column gets 0. When all entries are copied, returns the row of the copies for [`swap`].
pub(crate) fn step(
    session: &Session<'_>,
    period: &PeriodRow,
    layout: &Layout,
    at: Timestamp,
) -> Result<Option<i64>, StoreError> {
    // In the order of players, which is the same for old and new keys.
    const NEXT: &str = concat!(
        "SELECT hidden, ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND player > ?2 ORDER BY player LIMIT ?3 + 0"
    );
    let RebuildProgress { spare, mut copied_to } = find_or_begin(session, period.row, layout)?;
    let parameters = [
        period.row.into(),
        (&copied_to).into(),
        REBUILD_STEP_ENTRIES.into(),
    ];
    let copied = session.map_rows(NEXT, &parameters, |cells| {
        let banned = cells.flag("hidden")?;
        Ok((banned, entries::read_entry(&period.layout, cells)?.entry))
    })?;
    let is_last = (copied.len() as u64) < REBUILD_STEP_ENTRIES;
    save_copies(session, spare, (&period.layout, layout), &copied)?;
    if is_last {
        return Ok(Some(spare));
    }
    if let Some((_, last)) = copied.last() {
        copied_to = last.player.as_str().to_owned();
    }
    save_progress(
        session,
        period.row,
        layout,
        &RebuildProgress { spare, copied_to },
        at,
    )?;
    Ok(None)
}

/// Replaces a period's entries by the copies, and discards the old entries. Claims stay. The period then has the row of the copies.
pub(crate) fn swap(session: &Session<'_>, period: i64, spare: i64) -> Result<(), StoreError> {
    const SWAP: &str = "UPDATE periods SET row = ?2 WHERE row = ?1";
    const MOVE_CLAIMS: &str = "UPDATE claims SET period = ?2 WHERE period = ?1";
    const END: &str = "DELETE FROM rebuilds WHERE period = ?1";
    session.run(MOVE_CLAIMS, &[period.into(), spare.into()])?;
    session.run(SWAP, &[period.into(), spare.into()])?;
    session.run(END, &[period.into()])?;
    sweep::discard_period(session, period)
}

/// Ends the rebuild of a period, if there is one, and discards its copies.
pub(crate) fn abandon(session: &Session<'_>, period: i64) -> Result<(), StoreError> {
    const END: &str = "DELETE FROM rebuilds WHERE period = ?1 RETURNING spare";
    match session.row(END, &[period.into()])? {
        Some(mut cells) => sweep::discard_period(session, cells.integer("spare row")?),
        None => Ok(()),
    }
}

/// Returns the progress of the period's rebuild in this order, or starts a new rebuild.
fn find_or_begin(session: &Session<'_>, period: i64, layout: &Layout) -> Result<RebuildProgress, StoreError> {
    const PROGRESS: &str = "SELECT spare, copied_to FROM rebuilds WHERE period = ?1 AND layout = ?2";
    // The number of a row is never used again, so it is free for the copies.
    const TAKE: &str = "INSERT INTO periods (leaderboard, id, layout, version, visible, total) \
         VALUES (0, '', x'', 0, 0, 0) RETURNING row";
    const FREE: &str = "DELETE FROM periods WHERE row = ?1";
    let bytes = encode_layout(layout);
    if let Some(mut cells) = session.row(PROGRESS, &[period.into(), bytes[..].into()])? {
        return Ok(RebuildProgress {
            spare: cells.integer("spare row")?,
            copied_to: cells.text("player")?,
        });
    }
    abandon(session, period)?;
    let spare = session.only_row(TAKE, &[])?.integer("spare row")?;
    session.run(FREE, &[spare.into()])?;
    Ok(RebuildProgress {
        spare,
        // No player's id is empty.
        copied_to: String::new(),
    })
}

fn save_progress(
    session: &Session<'_>,
    period: i64,
    layout: &Layout,
    progress: &RebuildProgress,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT OR REPLACE INTO rebuilds (period, spare, layout, copied_to, until) \
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let bytes = encode_layout(layout);
    let parameters = [
        period.into(),
        progress.spare.into(),
        bytes[..].into(),
        (&progress.copied_to).into(),
        at.saturating_add_ms(REBUILD_LEASE_MS).into(),
    ];
    session.run(SAVE, &parameters)
}

/// Writes copies of entries with the new layout. Each entry comes with whether its player is banned.
fn save_copies(
    session: &Session<'_>,
    spare: i64,
    (old, new): (&Layout, &Layout),
    copied: &[(bool, Entry)],
) -> Result<(), StoreError> {
    let mut writes = PendingWrites::default();
    let mut added: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for (banned, entry) in copied {
        let values = match_columns(old, new, &entry.values);
        let key = new.key(&values, entry.reached_at, &entry.player);
        writes.save_entry(spare, entry, &key, *banned);
        if new.ties == Ties::Dense && !banned {
            *added.entry(new.tuple_of(&key).to_vec()).or_default() += 1;
        }
    }
    writes.apply(session)?;
    tuples::add_many(session, spare, &added)
}

/// Returns the values for the new columns, matched by name.
fn match_columns(old: &Layout, new: &Layout, values: &Values) -> Values {
    let value_of = |name: &str| {
        let named = old.columns.iter().zip(values.as_slice());
        let mut found = named.filter(|(column, _)| column.name() == name);
        found.next().map_or(0, |(_, value)| *value)
    };
    Values::new(new.columns.iter().map(|column| value_of(column.name())).collect())
}
