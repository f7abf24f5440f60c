//! Counts how many rows of a period are before a key, in O(log n).
//!
//! `rank_blocks` divides the visible entries of a period (`counted = 0`, by order key) and its different tuples (`counted = 1`) into
//! blocks of consecutive rows. A block has its first key and its size, and ends where the next block of its level begins. A block of
//! level 0 has at most 256 rows, and one of level 1 at most 16,384 rows; each block of level 1 begins with a block of level 0. The
//! first block of each level begins with the empty key. So a count adds the sizes of the blocks of level 1 before the key, then of the
//! blocks of level 0, then counts the rows of one block: about 200 rows in place of a million.
//!
//! Triggers keep the blocks, so that each statement that changes entries or tuples changes them too, without a further call to the
//! host. A block that grows too large is split in the middle. A block that shrinks below an eighth joins the block before it, if both
//! together are at most half of the largest size.

pub(crate) mod repair;

use leaderboard_core::StoreError;

use crate::connection::Value;
use crate::row::{Cells, corrupt};
use crate::session::Session;

/// The rows that a count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// Visible entries, by order key.
    Entries,
    /// Different tuples of visible entries. The store has these rows only for [`leaderboard_core::Ties::Dense`].
    Tuples,
}

/// The rows before some bounds.
#[derive(Debug)]
pub(crate) struct RowCounts {
    /// How many rows are before each bound, in the order of the bounds.
    pub(crate) before: Vec<u64>,
    /// How many rows there are. Zero if the blocks around a bound are damaged.
    pub(crate) total: u64,
}

/// SQL for the largest size of a block, by level.
macro_rules! max_rows {
    () => {
        "256"
    };
}
macro_rules! max_rows_of_upper {
    () => {
        "16384"
    };
}

/// SQL for the blocks of a level; `$of` is the row that names their period.
macro_rules! blocks_of {
    ($of:literal, $level:literal) => {
        concat!(
            "rank_blocks WHERE period = ",
            $of,
            ".period AND counted = ",
            $of,
            ".counted AND level = ",
            $level
        )
    };
}

/// A statement that adds `NEW.change` to the size of the block of a level that has `NEW.sort_key`.
macro_rules! change_size {
    ($level:literal) => {
        concat!(
            "UPDATE rank_blocks SET size = size + NEW.change WHERE period = NEW.period AND counted = NEW.counted \
             AND level = ", $level, " AND first_key = (SELECT max(first_key) FROM ", blocks_of!("NEW", $level),
            " AND first_key <= NEW.sort_key);"
        )
    };
}

/// A statement that begins a new block in the middle of the block `NEW` of level 0.
macro_rules! split_rows {
    ($counted:literal, $key:literal, $rows:literal) => {
        concat!(
            "INSERT INTO rank_blocks SELECT NEW.period, ",
            $counted,
            ", 0, ",
            $key,
            ", NEW.size - ",
            max_rows!(),
            " / 2 FROM ",
            $rows,
            " AND NEW.counted = ",
            $counted,
            " AND period = NEW.period AND ",
            $key,
            " >= NEW.first_key \
             ORDER BY ",
            $key,
            " LIMIT 1 OFFSET ",
            max_rows!(),
            " / 2;"
        )
    };
}

/// SQL for the largest size of a block of the level of `NEW`.
macro_rules! max_size {
    () => {
        concat!(
            "CASE NEW.level WHEN 0 THEN ",
            max_rows!(),
            " ELSE ",
            max_rows_of_upper!(),
            " END"
        )
    };
}

