//! The marker of a tenant on a shard, as `moves.rs` describes it.

use leaderboard_core::StoreError;
use leaderboard_core::ports::ShardNumber;

use crate::reply_reader::corrupt;

/// The cursor with which a scan begins, and which ends it.
pub(crate) const SCAN_START: &str = "0";
/// In place of a cursor: nothing is deleted yet.
pub(crate) const UNTOUCHED: &str = "untouched";
/// The most words of a marker.
const MAX_WORDS: usize = 8;
/// The position of a key that is not copied yet.
const BEGINNING: &str = ".";

/// A marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The marker as it is stored; empty for none.
    pub(crate) text: String,
    /// The shard where the tenant lives; `None` if the shard does not know.
    pub(crate) place: Option<ShardNumber>,
    pub(crate) state: State,
}

/// What a marker says of a move. The id is that of the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// No move concerns this shard.
    Settled,
    Closing(Leaving),
    Moving(Leaving),
    Arriving {
        id: String,
    },
    Cleaning {
        id: String,
        scan: Scan,
    },
    /// The tenant has moved here, and other shards can still have markers and data.
    Taken {
        id: String,
        /// The server's clock then, in microseconds.
        at: u64,
    },
}

/// A move to another shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) target: ShardNumber,
    pub(crate) id: String,
    pub(crate) scan: Scan,
}

/// How far a step of a move has looked at the keys of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// A cursor of `SCAN`, or [`UNTOUCHED`].
    pub(crate) cursor: String,
    /// The processes of both servers, with a `-` between them. If one of them is another, the step begins again: cursors mean something else, and the target may
    /// have lost what was copied last. Empty in the marker of an earlier version.
    pub(crate) processes: String,
    /// The key of which a part is copied, if there is one, and how far (`read_parts.lua`).
    pub(crate) partial: Option<PartialKey>,
}

/// A key of which a part is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartialKey {
    pub(crate) key: String,
    /// Empty for a key that is not copied yet.
    pub(crate) position: String,
}

impl Scan {
    /// Returns a scan that begins.
    pub(crate) fn new(processes: &str) -> Self {
        Self {
            cursor: SCAN_START.to_owned(),
            processes: processes.to_owned(),
            partial: None,
        }
    }

    /// Returns the same scan with another cursor, and without a partial key.
    pub(crate) fn at(&self, cursor: &str) -> Self {
        Self {
            cursor: cursor.to_owned(),
            ..Self::new(&self.processes)
        }
    }

    /// Returns the same scan with another partial key.
    pub(crate) fn with_partial(&self, partial: Option<PartialKey>) -> Self {
        Self {
            partial,
            ..self.clone()
        }
    }

    /// Returns whether the scan began with this process of one of the servers.
    pub(crate) fn knows_process(&self, process: &str) -> bool {
        self.processes.split('-').any(|known| known == process)
    }

    /// Returns whether nothing is deleted yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.cursor == UNTOUCHED
    }

    fn parse(words: &[&str]) -> Option<Self> {
        let (cursor, processes, partial) = match *words {
            [cursor] => (cursor, "", None),
            [cursor, processes] => (cursor, processes, None),
            [cursor, processes, position, key] => (cursor, processes, Some((position, key))),
            _ => return None,
        };
        Some(Self {
            partial: partial.map(|(position, key)| PartialKey {
                key: key.to_owned(),
                position: if position == BEGINNING { "" } else { position }.to_owned(),
            }),
            ..Self::new(processes).at(cursor)
        })
    }

    fn to_text(&self) -> String {
        let Self {
            cursor, processes, ..
        } = self;
        match &self.partial {
            None => format!("{cursor} {processes}"),
            Some(PartialKey { key, position }) if position.is_empty() => {
                format!("{cursor} {processes} {BEGINNING} {key}")
            }
            Some(PartialKey { key, position }) => format!("{cursor} {processes} {position} {key}"),
        }
    }
}

impl Leaving {
    /// Returns the same move with another scan.
    pub(crate) fn with_scan(&self, scan: Scan) -> Self {
        Self { scan, ..self.clone() }
    }

    fn to_text(&self) -> String {
        format!("{} {} {}", self.target, self.id, self.scan.to_text())
    }
}

