//! Rows of periods.

pub(crate) mod rebuild;

use leaderboard_core::codec::{decode_layout, encode_layout};
use leaderboard_core::ports::REBUILD_LEASE_MS;
use leaderboard_core::{Layout, Period, PeriodId, PrizeTable, StoreError, Ties, Timestamp};

use crate::row::{Cells, corrupt, malformed};
use crate::rows::JsonRows;
use crate::session::Session;
use crate::writes::PendingWrites;

/// The row of a period that has or had entries.
#[derive(Debug, Clone)]
pub(crate) struct PeriodRow {
    pub(crate) row: i64,
    pub(crate) layout: Layout,
    pub(crate) expires_at: Option<Timestamp>,
    /// The position of the last event that changed an entry.
    pub(crate) version: u64,
    /// The number of visible entries.
    pub(crate) visible: u64,
    /// The number of all entries.
    pub(crate) total: u64,
    /// When the period accepts scores again after a rebuild; `None` if it is not rebuilt.
    pub(crate) rebuilt_until: Option<Timestamp>,
    /// When the standings became final; `None` if they are not final.
    pub(crate) frozen_at: Option<Timestamp>,
    /// Whether late scores can reopen the standings ([`PrizeTable::can_be_reopened`]).
    pub(crate) can_be_reopened: bool,
}

impl PeriodRow {
    /// Returns a period without entries that is not stored yet.
    pub(crate) fn new(layout: Layout, expires_at: Option<Timestamp>) -> Self {
        Self {
            row: 0,
            layout,
            expires_at,
            version: 0,
            visible: 0,
            total: 0,
            rebuilt_until: None,
            frozen_at: None,
            can_be_reopened: true,
        }
    }

    /// Returns whether the different tuples of this period are counted.
    pub(crate) fn keeps_tuples(&self) -> bool {
        self.layout.ties == Ties::Dense
    }

    /// Returns whether a rebuild refuses scores at `now`. If the clock was set back, scores are not refused for longer.
    pub(crate) fn is_rebuilt_at(&self, now: Timestamp) -> bool {
        self.rebuilt_until.is_some_and(|until| {
            let left_ms = until.as_unix_ms().saturating_sub(now.as_unix_ms());
            (1..=REBUILD_LEASE_MS).contains(&left_ms)
        })
    }
}

/// The columns of `periods p` that [`read_columns`] reads.
macro_rules! period_columns {
    () => {
        "p.layout, p.expires_at, p.version, p.visible, p.total, p.frozen_at, p.frozen_prizes, \
         (SELECT until FROM rebuilds WHERE period = p.row)"
    };
}
pub(crate) use period_columns;

/// Reads layout, expiry, version, both counts, when the standings became final and with which prizes, and the end of a rebuild.
pub(crate) fn read_columns(cells: &mut Cells, row: i64) -> Result<PeriodRow, StoreError> {
    Ok(PeriodRow {
        row,
        layout: decode_layout(&cells.blob("layout")?).map_err(malformed)?,
        expires_at: cells.instant_or_null("expiry")?,
        version: cells.unsigned("period version")?,
        visible: cells.unsigned("visible entries")?,
        total: cells.unsigned("entries")?,
        frozen_at: cells.instant_or_null("final standings")?,
        can_be_reopened: PrizeTable::can_be_reopened(read_prizes(cells)?.as_ref()),
        rebuilt_until: cells.instant_or_null("end of a rebuild")?,
    })
}

/// Reads the prizes of final standings.
pub(crate) fn read_prizes(cells: &mut Cells) -> Result<Option<PrizeTable>, StoreError> {
    let text = cells.text_or_null("prizes of final standings")?;
    text.map(|text| PrizeTable::decode(&text))
        .transpose()
        .map_err(malformed)
}

/// Returns a leaderboard's period, if it exists and has not expired at `now`.
pub(crate) fn find(
    session: &Session<'_>,
    board: i64,
    id: &PeriodId,
    now: Timestamp,
) -> Result<Option<PeriodRow>, StoreError> {
    const FIND: &str = concat!(
        "SELECT p.row, ",
        period_columns!(),
        " FROM periods p WHERE leaderboard = ?1 AND id = ?2 AND (expires_at IS NULL OR expires_at > ?3)"
    );
    session.map_row(FIND, &[board.into(), id.into(), now.into()], |cells| {
        let row = cells.integer("period row")?;
        read_columns(cells, row)
    })
}

/// Returns an existing period.
pub(crate) fn read_row(session: &Session<'_>, row: i64) -> Result<PeriodRow, StoreError> {
    const BY_ROW: &str = concat!("SELECT ", period_columns!(), " FROM periods p WHERE row = ?1");
    let cells = session.row(BY_ROW, &[row.into()])?;
    read_columns(&mut cells.ok_or_else(|| corrupt("period row"))?, row)
}

/// Creates an empty period with the layout and the expiry of `new`, and returns its row.
pub(crate) fn create(
    session: &Session<'_>,
    board: i64,
    period: &Period,
    new: &PeriodRow,
) -> Result<i64, StoreError> {
    const CREATE: &str = "INSERT INTO periods \
         (leaderboard, id, starts_at, ends_at, expires_at, layout, version, visible, total) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0) RETURNING row";
    let bytes = encode_layout(&new.layout);
    let parameters = [
        board.into(),
        (&period.id).into(),
        period.starts_at.into(),
        period.ends_at.into(),
        new.expires_at.into(),
        bytes[..].into(),
    ];
    session.only_row(CREATE, &parameters)?.integer("period row")
}

/// Saves the columns that an event changes. The copies of a running rebuild lack this change, so the rebuild starts again.
pub(crate) fn save(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    period: &PeriodRow,
) -> Result<(), StoreError> {
    writes.save_period(&[
        period.row.into(),
        period.version.into(),
        period.visible.into(),
        period.total.into(),
        period.expires_at.into(),
    ]);
    if period.rebuilt_until.is_some() {
        rebuild::abandon(session, period.row)?;
    }
    Ok(())
}

/// Ends that the standings of a period are final.
pub(crate) fn reopen(session: &Session<'_>, period: i64) -> Result<(), StoreError> {
    const REOPEN: &str = "UPDATE periods SET frozen_at = NULL, frozen_version = NULL, frozen_count = NULL, \
         frozen_prizes = NULL, reopened = reopened + 1 WHERE row = ?1";
    session.run(REOPEN, &[period.into()])
}

/// Changes the layout of a period. The caller changes its entries.
pub(crate) fn save_layout(session: &Session<'_>, period: i64, layout: &Layout) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE periods SET layout = ?2 WHERE row = ?1";
    let bytes = encode_layout(layout);
    session.run(SAVE, &[period.into(), bytes[..].into()])
}

/// Sets when periods expire, except for periods that have expired at `now`.
pub(crate) fn save_expiries(
    session: &Session<'_>,
    board: i64,
    expiries: &[(PeriodId, Option<Timestamp>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE periods SET expires_at = new.expires_at FROM \
         (SELECT value ->> 0 AS board, value ->> 1 AS id, value ->> 2 AS expires_at, value ->> 3 AS now \
         FROM json_each(?1)) AS new WHERE leaderboard = new.board AND periods.id = new.id \
         AND (periods.expires_at IS NULL OR periods.expires_at > new.now)";
    let mut rows = JsonRows::default();
    for (id, expires_at) in expiries {
        rows.push(&[board.into(), id.into(), (*expires_at).into(), now.into()]);
    }
    rows.run(session, SAVE)
}
