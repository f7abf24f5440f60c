//! Entries of leaderboards.

use crate::{Invalid, PlayerId, Timestamp, Values};

/// The most bytes of metadata a submission may carry (compact JSON).
pub const MAX_METADATA_BYTES: usize = 1024;

/// A JSON value as compact text. The code that creates a `Metadata` has parsed the text as JSON; this crate does not interpret
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata(Box<str>);

impl Metadata {
    /// Creates metadata from compact JSON text of at most [`MAX_METADATA_BYTES`].
    ///
    /// # Errors
    /// [`Invalid`] with an empty pointer when the text is too long.
    pub fn from_json_text(text: impl Into<Box<str>>) -> Result<Self, Invalid> {
        let text = text.into();
        if text.len() > MAX_METADATA_BYTES {
            return Err(Invalid::new(
                "",
                format!("must be at most {MAX_METADATA_BYTES} bytes as compact JSON"),
            ));
        }
        Ok(Self(text))
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn as_json_text(&self) -> &str {
        &self.0
    }
}

/// A player's entry in one period of one leaderboard, without the rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The player.
    pub player: PlayerId,
    /// One value per column.
    pub values: Values,
    /// When the player reached these values. It breaks ties.
    pub reached_at: Timestamp,
    /// The metadata of the submission that set the values.
    pub metadata: Option<Metadata>,
    /// How many submissions of this player the period has accepted.
    pub attempts: u32,
}

/// An entry and its rank, which is correct at the version of the result that contains the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedEntry {
    /// The rank, from 1. [`crate::Ties`] decides the ranks of equal tuples.
    pub rank: u64,
    /// The entry.
    pub entry: Entry,
}
