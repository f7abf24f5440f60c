//! The document that says how far an erasure is.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::{LeaderboardId, PlayerId, Timestamp};

/// The code of the first format of [`ErasureState`], which had no place in the queue.
const STATE_V1: u8 = 1;
/// The code of the format of [`ErasureState`]. A changed format gets a new code.
const STATE_V2: u8 = 2;

/// How far an erasure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErasureState {
    pub(super) pseudonym: PlayerId,
    /// When the erasure began, by the clock of the store; `None` in the first version of the document, whose version has it.
    pub(super) began_at: Option<Timestamp>,
    /// The item of the queue up to which no item concerns the erasure.
    pub(super) queue_done_to: Option<Box<str>>,
    /// The last leaderboard that is done.
    pub(super) done_to: Option<LeaderboardId>,
    /// The leaderboard whose events are being replaced, and the position of the last one.
    pub(super) replacing: Option<(LeaderboardId, u64)>,
}

impl ErasureState {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(STATE_V2);
        w.text(self.pseudonym.as_str());
        w.option(self.began_at, Writer::timestamp);
        w.option(self.queue_done_to.as_deref(), Writer::text);
        w.option(self.done_to.as_ref(), |w, id| w.text(id.as_str()));
        w.option(self.replacing.as_ref(), |w, (id, up_to)| {
            w.text(id.as_str());
            w.unsigned(*up_to);
        });
        w.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let has_queue = match r.byte()? {
            STATE_V1 => false,
            STATE_V2 => true,
            _ => return Err(Malformed("erasure")),
        };
        let read_board =
            |r: &mut Reader<'_>| LeaderboardId::new(r.text()?).map_err(|_| Malformed("leaderboard"));
        let state = Self {
            pseudonym: r.player()?,
            began_at: r.option(Reader::timestamp)?,
            queue_done_to: if has_queue {
                r.option(Reader::text)?.map(Box::from)
            } else {
                None
            },
            done_to: r.option(read_board)?,
            replacing: r.option(|r| Ok((read_board(r)?, r.unsigned()?)))?,
        };
        r.end()?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_encoding() {
        let board = LeaderboardId::new("goals").unwrap();
        let state = ErasureState {
            pseudonym: PlayerId::new("erased-1").unwrap(),
            began_at: Timestamp::from_unix_ms(7),
            queue_done_to: Some("1-0".into()),
            done_to: Some(board.clone()),
            replacing: Some((board, 9)),
        };
        let bytes = state.encode();
        assert_eq!(ErasureState::decode(&bytes), Ok(state));
        for end in 0..bytes.len() {
            assert!(ErasureState::decode(&bytes[..end]).is_err(), "{end}");
        }
    }
}
