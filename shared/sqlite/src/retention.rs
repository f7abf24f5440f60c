//! Trims logs, and counts the weight of a tenant's logs and idempotency records.

use leaderboard_core::codec::{RECORDED_AT_BYTES, read_recorded_at};
use leaderboard_core::ports::{IDEMPOTENCY_MS, MIN_TRIMMED_EVENTS};
use leaderboard_core::{EVENT_OVERHEAD_BYTES, StoreError, TenantId, Timestamp};

use crate::row::{Cells, corrupt, stored};
use crate::session::Session;
use crate::writes::PendingWrites;

/// The events that a transaction has appended to a log.
#[derive(Debug)]
pub(crate) struct AppendedEvents {
    /// The position of the first event.
    pub(crate) first: u64,
    /// The position of the last event.
    pub(crate) last: u64,
    /// The weight of the events.
    pub(crate) weight: u64,
    /// When the last event was accepted.
    pub(crate) now: Timestamp,
}

/// The weight of a tenant's logs and records.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogWeights {
    pub(crate) events: u64,
    pub(crate) records: u64,
}

impl LogWeights {
    /// Reads the columns of [`weight_columns`].
    pub(crate) fn from_cells(cells: &mut Cells) -> Result<Self, StoreError> {
        Ok(Self {
            events: cells.unsigned_or_null("bytes of logs")?.unwrap_or_default(),
            records: cells.unsigned_or_null("bytes of records")?.unwrap_or_default(),
        })
    }

    pub(crate) fn total(self) -> u64 {
        self.events.saturating_add(self.records)
    }
}

/// Returns the number of the span of [`IDEMPOTENCY_MS`] that contains an instant.
pub(crate) fn find_span(at: Timestamp) -> i64 {
    at.as_unix_ms().div_euclid(IDEMPOTENCY_MS)
}

/// SQL for the columns that [`LogWeights::from_cells`] reads: the weights of the tenant `?1`, with the records of the span `$span`
/// and later ones.
macro_rules! weight_columns {
    ($span:literal) => {
        concat!(
            "(SELECT bytes FROM tenant_logs WHERE tenant = ?1), \
             (SELECT sum(bytes) FROM tenant_record_weights WHERE tenant = ?1 AND span >= ",
            $span,
            ")"
        )
    };
}
pub(crate) use weight_columns;

/// Returns the first span whose records are valid at `now`: the one before the span of `now`.
pub(crate) fn first_valid_span(now: Timestamp) -> i64 {
    find_span(now).saturating_sub(1)
}

/// Returns the weight of a tenant's logs, and of its records that are valid at `now`.
pub(crate) fn read_weights(
    session: &Session<'_>,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<LogWeights, StoreError> {
    const WEIGHTS: &str = concat!("SELECT ", weight_columns!("?2"));
    let parameters = [tenant.into(), first_valid_span(now).into()];
    LogWeights::from_cells(&mut session.only_row(WEIGHTS, &parameters)?)
}

/// SQL for the columns of a leaderboard `b` that [`LogState::from_cells`] reads. Of the oldest event it reads only the first
/// [`RECORDED_AT_BYTES`], which contain the instant.
macro_rules! log_columns {
    () => {
        "b.keep_events, b.keep_ms, \
         (SELECT position FROM events WHERE leaderboard = b.row ORDER BY position LIMIT 1), \
         (SELECT substr(event, 1, 12) FROM events WHERE leaderboard = b.row ORDER BY position LIMIT 1)"
    };
}
pub(crate) use log_columns;
const _: () = assert!(RECORDED_AT_BYTES == 12);

/// How much of a log is kept, and its oldest event.
#[derive(Debug, Clone)]
pub(crate) struct LogState {
    keep_events: u64,
    keep_ms: i64,
    /// The oldest event: its position, and the beginning of its bytes.
    oldest: Option<(u64, Vec<u8>)>,
}

impl LogState {
    /// Reads the columns of [`log_columns`].
    pub(crate) fn from_cells(cells: &mut Cells) -> Result<Self, StoreError> {
        let keep_events = cells.unsigned("keep_events")?;
        let keep_ms = cells.integer("keep_ms")?;
        let position = cells.unsigned_or_null("position")?;
        let event = cells.blob_or_null("event")?;
        Ok(Self {
            keep_events,
            keep_ms,
            oldest: position.zip(event),
        })
    }

