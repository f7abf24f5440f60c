//! Verifies the blocks of a period against its rows, and repairs them, in steps.
//!
//! A step verifies one block of level 1 with its blocks of level 0. If a size is wrong or a block is lost, the step counts the first
//! rows of this block again, up to half of the largest size, and replaces their blocks. The next step begins after these rows. So
//! no step is long, and sizes that are right do not change.

use leaderboard_core::StoreError;

use super::{CountedBy, after_all_keys, max_rows, max_rows_of_upper};
use crate::connection::Value;
use crate::session::Session;

/// What a step has done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RepairStep {
    /// The key at which the next step begins; `None` after the last step.
    pub(crate) next: Option<Vec<u8>>,
    /// Whether the blocks were damaged.
    pub(crate) was_damaged: bool,
}

/// The statements of a step for one of the trees of a period.
struct Statements {
    begin: &'static str,
    find: &'static str,
    verify: &'static str,
    fill: &'static str,
}

/// Deletes blocks whose first key is no key. No count uses them right, and no step would find them.
const DELETE_STRAY: &str = concat!(
    "DELETE FROM rank_blocks WHERE period = ?1 AND counted = ?2 AND (first_key < x'' OR first_key >= ",
    after_all_keys!(),
    ")"
);
/// Deletes the blocks of both levels that begin in a range.
const DELETE_RANGE: &str = "DELETE FROM rank_blocks WHERE period = ?1 AND counted = ?2 AND level IN (0, 1) \
     AND first_key >= ?3 AND first_key < ?4";
/// Begins a block of each level, if none begins there.
const BEGIN_BLOCKS: &str =
    "INSERT OR IGNORE INTO rank_blocks SELECT ?1, ?2, column1, ?3, 0 FROM (VALUES (0), (1))";

macro_rules! statements {
    ($counted:literal, $key:literal, $rows:literal) => {
        Statements {
            // The block may have joined the block before it since the last step.
            begin: concat!(
                "SELECT coalesce(max(first_key), x'') FROM rank_blocks WHERE period = ?1 AND counted = ", $counted,
                " AND level = 1 AND first_key <= ?2"
            ),
            // The begin of the next block of level 1, and of the first row beyond `half` and beyond the largest size of a block.
            find: concat!(
                "WITH rows AS NOT MATERIALIZED (SELECT ", $key, " AS sort_key FROM ", $rows, " AND period = ?1 AND ", $key,
                " >= ?2), next AS (SELECT coalesce(min(first_key), ", after_all_keys!(),
                ") AS upper FROM rank_blocks WHERE period = ?1 AND counted = ", $counted, " AND level = 1 AND first_key > ?2) \
                 SELECT upper, (SELECT sort_key FROM rows ORDER BY sort_key LIMIT 1 OFFSET ", max_rows_of_upper!(), " / 2), \
                 coalesce((SELECT sort_key FROM rows ORDER BY sort_key LIMIT 1 OFFSET ", max_rows_of_upper!(),
                ") < upper, 0), upper = ", after_all_keys!(), " FROM next"
            ),
            verify: concat!(
                "WITH lower AS MATERIALIZED (SELECT first_key, size, lead(first_key, 1, ?3) OVER (ORDER BY first_key) AS next_key \
                 FROM rank_blocks WHERE period = ?1 AND counted = ", $counted,
                " AND level = 0 AND first_key >= ?2 AND first_key < ?3) \
                 SELECT (SELECT size FROM rank_blocks WHERE period = ?1 AND counted = ", $counted,
                " AND level = 1 AND first_key = ?2) IS (SELECT sum(size) FROM lower) \
                 AND coalesce((SELECT min(first_key) FROM lower) = ?2, ?4 AND NOT EXISTS \
                 (SELECT 1 FROM ", $rows, " AND period = ?1)) \
                 AND NOT EXISTS (SELECT 1 FROM lower WHERE size IS NOT (SELECT count(*) FROM ", $rows, " AND period = ?1 AND ",
                $key, " >= first_key AND ", $key, " < next_key))"
            ),
            fill: concat!(
                "WITH numbered AS MATERIALIZED (SELECT ", $key, " AS sort_key, row_number() OVER (ORDER BY ", $key,
                ") - 1 AS place FROM ", $rows, " AND period = ?1 AND ", $key, " >= ?2 AND ", $key, " < ?3) \
                 INSERT INTO rank_blocks SELECT ?1, ", $counted,
                ", 0, CASE min(place) WHEN 0 THEN ?2 ELSE min(sort_key) END, count(*) FROM numbered GROUP BY place / (",
                max_rows!(), " / 2) UNION ALL SELECT ?1, ", $counted, ", 1, ?2, count(*) FROM numbered"
            ),
        }
    };
}
const OF_ENTRIES: Statements = statements!("0", "order_key", "entries WHERE hidden = 0");
const OF_TUPLES: Statements = statements!("1", "tuple", "tuples WHERE true");

/// Verifies the block of level 1 that has the key `from`, and its blocks of level 0, and repairs them if they are damaged. `from` is
/// empty in the first step. Other writers may change the rows between two steps.
pub(crate) fn step(
    session: &Session<'_>,
    counted: CountedBy,
    period: i64,
    from: &[u8],
) -> Result<RepairStep, StoreError> {
    let (statements, tree) = match counted {
        CountedBy::Entries => (OF_ENTRIES, Value::Integer(0)),
        CountedBy::Tuples => (OF_TUPLES, Value::Integer(1)),
    };
    let row = Value::Integer(period);
    if from.is_empty() {
        session.run(DELETE_STRAY, &[row, tree])?;
    }
    let from = session
        .only_row(statements.begin, &[row, Value::Blob(from)])?
        .blob("first key of a rank block")?;
    let begin = Value::Blob(&from);
    let mut found = session.only_row(statements.find, &[row, begin])?;
    let next_upper = found.blob("first key of a rank block")?;
    let half = found.blob_or_null("key")?;
    let is_too_large = found.flag("rows")?;
    let is_last = found.flag("last rank block")?;
    let may_lack_blocks = Value::Integer(i64::from(from.is_empty() && is_last));
    if !is_too_large {
        let parameters = [row, begin, Value::Blob(&next_upper), may_lack_blocks];
        if session.only_row(statements.verify, &parameters)?.flag("blocks")? {
            return Ok(RepairStep {
                next: (!is_last).then_some(next_upper),
                was_damaged: false,
            });
        }
    }
    let half = half.filter(|half| *half < next_upper);
    let end = Value::Blob(half.as_ref().unwrap_or(&next_upper));
    session.run(DELETE_RANGE, &[row, tree, begin, end])?;
    session.run(statements.fill, &[row, begin, end])?;
    session.run(BEGIN_BLOCKS, &[row, tree, begin])?;
    if half.is_some() {
        session.run(BEGIN_BLOCKS, &[row, tree, end])?;
    }
    Ok(RepairStep {
        next: half.or((!is_last).then_some(next_upper)),
        was_damaged: true,
    })
}
