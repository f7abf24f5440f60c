//! The marker of a tenant on a shard, as `moves.rs` describes it.

use leaderboard_core::StoreError;
use leaderboard_core::ports::ShardNumber;

use crate::reply_reader::corrupt;

/// The cursor of a source whose target is prepared.
const PREPARED: &str = "prepared";

/// What a marker says of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No move concerns this shard.
    Settled,
    Closing,
    Moving,
    Arriving,
    Cleaning,
}

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The marker as it is stored; empty for none.
    pub(crate) text: String,
    /// The shard where the tenant lives; `None` if the shard does not know.
    pub(crate) place: Option<ShardNumber>,
    pub(crate) state: State,
    target: Option<ShardNumber>,
    /// The id of the move; empty for none.
    pub(crate) id: String,
    /// How far the current step is; empty for none.
    pub(crate) cursor: String,
}

impl Marker {
    /// Parses a stored marker.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let text = std::str::from_utf8(bytes).map_err(corrupt)?;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let number = |word: &str| word.parse::<ShardNumber>().map_err(corrupt);
        let (state, target, id, cursor) = match *words.as_slice() {
            [] | [_] => (State::Settled, None, "", ""),
            [_, "closing", target, id, cursor] => (State::Closing, Some(number(target)?), id, cursor),
            [_, "moving", target, id, cursor] => (State::Moving, Some(number(target)?), id, cursor),
            [_, "arriving", id] => (State::Arriving, None, id, ""),
            [_, "cleaning", id, cursor] => (State::Cleaning, None, id, cursor),
            _ => return Err(corrupt("marker of a tenant")),
        };
        Ok(Self {
            text: text.to_owned(),
            place: words.first().map(|word| number(word)).transpose()?,
            state,
            target,
            id: id.to_owned(),
            cursor: cursor.to_owned(),
        })
    }

    fn new(
        place: ShardNumber,
        state: (State, &str),
        target: Option<ShardNumber>,
        id: &str,
        cursor: &str,
    ) -> Self {
        let (state, name) = state;
        let target_text = target.map(|target| target.to_string()).unwrap_or_default();
        let words = [&place.to_string(), name, &target_text, id, cursor];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Self {
            text: words.join(" "),
            place: Some(place),
            state,
            target,
            id: id.to_owned(),
            cursor: cursor.to_owned(),
        }
    }

    pub(crate) fn at(place: ShardNumber) -> Self {
        Self::new(place, (State::Settled, ""), None, "", "")
    }

    pub(crate) fn closing(source: ShardNumber, target: ShardNumber, id: &str, cursor: &str) -> Self {
        Self::new(source, (State::Closing, "closing"), Some(target), id, cursor)
    }

    pub(crate) fn moving(source: ShardNumber, target: ShardNumber, id: &str, cursor: &str) -> Self {
        Self::new(source, (State::Moving, "moving"), Some(target), id, cursor)
    }

    pub(crate) fn arriving(source: ShardNumber, id: &str) -> Self {
        Self::new(source, (State::Arriving, "arriving"), None, id, "")
    }

    /// Returns the marker of a shard whose data of the tenant is deleted, because the tenant lives at `place`.
    pub(crate) fn cleaning(&self, place: ShardNumber, cursor: &str) -> Self {
        Self::new(place, (State::Cleaning, "cleaning"), None, &self.id, cursor)
    }

    /// Returns the shard to which the tenant is being moved.
    pub(crate) fn target(&self) -> Option<ShardNumber> {
        self.target
    }

    /// Returns the same marker with another cursor.
    pub(crate) fn with_cursor(&self, cursor: &str) -> Self {
        let words = self.text.rsplit_once(' ').map_or("", |(words, _)| words);
        Self {
            text: format!("{words} {cursor}"),
            cursor: cursor.to_owned(),
            ..self.clone()
        }
    }

    /// Returns whether the target of the move has no old data of the tenant.
    pub(crate) fn is_prepared(&self) -> bool {
        self.cursor == PREPARED
    }

    /// Returns the marker of a source whose target has no old data of the tenant.
    pub(crate) fn prepared(&self) -> Self {
        self.with_cursor(PREPARED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_parsed_as_it_was_made() {
        let closing = Marker::closing(1, 2, "77", "0");
        for (marker, text) in [
            (Marker::at(3), "3"),
            (closing.clone(), "1 closing 2 77 0"),
            (closing.with_cursor("40"), "1 closing 2 77 40"),
            (closing.prepared(), "1 closing 2 77 prepared"),
            (Marker::moving(1, 2, "77", "5"), "1 moving 2 77 5"),
            (Marker::arriving(1, "77"), "1 arriving 77"),
            (closing.cleaning(2, "0"), "2 cleaning 77 0"),
        ] {
            assert_eq!(marker.text, text);
            assert_eq!(Marker::parse(text.as_bytes()), Ok(marker));
        }
        let none = Marker::parse(b"").unwrap();
        assert_eq!(
            (none.place, none.state, none.text.as_str()),
            (None, State::Settled, "")
        );
        for damaged in ["x", "1 moving 2", "1 moving x 7 0", "300"] {
            assert!(Marker::parse(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
