//! Outcomes as bytes, for idempotency records.

use super::leaderboard::{read_columns, write_columns};
use super::wire::{Malformed, Reader, Writer};
use crate::{LeaderboardId, Outcome, PlayerId, Previous, Status};

/// The first format, without columns.
const OUTCOME_V1: u8 = 1;
/// The first format, followed by the columns.
const OUTCOME_V2: u8 = 2;

/// Encodes an outcome without its leaderboard and player, because the repeated request contains them.
#[must_use]
pub fn encode_outcome(outcome: &Outcome) -> Vec<u8> {
    let mut w = Writer::default();
    w.byte(if outcome.columns.is_some() {
        OUTCOME_V2
    } else {
        OUTCOME_V1
    });
    w.byte(outcome.status.code());
    w.unsigned(outcome.version);
    w.text(outcome.period.as_str());
    w.values(&outcome.values);
    w.option(outcome.rank, Writer::unsigned);
    w.option(outcome.previous.as_ref(), |w, previous| {
        w.values(&previous.values);
        w.option(previous.rank, Writer::unsigned);
    });
    if let Some(columns) = &outcome.columns {
        write_columns(&mut w, columns);
    }
    w.finish()
}

/// Decodes an outcome from the bytes that [`encode_outcome`] returns, and marks the outcome as a replay.
///
/// # Errors
/// [`Malformed`] if the bytes are not an outcome.
pub fn decode_outcome(
    bytes: &[u8],
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Outcome, Malformed> {
    let mut r = Reader::new(bytes);
    let has_columns = match r.byte()? {
        OUTCOME_V1 => false,
        OUTCOME_V2 => true,
        _ => return Err(Malformed("outcome code")),
    };
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
    let columns = has_columns.then(|| read_columns(&mut r)).transpose()?;
    r.end()?;
    Ok(Outcome {
        leaderboard,
        period,
        player,
        status,
        columns,
        values,
        rank,
        previous,
        version,
        replayed: true,
    })
}

impl Status {
    /// Returns the number of the status in storage: 0 created, 1 improved, 2 changed, 3 kept.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Improved => 1,
            Self::Changed => 2,
            Self::Kept => 3,
        }
    }

    /// Returns the status with this number ([`Status::code`]).
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
