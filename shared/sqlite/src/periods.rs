//! Rows of periods.

pub(crate) mod rebuild;

use leaderboard_core::codec::{decode_layout, encode_layout};
use leaderboard_core::ports::{PeriodPage, PeriodSummary, REBUILD_LEASE_MS};
use leaderboard_core::{Layout, LeaderboardId, Period, PeriodId, StoreError, TenantId, Ties, Timestamp};

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
        "p.layout, p.expires_at, p.version, p.visible, p.total, (SELECT until FROM rebuilds WHERE period = p.row)"
    };
}
pub(crate) use period_columns;

/// Reads layout, expiry, version, both counts, and the end of a rebuild.
pub(crate) fn read_columns(cells: &mut Cells, row: i64) -> Result<PeriodRow, StoreError> {
    Ok(PeriodRow {
        row,
        layout: decode_layout(&cells.blob("layout")?).map_err(malformed)?,
        expires_at: cells.instant_or_null("expiry")?,
        version: cells.unsigned("period version")?,
        visible: cells.unsigned("visible entries")?,
        total: cells.unsigned("entries")?,
        rebuilt_until: cells.instant_or_null("end of a rebuild")?,
    })
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

/// Selects the columns that [`read_summary`] reads, of periods that have entries and have not expired at `?3`.
const SUMMARIES: &str = "SELECT p.id, p.starts_at, p.ends_at, p.visible, p.version \
     FROM leaderboards b JOIN periods p ON p.leaderboard = b.row \
     WHERE b.tenant = ?1 AND b.id = ?2 AND p.total > 0 AND (p.expires_at IS NULL OR p.expires_at > ?3)";

/// Returns a period, if it has entries and has not expired at `now`.
pub(crate) fn find_summary(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    id: &PeriodId,
    now: Timestamp,
) -> Result<Option<PeriodSummary>, StoreError> {
    let sql = format!("{SUMMARIES} AND p.id = ?4");
    let parameters = [tenant.into(), leaderboard.into(), now.into(), id.into()];
    session.map_row(&sql, &parameters, read_summary)
}

/// Lists periods that have entries and have not expired at `now`, newest first. A period without a start is the oldest.
pub(crate) fn list(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    before: Option<Timestamp>,
    limit: u32,
    now: Timestamp,
) -> Result<PeriodPage, StoreError> {
    // The same expression as in the index `periods_by_start`, so that SQLite uses the index.
    const PAGE: &str = "AND coalesce(p.starts_at, -9223372036854775807) < ?4 \
         ORDER BY coalesce(p.starts_at, -9223372036854775807) DESC, p.id LIMIT ?5 + 0";
    let parameters = [
        tenant.into(),
        leaderboard.into(),
        now.into(),
        before.map_or(i64::MAX, Timestamp::as_unix_ms).into(),
        i64::from(limit).saturating_add(1).into(),
    ];
    let mut periods = session.map_rows(&format!("{SUMMARIES} {PAGE}"), &parameters, read_summary)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = periods.len() > limit;
    periods.truncate(limit);
    let last = periods.last().filter(|_| more);
    Ok(PeriodPage {
        before: last.and_then(|last| last.period.starts_at),
        periods,
    })
}

fn read_summary(cells: &mut Cells) -> Result<PeriodSummary, StoreError> {
    Ok(PeriodSummary {
        period: Period {
            id: PeriodId::parse(&cells.text("period id")?).map_err(|_| corrupt("period id"))?,
            starts_at: cells.instant_or_null("start of a period")?,
            ends_at: cells.instant_or_null("end of a period")?,
        },
        count: cells.unsigned("visible entries")?,
        version: cells.unsigned("period version")?,
    })
}
