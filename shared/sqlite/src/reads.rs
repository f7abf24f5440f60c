//! Reads of a period: frequent reads in one statement each, pages and windows of the list, entries of given players, and the distribution.

pub(crate) mod entries_by_player;
pub(crate) mod frequent;
pub(crate) mod page;
mod period_list;
pub(crate) mod sample;

use leaderboard_core::ports::{PeriodRef, ReadError};

use crate::bans::{self, is_behind_sql};
use crate::periods::{self, PeriodRow, period_columns};
use crate::session::Session;

/// Returns the period of a read, if the configuration is current; `None` if the period has never had an entry.
pub(crate) fn find_current(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
) -> Result<Option<PeriodRow>, ReadError> {
    const FIND_CURRENT: &str = concat!(
        "SELECT b.version, ",
        is_behind_sql!("?4"),
        ", p.row, ",
        period_columns!(),
        " FROM leaderboards b LEFT JOIN periods p ON p.leaderboard = b.row AND p.id = ?3 \
         WHERE b.tenant = ?1 AND b.id = ?2"
    );
    let parameters = [
        period_ref.tenant.into(),
        (&period_ref.leaderboard.value.id).into(),
        period_ref.period.into(),
        period_ref.now.into(),
    ];
    let Some(mut cells) = session.row(FIND_CURRENT, &parameters)? else {
        return Err(ReadError::StaleConfiguration);
    };
    if cells.unsigned("configuration version")? != period_ref.leaderboard.version {
        return Err(ReadError::StaleConfiguration);
    }
    if cells.flag("bans")? && session.requires_applied_bans {
        return Err(bans::refuse_behind().into());
    }
    match cells.integer_or_null("period row")? {
        None => Ok(None),
        Some(row) => Ok(Some(periods::read_columns(&mut cells, row)?)),
    }
}
