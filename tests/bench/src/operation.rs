//! The kinds of requests that are measured.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::data::Data;

/// The number of submissions of one batch.
pub(crate) const BATCH: u64 = 100;
/// How long a cached response is fresh in the row `cached top ten`, in milliseconds. It is longer than the
/// measurement takes.
const LONG_LIFETIME_MS: u32 = 600_000;
/// The default lifetime of a cached response, in milliseconds.
const DEFAULT_LIFETIME_MS: u32 = 5_000;
/// The most bodies of a run. oha keeps them in memory, and takes a random one for each request.
const MAX_BODIES: u64 = 2_000_000;
/// Scores of writes are below this number.
const MAX_SCORE: u64 = 1_000;

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// A component that answers with a fixed text.
    Hello,
    /// A component that runs one short script in Redis.
    EvalSha,
    /// The top ten of a leaderboard whose responses are fresh.
    Cached,
    /// The top ten of a leaderboard without a cache.
    Uncached,
    /// The window around a random player.
    Around,
    /// The rank of a random player.
    Rank,
    /// One submission with an id.
    Write,
    /// A batch of submissions with ids.
    Batch,
    /// A component that verifies ten tokens (EdDSA).
    TokensEdDsa,
    /// A component that verifies ten tokens (ES256).
    TokensEs256,
}

impl Operation {
    /// All operations, in the order of the tables.
    pub(crate) const ALL: [Self; 10] = [
        Self::Hello,
        Self::EvalSha,
        Self::Cached,
        Self::Uncached,
        Self::Around,
        Self::Rank,
        Self::Write,
        Self::Batch,
        Self::TokensEdDsa,
        Self::TokensEs256,
    ];

    /// Returns the name of the operation in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::EvalSha => "one EVALSHA",
            Self::Cached => "cached top ten",
            Self::Uncached => "uncached top ten",
            Self::Around => "around a player",
            Self::Rank => "one rank",
            Self::Write => "one write",
            Self::Batch => "batch of 100 writes",
            Self::TokensEdDsa => "10 tokens, EdDSA",
            Self::TokensEs256 => "10 tokens, ES256",
        }
    }

    /// Returns whether the name contains one of the words. Without words, every operation is chosen.
    pub(crate) fn is_chosen(self, words: &[String]) -> bool {
        words.is_empty() || words.iter().any(|word| self.name().contains(word.as_str()))
    }

    /// Returns whether the operation submits scores.
    pub(crate) fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Batch)
    }

    /// Returns how long the leaderboard's responses are fresh, in milliseconds; `None` if the request reads
    /// no leaderboard.
    pub(crate) fn lifetime_ms(self) -> Option<u32> {
        match self {
            Self::Cached => Some(LONG_LIFETIME_MS),
            Self::Uncached | Self::Around | Self::Rank => Some(0),
            Self::Write | Self::Batch => Some(DEFAULT_LIFETIME_MS),
            Self::Hello | Self::EvalSha | Self::TokensEdDsa | Self::TokensEs256 => None,
        }
    }

    /// Returns the path and query of the requests as a regular expression.
    pub(crate) fn path_pattern(self, data: Data) -> String {
        let leaderboard = format!("/api/v1/leaderboards/{}", data.leaderboard_pattern());
        let player = data.player_pattern();
        let mut path = match self {
            Self::Hello => "/bench/hello".into(),
            Self::EvalSha => "/bench/evalsha".into(),
            Self::Cached | Self::Uncached => format!(r"{leaderboard}/entries\?limit=10"),
            Self::Around => format!("{leaderboard}/entries/{player}/around"),
            Self::Rank => format!("{leaderboard}/entries/{player}"),
            Self::Write | Self::Batch => format!("{leaderboard}/scores"),
            Self::TokensEdDsa => r"/bench/tokens\?algorithm=EdDSA&count=10".into(),
            Self::TokensEs256 => r"/bench/tokens\?algorithm=ES256&count=10".into(),
        };
        // A write needs no tenant in its query, because its key belongs to a tenant.
        if let Some(tenant) = data.tenant_pattern()
            && self.lifetime_ms().is_some()
            && !self.is_write()
        {
            path.push_str(if path.contains('?') { "&" } else { r"\?" });
            path.push_str(&format!("tenant={tenant}"));
        }
        path
    }

    /// Returns how many different bodies are written for each second of a run, so that oha sends few ids
    /// twice.
    fn bodies_per_second(self) -> f64 {
        match self {
            Self::Batch => 2_000.0,
            _ => 100_000.0,
        }
    }

    /// Writes the bodies for a run of `seconds` into a file, one on each line, but at most [`MAX_BODIES`]. The
    /// ids of the submissions begin with `run`.
    pub(crate) fn write_bodies(self, data: Data, run: &str, seconds: f64, file: &Path) -> Result<()> {
        let mut lines = BufWriter::new(std::fs::File::create(file)?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let count = (self.bodies_per_second() * seconds).ceil() as u64;
        for number in 0..count.min(MAX_BODIES) {
            if self == Self::Batch {
                let each: Vec<String> = (number * BATCH..(number + 1) * BATCH)
                    .map(|number| submission(data, run, number))
                    .collect();
                writeln!(lines, r#"{{"scores":[{}]}}"#, each.join(","))?;
            } else {
                writeln!(lines, "{}", submission(data, run, number))?;
            }
        }
        Ok(lines.flush()?)
    }
}

/// Returns the JSON of one submission.
fn submission(data: Data, run: &str, number: u64) -> String {
    let (player, score) = (data.player(number), number % MAX_SCORE);
    format!(r#"{{"player":"{player}","score":{score},"id":"{run}-{number}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_of_many_tenants_names_its_tenant_in_the_query() {
        let data = Data {
            digits: 2,
            leaderboards: 1,
            tenants: 1000,
        };
        assert_eq!(
            Operation::Rank.path_pattern(data),
            r"/api/v1/leaderboards/board-000/entries/player-[0-9]{2}\?tenant=tenant-[0-9]{3}"
        );
        assert!(
            Operation::Cached
                .path_pattern(data)
                .ends_with("limit=10&tenant=tenant-[0-9]{3}")
        );
        assert!(Operation::Write.path_pattern(data).ends_with("/scores"));
    }

    #[test]
    fn each_line_is_a_body_with_unique_ids() {
        let file = tempfile::NamedTempFile::new().unwrap();
        Operation::Batch
            .write_bodies(Data::single(2), "r1", 0.001, file.path())
            .unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let bodies: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(bodies.len(), 2);
        assert_eq!(bodies[1]["scores"][0]["id"], "r1-100");
    }
}
