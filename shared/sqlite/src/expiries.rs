//! When a leaderboard's periods expire, after a change of its configuration.
//!
//! All that the change says is written down with it, in one row, and applied in small transactions. What a request leaves
//! there, the next change of the configuration goes on with.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::PutLeaderboard;
use leaderboard_core::{PeriodId, StoreError, Timestamp};

use crate::SqliteStore;
use crate::connection::{Connection, Value};
use crate::periods;
use crate::row::malformed;
use crate::store::Session;

/// How many periods one transaction gives another expiry.
const PERIODS_PER_STEP: usize = 100;

/// A period and when it expires.
type PeriodExpiry = (PeriodId, Option<Timestamp>);

impl<C: Connection> SqliteStore<C> {
    /// Applies the expiries that a put has left for its leaderboard's row, step by step.
    ///
    /// # Errors
    /// [`StoreError`]; the next put goes on then.
    pub(crate) async fn apply_expiries(
        &self,
        board: i64,
        put: &PutLeaderboard<'_>,
    ) -> Result<(), StoreError> {
        // No step leaves as much as there was, so there are no more than there are expiries.
        for _ in put.expiries {
            self.yield_to_others().await;
            if self
                .write(async |session| step(session, board, put.at).await)
                .await?
            {
                break;
            }
        }
        Ok(())
    }
}

/// Begins a change of expiries: applies some and writes the others down. Whether none are left.
pub(crate) async fn begin<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    expiries: &[PeriodExpiry],
    now: Timestamp,
) -> Result<bool, StoreError> {
    const LEAVE: &str = "INSERT OR REPLACE INTO pending_expiries (leaderboard, expiries) VALUES (?1, ?2)";
    let (first, rest) = expiries.split_at(expiries.len().min(PERIODS_PER_STEP));
    periods::save_expiries(session, board, first, now).await?;
    if rest.is_empty() {
        return Ok(true);
    }
    let bytes = encode(rest);
    session
        .run(LEAVE, &[Value::Integer(board), Value::Blob(&bytes)])
        .await?;
    Ok(false)
}

/// Goes on with what an earlier transaction has left. Whether nothing is left.
pub(crate) async fn step<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const TAKE: &str = "DELETE FROM pending_expiries WHERE leaderboard = ?1 RETURNING expiries";
    let Some(mut cells) = session.row(TAKE, &[Value::Integer(board)]).await? else {
        return Ok(true);
    };
    let left = decode(&cells.blob("expiries")?).map_err(malformed)?;
    begin(session, board, &left, now).await
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
