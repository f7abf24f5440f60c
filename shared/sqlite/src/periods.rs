//! Rows of periods.

use leaderboard_core::codec::{decode_layout, encode_layout};
use leaderboard_core::ports::{PeriodSummary, Place, ReadError};
use leaderboard_core::{Layout, LeaderboardId, Period, PeriodId, StoreError, TenantId, Ties, Timestamp};

use crate::connection::{Connection, Value};
use crate::row::{Cells, corrupt, malformed, stored};
use crate::store::Session;

/// A period that has, or had, entries.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) row: i64,
    pub(crate) layout: Layout,
    pub(crate) expires_at: Option<Timestamp>,
    /// The position of the last event that changed an entry.
    pub(crate) version: u64,
    /// How many entries are visible.
    pub(crate) visible: u64,
    /// How many entries there are.
    pub(crate) total: u64,
}

impl Found {
    /// Whether the different tuples of this period are kept count of.
    pub(crate) fn keeps_tuples(&self) -> bool {
        self.layout.ties == Ties::Dense
    }
}

fn found(cells: &mut Cells, row: i64) -> Result<Found, StoreError> {
    Ok(Found {
        row,
        layout: decode_layout(&cells.blob("layout")?).map_err(malformed)?,
        expires_at: cells.instant_or_null("expiry")?,
        version: cells.unsigned("period version")?,
        visible: cells.unsigned("visible entries")?,
        total: cells.unsigned("entries")?,
    })
}

/// The period a reader asks for; `None` when it has never had an entry.
pub(crate) async fn at_place<C: Connection>(
    session: &Session<'_, C>,
    place: &Place<'_>,
) -> Result<Option<Found>, ReadError> {
    const AT_PLACE: &str = "SELECT b.version, p.row, p.layout, p.expires_at, p.version, p.visible, p.total \
         FROM leaderboards b LEFT JOIN periods p ON p.leaderboard = b.row AND p.id = ?3 \
         WHERE b.tenant = ?1 AND b.id = ?2";
    let parameters = [
        Value::Text(place.tenant.as_str()),
        Value::Text(place.board.value.id.as_str()),
        Value::Text(place.period.as_str()),
    ];
    let Some(mut cells) = session.row(AT_PLACE, &parameters).await? else {
        return Err(ReadError::StaleConfiguration);
    };
    if cells.unsigned("configuration version")? != place.board.version {
        return Err(ReadError::StaleConfiguration);
    }
    match cells.integer_or_null("period row")? {
        None => Ok(None),
        Some(row) => Ok(Some(found(&mut cells, row)?)),
    }
}

/// A leaderboard's period, if it is there and has not expired at `now`.
pub(crate) async fn find<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    id: &PeriodId,
    now: Timestamp,
) -> Result<Option<Found>, StoreError> {
    const FIND: &str = "SELECT row, layout, expires_at, version, visible, total FROM periods \
         WHERE leaderboard = ?1 AND id = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
    let parameters = [
        Value::Integer(board),
        Value::Text(id.as_str()),
        Value::Integer(now.as_unix_ms()),
    ];
    let Some(mut cells) = session.row(FIND, &parameters).await? else {
        return Ok(None);
    };
    let row = cells.integer("period row")?;
    found(&mut cells, row).map(Some)
}

/// A period that is known to be there.
pub(crate) async fn by_row<C: Connection>(session: &Session<'_, C>, row: i64) -> Result<Found, StoreError> {
    const BY_ROW: &str = "SELECT layout, expires_at, version, visible, total FROM periods WHERE row = ?1";
    let cells = session.row(BY_ROW, &[Value::Integer(row)]).await?;
    found(&mut cells.ok_or_else(|| corrupt("period row"))?, row)
}

fn instant(at: Option<Timestamp>) -> Value<'static> {
    at.map_or(Value::Null, |at| Value::Integer(at.as_unix_ms()))
}

/// Makes an empty period.
pub(crate) async fn create<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    period: &Period,
    expires_at: Option<Timestamp>,
    layout: Layout,
) -> Result<Found, StoreError> {
    const CREATE: &str = "INSERT INTO periods \
         (leaderboard, id, starts_at, ends_at, expires_at, layout, version, visible, total) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0) RETURNING row";
    let bytes = encode_layout(&layout);
    let parameters = [
        Value::Integer(board),
        Value::Text(period.id.as_str()),
        instant(period.starts_at),
        instant(period.ends_at),
        instant(expires_at),
        Value::Blob(&bytes),
    ];
    let row = session.row(CREATE, &parameters).await?;
    Ok(Found {
        row: row.ok_or_else(|| corrupt("period row"))?.integer("period row")?,
        layout,
        expires_at,
        version: 0,
        visible: 0,
        total: 0,
    })
}

/// Writes back what an event changes.
pub(crate) async fn save<C: Connection>(session: &Session<'_, C>, period: &Found) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE periods SET version = ?2, visible = ?3, total = ?4, expires_at = ?5 \
         WHERE row = ?1";
    let parameters = [
        Value::Integer(period.row),
        Value::Integer(stored(period.version)),
        Value::Integer(stored(period.visible)),
        Value::Integer(stored(period.total)),
        instant(period.expires_at),
    ];
    session.run(SAVE, &parameters).await
}

/// Gives a period another order; the caller sees to its entries.
pub(crate) async fn save_layout<C: Connection>(
    session: &Session<'_, C>,
    period: i64,
    layout: &Layout,
) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE periods SET layout = ?2 WHERE row = ?1";
    let bytes = encode_layout(layout);
    session
        .run(SAVE, &[Value::Integer(period), Value::Blob(&bytes)])
        .await
}

/// Sets when a period expires, unless it has at `now`.
pub(crate) async fn save_expiry<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    id: &PeriodId,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SAVE: &str = "UPDATE periods SET expires_at = ?3 \
         WHERE leaderboard = ?1 AND id = ?2 AND (expires_at IS NULL OR expires_at > ?4)";
    let parameters = [
        Value::Integer(board),
        Value::Text(id.as_str()),
        instant(expires_at),
        Value::Integer(now.as_unix_ms()),
    ];
    session.run(SAVE, &parameters).await
}

/// The periods that have entries and have not expired, newest first.
pub(crate) async fn list<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    now: Timestamp,
) -> Result<Vec<PeriodSummary>, StoreError> {
    const LIST: &str = "SELECT p.id, p.starts_at, p.ends_at, p.visible, p.version \
         FROM leaderboards b JOIN periods p ON p.leaderboard = b.row \
         WHERE b.tenant = ?1 AND b.id = ?2 AND p.total > 0 AND (p.expires_at IS NULL OR p.expires_at > ?3) \
         ORDER BY p.starts_at DESC NULLS LAST, p.id";
    let parameters = [
        Value::Text(tenant.as_str()),
        Value::Text(leaderboard.as_str()),
        Value::Integer(now.as_unix_ms()),
    ];
    let rows = session.rows(LIST, &parameters).await?;
    rows.into_iter().map(|row| summary(row.into())).collect()
}

fn summary(mut cells: Cells) -> Result<PeriodSummary, StoreError> {
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
