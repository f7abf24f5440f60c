//! The default id of a row: what it says, and how many rows before it said the same.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::import::hex;
use crate::number::NamedIntegers;

/// Bytes of the digest that are kept: 128 bits, enough that no two different rows ever share an id.
const ID_BYTES: usize = 16;

/// What a row is mapped to, without its id.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    /// The player.
    pub(crate) player: &'a str,
    /// The values by column.
    pub(crate) values: &'a NamedIntegers,
    /// The instant.
    pub(crate) occurred_at: Option<&'a str>,
    /// The metadata's JSON.
    pub(crate) metadata: Option<&'a str>,
}

/// Gives ids. Neither the file's name nor what else stands in it matters, so an id stays the same when
/// rows are added; a player who scored twice on one day has two rows that say the same and two ids.
#[derive(Debug, Default)]
pub(crate) struct Identities(HashMap<[u8; ID_BYTES], u32>);

impl Identities {
    /// The id of the next row.
    pub(crate) fn next(&mut self, content: &Content<'_>) -> String {
        let digest = digest(content);
        let seen = self.0.entry(digest).or_default();
        *seen = seen.saturating_add(1);
        match *seen {
            1 => hex(&digest),
            nth => format!("{}-{nth}", hex(&digest)),
        }
    }
}

fn digest(content: &Content<'_>) -> [u8; ID_BYTES] {
    let mut hasher = Sha256::new();
    // Each part goes in with its length, so that parts cannot run into each other.
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    part(content.player);
    for (name, value) in &content.values.0 {
        part(name);
        part(&value.to_string());
    }
    part(content.occurred_at.unwrap_or_default());
    part(content.metadata.unwrap_or_default());
    let mut kept = [0; ID_BYTES];
    for (kept, byte) in kept.iter_mut().zip(hasher.finalize()) {
        *kept = byte;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Integer;

    fn ids(rows: &[(&str, Option<&str>)]) -> Vec<String> {
        let values = NamedIntegers(vec![("score".into(), Integer(1))]);
        let mut identities = Identities::default();
        rows.iter()
            .map(|(player, occurred_at)| {
                identities.next(&Content {
                    player,
                    values: &values,
                    occurred_at: *occurred_at,
                    metadata: None,
                })
            })
            .collect()
    }

    #[test]
    fn rows_that_say_the_same_are_told_apart_by_their_order() {
        let ids = ids(&[
            ("a", Some("1")),
            ("b", Some("1")),
            ("a", Some("1")),
            ("a", Some("1")),
        ]);
        assert_eq!(ids[2], format!("{}-2", ids[0]));
        assert_eq!(ids[3], format!("{}-3", ids[0]));
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn other_rows_do_not_change_an_id_and_a_second_run_gives_the_same() {
        let alone = ids(&[("a", Some("1"))]);
        let among = ids(&[("x", None), ("a", Some("1")), ("y", None)]);
        assert_eq!(alone[0], among[1]);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let ids = ids(&[("a1", Some("")), ("a", Some("1")), ("a", None)]);
        assert_ne!(ids[0], ids[1]);
        assert_ne!(ids[1], ids[2]);
    }
}
