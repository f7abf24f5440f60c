//! Where a comparison continues.

use crate::PlayerId;
use crate::codec::{Malformed, Reader, Writer};

/// Where a comparison continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComparisonCursor {
    /// After this player, in byte order, of those who have an entry by the replay.
    After(PlayerId),
    /// All these are compared. The scan for entries of other players continues here ([`crate::ports::ScannedPlayers::next`]).
    Others(Vec<u8>),
}

impl ComparisonCursor {
    /// Encodes the cursor.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        match self {
            Self::After(player) => {
                w.byte(0);
                w.text(player.as_str());
            }
            Self::Others(from) => {
                w.byte(1);
                w.bytes(from);
            }
        }
        w.finish()
    }

    /// Decodes what [`ComparisonCursor::encode`] returns.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let cursor = match r.byte()? {
            0 => Self::After(r.player()?),
            1 => Self::Others(r.bytes()?.to_vec()),
            _ => return Err(Malformed("place of a comparison")),
        };
        r.end()?;
        Ok(cursor)
    }
}