/// A statement that fills the blocks of the periods that `$where` selects, from their rows. Each block is half full.
macro_rules! fill_blocks {
    ($counted:literal, $key:literal, $rows:literal, $where:literal) => {
        concat!(
            "INSERT INTO rank_blocks SELECT period, ",
            $counted,
            ", level, \
             CASE block WHEN 0 THEN x'' ELSE min(sort_key) END, count(*) \
             FROM (SELECT period, ",
            $key,
            " AS sort_key, level, \
             (row_number() OVER (PARTITION BY period, level ORDER BY ",
            $key,
            ") - 1) / \
             CASE level WHEN 0 THEN ",
            max_rows!(),
            " / 2 ELSE ",
            max_rows_of_upper!(),
            " / 2 END AS block \
             FROM ",
            $rows,
            " CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1) WHERE ",
            $where,
            ") \
             GROUP BY period, level, block"
        )
    };
}
/// Creates the blocks and their triggers, and fills the blocks of existing periods.
pub(crate) const MIGRATION: &[&str] = &[
    "CREATE TABLE rank_blocks (
        period INTEGER NOT NULL,
        counted INTEGER NOT NULL,
        level INTEGER NOT NULL,
        first_key BLOB NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (period, counted, level, first_key)
    ) WITHOUT ROWID",
    // The triggers of `entries` and `tuples` insert here that a row came (1) or went (-1).
    "CREATE VIEW rank_changes AS SELECT 0 AS period, 0 AS counted, x'' AS sort_key, 0 AS change",
    concat!(
        "CREATE TRIGGER rank_changes_count INSTEAD OF INSERT ON rank_changes BEGIN \
         INSERT INTO rank_blocks SELECT NEW.period, NEW.counted, column1, x'', 0 FROM (VALUES (0), (1)) \
         WHERE NEW.change > 0 AND NOT EXISTS \
         (SELECT 1 FROM rank_blocks WHERE period = NEW.period AND counted = NEW.counted);",
        change_size!("0"),
        change_size!("1"),
        "END"
    ),
    "CREATE TRIGGER rank_blocks_entry_comes AFTER INSERT ON entries WHEN NEW.hidden = 0 BEGIN
        INSERT INTO rank_changes VALUES (NEW.period, 0, NEW.order_key, 1);
    END",
    "CREATE TRIGGER rank_blocks_entry_goes AFTER DELETE ON entries WHEN OLD.hidden = 0 BEGIN
        INSERT INTO rank_changes VALUES (OLD.period, 0, OLD.order_key, -1);
    END",
    "CREATE TRIGGER rank_blocks_entry_moves AFTER UPDATE OF order_key, hidden ON entries
    WHEN NEW.order_key <> OLD.order_key OR NEW.hidden <> OLD.hidden BEGIN
        INSERT INTO rank_changes SELECT OLD.period, 0, OLD.order_key, -1 WHERE OLD.hidden = 0;
        INSERT INTO rank_changes SELECT NEW.period, 0, NEW.order_key, 1 WHERE NEW.hidden = 0;
    END",
    "CREATE TRIGGER rank_blocks_tuple_comes AFTER INSERT ON tuples BEGIN
        INSERT INTO rank_changes VALUES (NEW.period, 1, NEW.tuple, 1);
    END",
    "CREATE TRIGGER rank_blocks_tuple_goes AFTER DELETE ON tuples BEGIN
        INSERT INTO rank_changes VALUES (OLD.period, 1, OLD.tuple, -1);
    END",
    concat!(
        "CREATE TRIGGER rank_blocks_split AFTER UPDATE OF size ON rank_blocks \
         WHEN NEW.level = 0 AND NEW.size > ",
        max_rows!(),
        " BEGIN ",
        split_rows!("0", "order_key", "entries WHERE hidden = 0"),
        split_rows!("1", "tuple", "tuples WHERE true"),
        "UPDATE rank_blocks SET size = ",
        max_rows!(),
        " / 2 WHERE period = NEW.period AND counted = NEW.counted AND level = 0 \
         AND first_key = NEW.first_key; END"
    ),
    concat!(
        "CREATE TRIGGER rank_blocks_split_upper AFTER UPDATE OF size ON rank_blocks \
         WHEN NEW.level = 1 AND NEW.size > ",
        max_rows_of_upper!(),
        " BEGIN \
         INSERT INTO rank_blocks SELECT NEW.period, NEW.counted, 1, first_key, NEW.size - before FROM \
         (SELECT first_key, sum(size) OVER (ORDER BY first_key) - size AS before FROM ",
        blocks_of!("NEW", "0"),
        " AND first_key >= NEW.first_key) WHERE before >= ",
        max_rows_of_upper!(),
        " / 2 LIMIT 1; \
         UPDATE rank_blocks SET size = size - (SELECT size FROM ",
        blocks_of!("NEW", "1"),
        " AND first_key > NEW.first_key ORDER BY first_key LIMIT 1) \
         WHERE period = NEW.period AND counted = NEW.counted AND level = 1 AND first_key = NEW.first_key; END"
    ),
    concat!(
        "CREATE TRIGGER rank_blocks_join AFTER UPDATE OF size ON rank_blocks \
         WHEN NEW.size < OLD.size AND NEW.first_key > x'' AND NEW.size < ",
        max_size!(),
        " / 8 AND (NEW.level = 1 OR NOT EXISTS (SELECT 1 FROM ",
        blocks_of!("NEW", "1"),
        " AND first_key = NEW.first_key)) AND NEW.size + (SELECT size FROM ",
        blocks_of!("NEW", "NEW.level"),
        " AND first_key < NEW.first_key ORDER BY first_key DESC LIMIT 1) <= ",
        max_size!(),
        " / 2 BEGIN DELETE FROM ",
        blocks_of!("NEW", "NEW.level"),
        " AND first_key = NEW.first_key; \
         UPDATE rank_blocks SET size = size + NEW.size WHERE period = NEW.period AND counted = NEW.counted \
         AND level = NEW.level AND first_key = (SELECT max(first_key) FROM ",
        blocks_of!("NEW", "NEW.level"),
        " AND first_key < NEW.first_key); END"
    ),
    // The rows of a discarded period are deleted in steps that need not count them.
    "CREATE TRIGGER rank_blocks_discard AFTER INSERT ON discarded WHEN NEW.kind = 1 BEGIN
        DELETE FROM rank_blocks WHERE period = NEW.row;
    END",
    fill_blocks!(
        "0",
        "order_key",
        "entries",
        "hidden = 0 AND period NOT IN (SELECT row FROM discarded WHERE kind = 1)"
    ),
    fill_blocks!(
        "1",
        "tuple",
        "tuples",
        "period NOT IN (SELECT row FROM discarded WHERE kind = 1)"
    ),
];

