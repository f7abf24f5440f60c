//! How entries should stand: computed from the rules as they are written down, without a line of the product.

use std::cmp::Reverse;

use serde_json::Value;

/// One entry as the API shows it, in an order that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) rank: u64,
    pub(crate) player: String,
    pub(crate) score: i64,
    /// RFC 3339 with milliseconds.
    pub(crate) reached_at: String,
}

impl Standing {
    /// The entries of a document, with the column `score`.
    pub(crate) fn all_of(entries: &Value) -> Vec<Self> {
        let entries = entries
            .as_array()
            .unwrap_or_else(|| panic!("no entries: {entries}"));
        entries.iter().map(Self::of).collect()
    }

    /// One entry of a document.
    pub(crate) fn of(entry: &Value) -> Self {
        Self {
            rank: entry["rank"].as_u64().unwrap(),
            player: entry["player"].as_str().unwrap().to_owned(),
            score: integer(&entry["values"]["score"]),
            reached_at: entry["reached_at"].as_str().unwrap().to_owned(),
        }
    }
}

/// A 64-bit integer as it stands in a document: a number when every reader keeps it exact, otherwise a string.
pub(crate) fn integer(value: &Value) -> i64 {
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

/// Which end is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Desc,
    Asc,
}

/// How equal scores rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ties {
    Earliest,
    Latest,
    Shared,
    Dense,
}

/// What a player has, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub(crate) player: String,
    pub(crate) score: i64,
    /// RFC 3339 with milliseconds: such texts sort as the instants do.
    pub(crate) reached_at: String,
}

/// The whole list. Within a tie: by time (the latest first for `latest`), then by the bytes of the name.
pub(crate) fn entries_by_player(mut scored: Vec<Scored>, order: Order, ties: Ties) -> Vec<Standing> {
    scored.sort_by(|a, b| {
        let by_score = match order {
            Order::Desc => b.score.cmp(&a.score),
            Order::Asc => a.score.cmp(&b.score),
        };
        let by_time = match ties {
            Ties::Latest => Reverse(&a.reached_at).cmp(&Reverse(&b.reached_at)),
            _ => a.reached_at.cmp(&b.reached_at),
        };
        by_score
            .then(by_time)
            .then(a.player.as_bytes().cmp(b.player.as_bytes()))
    });
    let mut list: Vec<Standing> = Vec::with_capacity(scored.len());
    for (
        index,
        Scored {
            player,
            score,
            reached_at,
        },
    ) in scored.into_iter().enumerate()
    {
        let place = index as u64 + 1;
        let rank = match (ties, list.last()) {
            (Ties::Shared | Ties::Dense, Some(above)) if above.score == score => above.rank,
            (Ties::Dense, Some(above)) => above.rank + 1,
            _ => place,
        };
        list.push(Standing {
            rank,
            player,
            score,
            reached_at,
        });
    }
    list
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..below`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }
}
