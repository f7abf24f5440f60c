//! Cursors: positions at which a list continues.

use sha2::{Digest, Sha256};

use crate::codec::{Malformed, Reader, Writer, encode_layout};
use crate::{Layout, LeaderboardId, OrderKey, PeriodId, Timestamp};

/// The code of a cursor of the list of now. A changed format gets a new code.
const CURSOR_V1: u8 = 1;
/// The code of a cursor of the list at an instant, which has the instant at the end.
const CURSOR_AT_V1: u8 = 2;

/// The direction of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the worse entries.
    Next,
    /// Towards the better entries.
    Previous,
}

/// The position at which a list continues. The position is an order key and not a number of entries to skip. So if entries appear
/// or disappear between two pages, the list does not repeat or omit other entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The leaderboard of the list.
    pub leaderboard: LeaderboardId,
    /// The period of the list. A list that began before a reset stays in its period.
    pub period: PeriodId,
    /// The hash of the period's layout, because the key has no meaning in another order.
    pub layout: u32,
    /// The version of the list's first page.
    pub version: u64,
    /// The direction.
    pub direction: Direction,
    /// The last key of the previous page. For [`Direction::Previous`], the first key of the next page.
    pub key: OrderKey,
    /// The instant of the list; `None` for the list of now.
    pub at: Option<Timestamp>,
}

impl Cursor {
    /// Returns the hash of a layout that cursors contain.
    #[must_use]
    pub fn layout_hash(layout: &Layout) -> u32 {
        let digest: [u8; 32] = Sha256::digest(encode_layout(layout)).into();
        digest.first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
    }

    /// Encodes the cursor.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(if self.at.is_some() {
            CURSOR_AT_V1
        } else {
            CURSOR_V1
        });
        w.text(self.leaderboard.as_str());
        w.text(self.period.as_str());
        w.unsigned(u64::from(self.layout));
        w.unsigned(self.version);
        w.byte(u8::from(self.direction == Direction::Previous));
        w.bytes(self.key.as_bytes());
        if let Some(at) = self.at {
            w.timestamp(at);
        }
        w.finish()
    }

    /// Decodes a cursor from the bytes that [`Cursor::encode`] returns. Clients send these bytes and can change them, so use them
    /// only as a position, which any client may choose.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not a cursor.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let code = r.byte()?;
        if !matches!(code, CURSOR_V1 | CURSOR_AT_V1) {
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
            at: (code == CURSOR_AT_V1).then(|| r.timestamp()).transpose()?,
        };
        r.end()?;
        Ok(cursor)
    }
}