/// SQL for bytes that are greater than any key: three columns and the time have 32 bytes, and no player's id begins with the byte 255.
macro_rules! after_all_keys {
    () => {
        "x'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'"
    };
}

/// SQL for three tables of a `WITH`, which [`count_before_sql!`] reads: the blocks of the period `$period`, the bounds of the query
/// `$bounds` (its `column1`) with the blocks in which they are, and how many rows before the bound are in the blocks of level 1 and of
/// level 0 before these, and in the block of level 0. Without the words about materialisation, SQLite copies and sorts the blocks
/// several times for each bound.
macro_rules! counts_sql {
    ($counted:literal, $key:literal, $rows:literal, $period:literal, $bounds:literal) => {
        concat!(
            "blocks AS NOT MATERIALIZED (SELECT level, first_key, size FROM rank_blocks WHERE period = ",
            $period,
            " AND counted = ",
            $counted,
            "), bounds AS MATERIALIZED (SELECT column1 AS bound, \
             (SELECT max(first_key) FROM blocks WHERE level = 1 AND first_key <= column1) AS upper, \
             (SELECT max(first_key) FROM blocks WHERE level = 0 AND first_key <= column1) AS lower FROM ",
            $bounds,
            "), counts AS MATERIALIZED (SELECT *, \
             (SELECT coalesce(sum(size), 0) FROM blocks WHERE level = 1 AND first_key < upper) AS in_uppers, \
             (SELECT coalesce(sum(size), 0) FROM blocks WHERE level = 0 AND first_key >= upper AND first_key < lower) AS in_lowers, \
             (SELECT count(*) FROM ",
            $rows,
            " AND period = ",
            $period,
            " AND ",
            $key,
            " >= lower AND ",
            $key,
            " < bound) AS in_rows FROM bounds)"
        )
    };
}

