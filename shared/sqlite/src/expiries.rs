//! New expiries of a leaderboard's periods after a change of its configuration.
//!
//! The change stores all new expiries in one row, and small transactions apply them. If a request stops early, the next change of
//! the configuration continues.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::PutLeaderboard;
use leaderboard_core::{PeriodId, StoreError, Timestamp};

use crate::connection::Connection;
use crate::row::malformed;
use crate::session::Session;
use crate::{SqliteStore, periods};

/// How many periods one transaction changes.
const PERIODS_PER_STEP: usize = 100;

/// A period and when it expires.
type PeriodExpiry = (PeriodId, Option<Timestamp>);

impl<C: Connection> SqliteStore<C> {
    /// Applies the pending expiries of a put, step by step.
    ///
    /// # Errors
    /// [`StoreError`]; then the next put continues.
    pub(crate) async fn apply_expiries(
        &self,
        board: i64,
        put: &PutLeaderboard<'_>,
    ) -> Result<(), StoreError> {
        // Each step applies at least one expiry, so this many steps are enough.
        for _ in put.expiries {
            self.yield_to_others().await;
            if self.write(|session| step(session, board, put.at)).await? {
                break;
            }
        }
        Ok(())
    }
}

/// Begins a change of expiries: applies some and stores the others. Returns whether none are left.
pub(crate) fn begin(
    session: &Session<'_>,
    board: i64,
    expiries: &[PeriodExpiry],
    now: Timestamp,
) -> Result<bool, StoreError> {
    const LEAVE: &str = "INSERT OR REPLACE INTO pending_expiries (leaderboard, expiries) VALUES (?1, ?2)";
    let (first, rest) = expiries.split_at(expiries.len().min(PERIODS_PER_STEP));
    periods::save_expiries(session, board, first, now)?;
    if rest.is_empty() {
        return Ok(true);
    }
    let bytes = encode(rest);
    session.run(LEAVE, &[board.into(), bytes[..].into()])?;
    Ok(false)
}

/// Applies some of the stored expiries. Returns whether none are left.
pub(crate) fn step(session: &Session<'_>, board: i64, now: Timestamp) -> Result<bool, StoreError> {
    const TAKE: &str = "DELETE FROM pending_expiries WHERE leaderboard = ?1 RETURNING expiries";
    let Some(mut cells) = session.row(TAKE, &[board.into()])? else {
        return Ok(true);
    };
    let left = decode(&cells.blob("expiries")?).map_err(malformed)?;
    begin(session, board, &left, now)
}

fn encode(expiries: &[PeriodExpiry]) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(expiries.len() as u64);
    for (period, expires_at) in expiries {
        w.text(period.as_str());
        w.option(*expires_at, Writer::timestamp);
    }
    w.finish()
}

fn decode(bytes: &[u8]) -> Result<Vec<PeriodExpiry>, Malformed> {
    let mut r = Reader::new(bytes);
    let mut expiries = Vec::new();
    for _ in 0..r.unsigned()? {
        let period = PeriodId::parse(r.text()?).map_err(|_| Malformed("period id"))?;
        expiries.push((period, r.option(Reader::timestamp)?));
    }
    r.end()?;
    Ok(expiries)
}
