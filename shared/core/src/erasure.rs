//! Erasing a player: no data of a tenant names the player afterwards, and what others did stays as it was.

use crate::codec::{Malformed, decode_logged_event, encode_event};
use crate::submission::PLAYER_SEPARATOR;
use crate::{Event, EventBody, Invalid, PlayerId, SubmissionId, Timestamp};

/// The beginning of a pseudonym. A random number of 128 bits in hexadecimal follows.
const PSEUDONYM_BEGIN: &str = "erased-";

/// A player who is erased, and the pseudonym that stands for the player where history needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerErasure {
    /// The player.
    pub player: PlayerId,
    /// The pseudonym. It is random, so that nobody can compute it from the player.
    pub pseudonym: PlayerId,
}

/// An event with a pseudonym, and what its submission had under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PseudonymousEvent {
    /// The bytes of the event.
    pub bytes: Vec<u8>,
    /// The id of the submission; `None` if it had none.
    pub id: Option<SubmissionId>,
    /// When the event was recorded. The idempotency record of its submission has the same instant.
    pub recorded_at: Timestamp,
}

/// Why an event was not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreplacedEvent {
    /// A newer version of the code wrote the event, so its player is unknown.
    Unknown,
    /// The bytes are not an event.
    Malformed(Malformed),
}

impl PlayerErasure {
    /// Creates the erasure of a player, with a pseudonym of random bytes.
    ///
    /// # Errors
    /// [`Invalid`] if the pseudonym is no valid player id, which does not happen.
    pub fn new(player: PlayerId, random: &[u8; 32]) -> Result<Self, Invalid> {
        let number = random.first_chunk().copied().map_or(0, u128::from_be_bytes);
        let pseudonym = PlayerId::new(format!("{PSEUDONYM_BEGIN}{number:032x}"))?;
        Ok(Self { player, pseudonym })
    }

    /// Returns whether a player may be the pseudonym of an erased player. The metadata of such a player's events are erased.
    #[must_use]
    pub fn may_be_pseudonym(player: &PlayerId) -> bool {
        player.as_str().starts_with(PSEUDONYM_BEGIN)
    }

    /// Returns the names that the idempotency record of the player's submission can have. The first name has the player
    /// in it. The second is the id alone, and the record under it can belong to another player.
    #[must_use]
    pub fn record_names(&self, id: &SubmissionId) -> [String; 2] {
        [
            format!("{}{PLAYER_SEPARATOR}{id}", self.player),
            id.as_str().to_owned(),
        ]
    }

    /// Returns the bytes of a player's event with the pseudonym in place of the player, without the id and the metadata of a
    /// submission; `None` if the event concerns another player or none. Values, instants and period stay, so that a replay of the log
    /// ranks everyone else as before.
    ///
    /// # Errors
    /// [`UnreplacedEvent`].
    pub fn replace_event(&self, bytes: &[u8]) -> Result<Option<PseudonymousEvent>, UnreplacedEvent> {
        // The position is not part of the bytes.
        let logged = decode_logged_event(0, bytes).map_err(UnreplacedEvent::Malformed)?;
        let mut event = logged.event.map_err(|_| UnreplacedEvent::Unknown)?;
        let mut submission_id = None;
        match &mut event.body {
            EventBody::Submitted {
                player, metadata, id, ..
            } if *player == self.player => {
                player.clone_from(&self.pseudonym);
                *metadata = None;
                submission_id = id.take();
            }
            EventBody::Removed { player, .. }
            | EventBody::Banned { player }
            | EventBody::Unbanned { player }
                if *player == self.player =>
            {
                player.clone_from(&self.pseudonym);
            }
            _ => return Ok(None),
        }
        let Event { recorded_at, .. } = event;
        Ok(Some(PseudonymousEvent {
            bytes: encode_event(&event),
            id: submission_id,
            recorded_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::decode_event;
    use crate::{Metadata, Operator, PeriodId, Values};

    fn erasure() -> PlayerErasure {
        PlayerErasure::new(PlayerId::new("ann").unwrap(), &[0xab; 32]).unwrap()
    }

    fn submitted(player: &str) -> Event {
        Event {
            recorded_at: Timestamp::saturating_from_unix_ms(5),
            body: EventBody::Submitted {
                player: PlayerId::new(player).unwrap(),
                period: PeriodId::all_time(),
                operator: Operator::Best,
                values: Values::new(vec![7]),
                metadata: Metadata::from_json_text("{\"name\":\"Ann\"}").ok(),
                occurred_at: Timestamp::saturating_from_unix_ms(4),
                id: SubmissionId::new("ann-1").ok(),
                banned: true,
                kept: false,
            },
        }
    }

    #[test]
    fn an_event_keeps_what_ranks_depend_on_and_loses_what_names_the_player() {
        let erasure = erasure();
        assert_eq!(
            erasure.pseudonym.as_str(),
            "erased-abababababababababababababababab"
        );
        let replaced = erasure
            .replace_event(&encode_event(&submitted("ann")))
            .unwrap()
            .unwrap();
        assert_eq!(replaced.id, SubmissionId::new("ann-1").ok());
        assert_eq!(replaced.recorded_at.as_unix_ms(), 5);
        let mut expected = submitted(erasure.pseudonym.as_str());
        if let EventBody::Submitted { metadata, id, .. } = &mut expected.body {
            (*metadata, *id) = (None, None);
        }
        assert_eq!(decode_event(&replaced.bytes), Ok(expected));
    }

    #[test]
    fn an_event_of_another_player_and_of_a_newer_format_are_told_apart() {
        let other = encode_event(&submitted("joann"));
        assert_eq!(erasure().replace_event(&other), Ok(None));
        let newer = [u8::MAX, 10, 3, b'a', b'n', b'n'];
        assert_eq!(erasure().replace_event(&newer), Err(UnreplacedEvent::Unknown));
        assert!(matches!(
            erasure().replace_event(&[]),
            Err(UnreplacedEvent::Malformed(_))
        ));
    }
}
