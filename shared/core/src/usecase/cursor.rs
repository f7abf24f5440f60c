//! Where a list goes on.

use sha2::{Digest, Sha256};

use crate::codec::{Malformed, Reader, Writer, encode_layout};
use crate::{Layout, LeaderboardId, OrderKey, PeriodId};

/// The shape below; another shape gets another code.
const CURSOR_V1: u8 = 1;

/// Which way a cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the worse entries.
    Next,
    /// Towards the better entries.
    Previous,
}

/// Where a list goes on: a place in the order, not a number of entries to skip, so that entries that come
/// and go between two pages neither repeat nor hide anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The leaderboard it belongs to.
    pub leaderboard: LeaderboardId,
    /// The period it belongs to: a list that began before a reset ends in the period it began in.
    pub period: PeriodId,
    /// What the period's layout hashes to; the key means nothing in another order.
    pub layout: u32,
    /// The version the list started from.
    pub version: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// The last key of the page before (the first one, backwards).
    pub key: OrderKey,
}

impl Cursor {
    /// What a layout hashes to in a cursor.
    #[must_use]
    pub fn layout_hash(layout: &Layout) -> u32 {
        let digest: [u8; 32] = Sha256::digest(encode_layout(layout)).into();
        digest.first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
    }

    /// The cursor as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(CURSOR_V1);
        w.text(self.leaderboard.as_str());
        w.text(self.period.as_str());
        w.unsigned(u64::from(self.layout));
        w.unsigned(self.version);
        w.byte(u8::from(self.direction == Direction::Previous));
        w.bytes(self.key.as_bytes());
        w.finish()
    }

    /// The inverse of [`Cursor::encode`]. Clients send these bytes: nothing in them is believed beyond where
    /// to go on, which any client may choose.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not a cursor.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != CURSOR_V1 {
            return Err(Malformed("cursor code"));
        }
        let cursor = Self {
            leaderboard: LeaderboardId::new(r.text()?).map_err(|_| Malformed("leaderboard"))?,
            period: r.period()?,
            layout: u32::try_from(r.unsigned()?).map_err(|_| Malformed("layout"))?,
            version: r.unsigned()?,
            direction: if r.flag()? {
                Direction::Previous
            } else {
                Direction::Next
            },
            key: OrderKey::from_bytes(r.bytes()?.to_vec()),
        };
        r.end()?;
        Ok(cursor)
    }
}