/// SQL that selects from `counts` how many rows are before each bound, and how many rows there are. The second is `NULL` if the period
/// has no blocks, if the block of level 1 has another size than its blocks of level 0, or if the block of level 0 is too small.
macro_rules! count_before_sql {
    () => {
        concat!(
            "in_uppers + in_lowers + in_rows, \
             CASE WHEN in_rows <= (SELECT size FROM blocks WHERE level = 0 AND first_key = lower) \
             AND (SELECT size FROM blocks WHERE level = 1 AND first_key = upper) = in_lowers + \
             (SELECT sum(size) FROM blocks WHERE level = 0 AND first_key >= lower AND first_key < coalesce(\
             (SELECT min(first_key) FROM blocks WHERE level = 1 AND first_key > upper), ",
            $crate::rank_blocks::after_all_keys!(),
            ")) THEN in_uppers + (SELECT sum(size) FROM blocks WHERE level = 1 AND first_key >= upper) END"
        )
    };
}
pub(crate) use {after_all_keys, count_before_sql, counts_sql, max_rows, max_rows_of_upper};

/// Counts the rows of a period before each bound, and all rows. The bounds ascend, and there is at least one.
pub(crate) fn count_before(
    session: &Session<'_>,
    counted: CountedBy,
    period: i64,
    bounds: &[&[u8]],
) -> Result<RowCounts, StoreError> {
    let tables = match counted {
        CountedBy::Entries => {
            counts_sql!("0", "order_key", "entries WHERE hidden = 0", "?1", "given")
        }
        CountedBy::Tuples => counts_sql!("1", "tuple", "tuples WHERE true", "?1", "given"),
    };
    let given = vec!["(?)"; bounds.len()].join(", ");
    let sql = format!(
        "WITH {tables}, given AS (VALUES {given}) SELECT {} FROM counts ORDER BY bound",
        count_before_sql!()
    );
    let mut parameters = vec![Value::Integer(period)];
    parameters.extend(bounds.iter().map(|bound| Value::Blob(bound)));
    let mut counts = RowCounts {
        before: Vec::with_capacity(bounds.len()),
        total: u64::MAX,
    };
    for row in session.rows(&sql, &parameters)? {
        let mut cells = Cells::from(row);
        counts.before.push(cells.unsigned("count")?);
        let total = cells.unsigned_or_null("size of a rank block")?;
        counts.total = counts.total.min(total.unwrap_or_default());
    }
    Ok(counts)
}

/// Returns the order key of the visible entry that has `index` of `visible` entries before it.
///
/// # Errors
/// `Corrupt` if the sizes of the blocks do not fit.
pub(crate) fn find_key_at(
    session: &Session<'_>,
    period: i64,
    index: u64,
    visible: u64,
) -> Result<Vec<u8>, StoreError> {
    const FIND: &str = concat!(
        "WITH blocks AS (SELECT level, first_key, size FROM rank_blocks WHERE period = ?1 AND counted = 0), \
         upper AS (SELECT * FROM (SELECT first_key, size, sum(size) OVER () AS total, \
           lead(first_key, 1, ",
        after_all_keys!(),
        ") OVER (ORDER BY first_key) AS next_key, \
           sum(size) OVER (ORDER BY first_key) - size AS before FROM blocks WHERE level = 1) \
           WHERE before <= ?2 ORDER BY first_key DESC LIMIT 1), \
         lower AS (SELECT * FROM (SELECT b.first_key, b.size, \
           u.total = ?3 AND u.size = sum(b.size) OVER () AS fits, \
           u.before + sum(b.size) OVER (ORDER BY b.first_key) - b.size AS before FROM upper u, blocks b \
           WHERE b.level = 0 AND b.first_key >= u.first_key AND b.first_key < u.next_key) \
           WHERE before <= ?2 ORDER BY first_key DESC LIMIT 1) \
         SELECT order_key FROM entries WHERE period = ?1 AND hidden = 0 \
         AND order_key >= (SELECT first_key FROM lower) AND (SELECT fits AND ?2 < before + size FROM lower) \
         ORDER BY order_key LIMIT 1 OFFSET ?2 - (SELECT before FROM lower)"
    );
    let row = session.row(FIND, &[period.into(), index.into(), visible.into()])?;
    row.ok_or_else(|| corrupt("sizes of rank blocks"))?
        .blob("order key")
}
