//! The state that a stream shows.

use std::rc::Rc;

use leaderboard_core::{Period, RankedEntry};
use leaderboard_identity::hex;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// How many bytes of a digest are in the id of an event.
const DIGEST_BYTES: usize = 8;

/// An entry, and its JSON in the form of the topic.
#[derive(Debug)]
pub(crate) struct Row {
    pub ranked: RankedEntry,
    pub text: Box<RawValue>,
}

impl Row {
    /// Returns whether another row shows the same, apart from the rank.
    pub(crate) fn differs_in_rank_alone(&self, other: &Self) -> bool {
        let (own, other) = (&self.ranked.entry, &other.ranked.entry);
        own.player == other.player
            && own.values == other.values
            && own.reached_at == other.reached_at
            && own.metadata == other.metadata
    }
}

/// The top of a leaderboard. The streams of a topic share it.
#[derive(Debug)]
pub(crate) struct View {
    pub period: Period,
    pub version: u64,
    pub count: u64,
    pub rows: Vec<Row>,
    /// Whether callers without a credential may see it.
    pub is_public: bool,
    digest: String,
}

impl View {
    pub(crate) fn new(period: Period, (version, count): (u64, u64), rows: Vec<Row>, is_public: bool) -> Self {
        let mut digest = Sha256::new_with_prefix(period.id.as_str());
        digest.update(count.to_be_bytes());
        for row in &rows {
            digest.update(row.text.get());
            digest.update(b"\n");
        }
        let digest = short_digest(digest);
        Self {
            period,
            version,
            count,
            rows,
            is_public,
            digest,
        }
    }

    /// Returns whether both show the same. The version does not count: not every event changes what is shown.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Returns how many bytes the entries take.
    pub(crate) fn text_bytes(&self) -> usize {
        self.rows.iter().map(|row| row.text.get().len()).sum()
    }

    /// Returns what distinguishes views.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

/// The entry of a stream's own player at a version; `row` is `None` if the player has no entry.
#[derive(Debug)]
pub(crate) struct OwnEntry {
    pub version: u64,
    pub row: Option<Row>,
    digest: String,
}

impl OwnEntry {
    pub(crate) fn new(version: u64, row: Option<Row>) -> Self {
        let text = row.as_ref().map_or("", |row| row.text.get());
        Self {
            digest: short_digest(Sha256::new_with_prefix(text)),
            version,
            row,
        }
    }

    /// Returns whether both show the same.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// The state that a stream has shown: the top, and the entry of its own player if it has one.
#[derive(Debug, Clone)]
pub struct Shown {
    pub(crate) view: Rc<View>,
    pub(crate) own: Option<Rc<OwnEntry>>,
}

impl Shown {
    /// Returns the id of an event that leads to this state. States that show the same have the same id, in every instance and region.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.own {
            Some(own) => format!("{}-{}", self.view.digest, own.digest),
            None => self.view.digest.clone(),
        }
    }

    /// Returns whether callers without a credential may see the state.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.view.is_public
    }

    /// Returns whether both states show the same.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        self.view.shows_the_same(&other.view) && self.own_shows_the_same(other)
    }

    pub(crate) fn own_shows_the_same(&self, other: &Self) -> bool {
        match (&self.own, &other.own) {
            (Some(own), Some(other)) => own.shows_the_same(other),
            (None, None) => true,
            _ => false,
        }
    }
}

fn short_digest(digest: Sha256) -> String {
    hex::encode(digest.finalize().get(..DIGEST_BYTES).unwrap_or_default())
}