impl Marker {
    /// Parses a stored marker.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = || corrupt("marker of a tenant");
        let text = std::str::from_utf8(bytes).map_err(corrupt)?;
        // A key comes last and can have spaces.
        let words: Vec<&str> = text.splitn(MAX_WORDS, ' ').filter(|_| !text.is_empty()).collect();
        let number = |word: &str| word.parse::<ShardNumber>().map_err(corrupt);
        let leaving = |target: &str, id: &str, rest: &[&str]| {
            Ok::<_, StoreError>(Leaving {
                target: number(target)?,
                id: id.to_owned(),
                scan: Scan::parse(rest).ok_or_else(damaged)?,
            })
        };
        let state = match words.as_slice() {
            [] | [_] => State::Settled,
            [_, "closing", target, id, rest @ ..] => State::Closing(leaving(target, id, rest)?),
            [_, "moving", target, id, rest @ ..] => State::Moving(leaving(target, id, rest)?),
            [_, "arriving", id] => State::Arriving { id: (*id).to_owned() },
            [_, "cleaning", id, rest @ ..] => State::Cleaning {
                id: (*id).to_owned(),
                scan: Scan::parse(rest).ok_or_else(damaged)?,
            },
            [_, "taken", id, at] => State::Taken {
                id: (*id).to_owned(),
                at: at.parse().map_err(corrupt)?,
            },
            _ => return Err(damaged()),
        };
        Ok(Self {
            text: text.to_owned(),
            place: words.first().map(|word| number(word)).transpose()?,
            state,
        })
    }

    /// Returns the marker of a tenant who lives at `place`.
    pub(crate) fn new(place: ShardNumber, state: State) -> Self {
        let text = match &state {
            State::Settled => place.to_string(),
            State::Closing(leaving) => format!("{place} closing {}", leaving.to_text()),
            State::Moving(leaving) => format!("{place} moving {}", leaving.to_text()),
            State::Arriving { id } => format!("{place} arriving {id}"),
            State::Cleaning { id, scan } => format!("{place} cleaning {id} {}", scan.to_text()),
            State::Taken { id, at } => format!("{place} taken {id} {at}"),
        };
        Self {
            text,
            place: Some(place),
            state,
        }
    }

    /// Returns the marker of a tenant who lives at `place`, when no move concerns the shard.
    pub(crate) fn at(place: ShardNumber) -> Self {
        Self::new(place, State::Settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_parsed_as_it_was_made() {
        let leaving = |scan| Leaving {
            target: 2,
            id: "77".to_owned(),
            scan,
        };
        let (begun, id) = (Scan::new("ab-cd"), || "77".to_owned());
        let partial = |position: &str| Scan {
            partial: Some(PartialKey {
                key: "a  b ".to_owned(),
                position: position.to_owned(),
            }),
            ..begun.at("5")
        };
        for (marker, text) in [
            (Marker::at(3), "3"),
            (
                Marker::new(1, State::Closing(leaving(begun.clone()))),
                "1 closing 2 77 0 ab-cd",
            ),
            (
                Marker::new(1, State::Closing(leaving(begun.at("9")))),
                "1 closing 2 77 9 ab-cd",
            ),
            (
                Marker::new(1, State::Moving(leaving(begun.at("5")))),
                "1 moving 2 77 5 ab-cd",
            ),
            (
                Marker::new(1, State::Moving(leaving(partial("0-9")))),
                "1 moving 2 77 5 ab-cd 0-9 a  b ",
            ),
            (
                Marker::new(1, State::Moving(leaving(partial("")))),
                "1 moving 2 77 5 ab-cd . a  b ",
            ),
            (Marker::new(1, State::Arriving { id: id() }), "1 arriving 77"),
            (
                Marker::new(
                    2,
                    State::Cleaning {
                        id: id(),
                        scan: begun.at(UNTOUCHED),
                    },
                ),
                "2 cleaning 77 untouched ab-cd",
            ),
        ] {
            assert_eq!(marker.text, text);
            assert_eq!(Marker::parse(text.as_bytes()), Ok(marker));
        }
    }

    #[test]
    fn a_marker_can_be_missing_damaged_or_of_an_earlier_version() {
        let none = Marker::parse(b"").unwrap();
        assert_eq!(
            (none.place, none.state, none.text.as_str()),
            (None, State::Settled, "")
        );
        let earlier = Marker::parse(b"1 closing 2 77 40").unwrap();
        let closing = State::Closing(Leaving {
            target: 2,
            id: "77".to_owned(),
            scan: Scan::new("").at("40"),
        });
        assert_eq!(earlier.state, closing);
        for damaged in [
            "x",
            "1 moving 2",
            "1 moving x 7 0 a",
            "1 moving 2 7 0 a b",
            "1 cleaning 7",
            "300",
        ] {
            assert!(Marker::parse(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
