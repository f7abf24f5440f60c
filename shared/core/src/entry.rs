//! What a leaderboard holds of a player.

use crate::{Invalid, PlayerId, Timestamp, Values};

/// The most bytes of metadata a submission may carry (compact JSON).
pub const MAX_METADATA_BYTES: usize = 1024;

/// A JSON value as compact text. The domain carries it and never looks inside; who creates it has parsed
/// it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata(Box<str>);

impl Metadata {
    /// Takes compact JSON text of at most [`MAX_METADATA_BYTES`].
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

    /// The JSON text.
    #[must_use]
    pub fn as_json_text(&self) -> &str {
        &self.0
    }
}

/// A player's place in one period of one leaderboard, without the rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub player: PlayerId,
    /// One value per column.
    pub values: Values,
    /// When these values were reached; breaks ties.
    pub reached_at: Timestamp,
    /// The metadata of the submission that won.
    pub metadata: Option<Metadata>,
    /// How many submissions of this player the period has accepted.
    pub attempts: u32,
}

/// An entry and its rank at the version the answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedEntry {
    /// From 1; how ties count is the leaderboard's policy.
    pub rank: u64,
    /// The entry.
    pub entry: Entry,
}
