//! Computes the entries that a leaderboard should list, from the documented rules without the product's code.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where it cannot go on"
)]

use std::cmp::Reverse;

use serde_json::Value;

/// One entry as the API lists it, with the column `score`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry {
    /// The rank, from 1.
    pub rank: u64,
    /// The player.
    pub player: String,
    /// The score.
    pub score: i64,
    /// When the player reached the score: RFC 3339 with milliseconds.
    pub reached_at: String,
}

impl ListedEntry {
    /// Reads the entries of a document.
    ///
    /// # Panics
    /// When the value is not a list of entries.
    #[must_use]
    pub fn parse_all(entries: &Value) -> Vec<Self> {
        let entries = entries
            .as_array()
            .unwrap_or_else(|| panic!("no entries: {entries}"));
        entries.iter().map(Self::parse).collect()
    }

    /// Reads one entry of a document.
    ///
    /// # Panics
    /// When the value is not an entry.
    #[must_use]
    pub fn parse(entry: &Value) -> Self {
        Self {
            rank: entry["rank"].as_u64().expect("a rank"),
            player: entry["player"].as_str().expect("a player").to_owned(),
            score: parse_integer(&entry["values"]["score"]),
            reached_at: entry["reached_at"].as_str().expect("a time").to_owned(),
        }
    }
}

/// Reads a 64-bit integer of a document. An integer that some JSON parsers would round must be a string, and
/// every other integer a number.
fn parse_integer(value: &Value) -> i64 {
    const SAFE: u64 = (1 << 53) - 1;
    let number = match value {
        Value::String(text) => text
            .parse::<i64>()
            .ok()
            .filter(|number| number.unsigned_abs() > SAFE),
        other => other.as_i64().filter(|number| number.unsigned_abs() <= SAFE),
    };
    number.unwrap_or_else(|| panic!("{value} is not how an integer is written"))
}

/// Which scores are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreOrder {
    /// Larger scores are better.
    Desc,
    /// Smaller scores are better.
    Asc,
}

/// How equal scores rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedTies {
    /// The player who reached the score first ranks higher.
    Earliest,
    /// The player who reached the score last ranks higher.
    Latest,
    /// Players with equal scores share a rank, and the ranks after it are skipped.
    Shared,
    /// Players with equal scores share a rank, and no rank is skipped.
    Dense,
}

/// A player's score before it is ranked.
#[derive(Clone, Debug)]
pub struct ScoredPlayer {
    /// The player.
    pub player: String,
    /// The score.
    pub score: i64,
    /// When the player reached the score: RFC 3339 with milliseconds. Such texts sort as the instants do.
    pub reached_at: String,
}

/// Returns the entries of all players with their ranks, best first. Equal scores are sorted by time (the
/// latest first for `latest`), then by the bytes of the player's name.
#[must_use]
pub fn ranked_entries(
    mut players: Vec<ScoredPlayer>,
    order: ScoreOrder,
    ties: ExpectedTies,
) -> Vec<ListedEntry> {
    players.sort_by(|a, b| {
        let by_score = match order {
            ScoreOrder::Desc => b.score.cmp(&a.score),
            ScoreOrder::Asc => a.score.cmp(&b.score),
        };
        let by_time = match ties {
            ExpectedTies::Latest => Reverse(&a.reached_at).cmp(&Reverse(&b.reached_at)),
            _ => a.reached_at.cmp(&b.reached_at),
        };
        by_score
            .then(by_time)
            .then(a.player.as_bytes().cmp(b.player.as_bytes()))
    });
    let mut entries: Vec<ListedEntry> = Vec::with_capacity(players.len());
    for (position, scored) in (1..).zip(players) {
        let rank = match (ties, entries.last()) {
            (ExpectedTies::Shared | ExpectedTies::Dense, Some(above)) if above.score == scored.score => {
                above.rank
            }
            (ExpectedTies::Dense, Some(above)) => above.rank + 1,
            _ => position,
        };
        entries.push(ListedEntry {
            rank,
            player: scored.player,
            score: scored.score,
            reached_at: scored.reached_at,
        });
    }
    entries
}
