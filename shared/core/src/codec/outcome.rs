//! Outcomes as bytes: what a repeated `id` gets back.

use super::wire::{Malformed, Reader, Writer};
use crate::{LeaderboardId, Outcome, PlayerId, Previous, Status};

const OUTCOME_V1: u8 = 1;

/// The parts of an outcome that the request does not already tell.
#[must_use]
pub fn encode_outcome(outcome: &Outcome) -> Vec<u8> {
    let mut w = Writer::default();
    w.byte(OUTCOME_V1);
    w.byte(outcome.status.code());
    w.unsigned(outcome.version);
    w.text(outcome.period.as_str());
    w.values(&outcome.values);
    w.option(outcome.rank, Writer::unsigned);
    w.option(outcome.previous.as_ref(), |w, previous| {
        w.values(&previous.values);
        w.option(previous.rank, Writer::unsigned);
    });
    w.finish()
}

/// The inverse of [`encode_outcome`], marked as a replay.
///
/// # Errors
/// [`Malformed`] when the bytes are not an outcome.
pub fn decode_outcome(
    bytes: &[u8],
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Outcome, Malformed> {
    let mut r = Reader::new(bytes);
    if r.byte()? != OUTCOME_V1 {
        return Err(Malformed("outcome code"));
    }
    let status = Status::from_code(r.byte()?).ok_or(Malformed("status"))?;
    let version = r.unsigned()?;
    let period = r.period()?;
    let values = r.values()?;
    let rank = r.option(Reader::unsigned)?;
    let previous = r.option(|r| {
        Ok(Previous {
            values: r.values()?,
            rank: r.option(Reader::unsigned)?,
        })
    })?;
    r.end()?;
    Ok(Outcome {
        leaderboard,
        period,
        player,
        status,
        values,
        rank,
        previous,
        version,
        replayed: true,
    })
}

impl Status {
    /// A stable number for storage: 0 created, 1 improved, 2 changed, 3 kept.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Improved => 1,
            Self::Changed => 2,
            Self::Kept => 3,
        }
    }

    /// The inverse of [`Status::code`].
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Created,
            1 => Self::Improved,
            2 => Self::Changed,
            3 => Self::Kept,
            _ => return None,
        })
    }
}