    /// Reads the state of a leaderboard's log.
    pub(crate) fn read(session: &Session<'_>, board: i64) -> Result<Self, StoreError> {
        const READ: &str = concat!("SELECT ", log_columns!(), " FROM leaderboards b WHERE row = ?1");
        let row = session.row(READ, &[board.into()])?;
        Self::from_cells(&mut row.ok_or_else(|| corrupt("leaderboard row"))?)
    }
}

/// The bounds that decide which events are removed.
struct TrimBounds {
    /// The first position that the policy's number of events keeps.
    keep_from: u64,
    /// Events before this instant are too old.
    oldest_at: Timestamp,
    /// The weight that must be removed even if the policy keeps the events, in bytes.
    over: u64,
}

impl TrimBounds {
    /// Returns whether an event is removed. `freed` is the weight of the events that were removed before it.
    fn removes(&self, position: u64, event: &[u8], freed: u64) -> bool {
        let is_old = read_recorded_at(event).is_ok_and(|at| at < self.oldest_at);
        position < self.keep_from || is_old || freed < self.over
    }
}

/// Counts the appended events and trims the log. `over` is by how much the tenant's logs and records, including the appended events,
/// exceed the limit. Returns the weight of the removed events.
pub(crate) fn finish_append(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    (board, log): (i64, &LogState),
    appended: &AppendedEvents,
    over: u64,
) -> Result<u64, StoreError> {
    let bounds = TrimBounds {
        keep_from: appended.last.saturating_add(1).saturating_sub(log.keep_events),
        oldest_at: appended.now.saturating_add_ms(log.keep_ms.saturating_neg()),
        over,
    };
    let freed = match &log.oldest {
        Some((position, event)) if bounds.removes(*position, event, 0) => {
            trim(session, board, appended, &bounds)?
        }
        _ => 0,
    };
    let more_bytes = stored(appended.weight).saturating_sub(stored(freed));
    writes.change_log(board, appended.last, more_bytes);
    Ok(freed)
}

/// Removes the oldest events that are out of bounds, but not the appended events. Returns the weight of the removed events.
fn trim(
    session: &Session<'_>,
    board: i64,
    appended: &AppendedEvents,
    bounds: &TrimBounds,
) -> Result<u64, StoreError> {
    const OLDEST: &str = "SELECT position, length(event), substr(event, 1, ?4) FROM events \
         WHERE leaderboard = ?1 AND position < ?2 ORDER BY position LIMIT ?3 + 0";
    const REMOVE: &str = "DELETE FROM events WHERE leaderboard = ?1 AND position <= ?2";
    let added = appended.last.saturating_sub(appended.first).saturating_add(1);
    let most = MIN_TRIMMED_EVENTS.saturating_add(added.saturating_mul(2));
    let read_bytes = RECORDED_AT_BYTES as u64;
    let parameters = [
        board.into(),
        appended.first.into(),
        most.into(),
        read_bytes.into(),
    ];
    let (mut freed, mut last) = (0_u64, None);
    for row in session.rows(OLDEST, &parameters)? {
        let mut cells = Cells::from(row);
        let position = cells.unsigned("position")?;
        let bytes = cells.unsigned("bytes of an event")?;
        if !bounds.removes(position, &cells.blob("event")?, freed) {
            break;
        }
        freed = freed.saturating_add(bytes.saturating_add(EVENT_OVERHEAD_BYTES));
        last = Some(position);
    }
    if let Some(last) = last {
        session.run(REMOVE, &[board.into(), last.into()])?;
    }
    Ok(freed)
}

/// Subtracts the weights of a leaderboard, which is about to be deleted, from the weights of its tenant.
pub(crate) fn subtract_leaderboard(session: &Session<'_>, board: i64) -> Result<(), StoreError> {
    for sql in [
        "UPDATE tenant_logs SET bytes = bytes - (SELECT log_bytes FROM leaderboards WHERE row = ?1) \
         WHERE tenant = (SELECT tenant FROM leaderboards WHERE row = ?1)",
        "UPDATE tenant_record_weights SET bytes = bytes - \
         (SELECT r.bytes FROM record_weights r WHERE r.leaderboard = ?1 AND r.span = tenant_record_weights.span) \
         WHERE tenant = (SELECT tenant FROM leaderboards WHERE row = ?1) \
         AND span IN (SELECT span FROM record_weights WHERE leaderboard = ?1)",
        "DELETE FROM record_weights WHERE leaderboard = ?1",
    ] {
        session.run(sql, &[board.into()])?;
    }
    Ok(())
}
