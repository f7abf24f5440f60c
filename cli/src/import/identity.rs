//! The default id of a row: a hash of its content, and a counter for rows of equal content.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::number::NamedIntegers;

/// The values of a submission that a row is mapped to, without the id.
#[derive(Debug)]
pub(crate) struct RowContent<'a> {
    /// The player.
    pub(crate) player: &'a str,
    /// The values by column.
    pub(crate) values: &'a NamedIntegers,
    /// The time of the score.
    pub(crate) occurred_at: Option<&'a str>,
    /// The metadata's JSON.
    pub(crate) metadata: Option<&'a str>,
}

/// Assigns ids to rows. An id does not depend on the file's name or on rows with other content, so it stays the same when rows
/// are added. If a player has the same score twice on one day, the two rows have equal content and different ids.
#[derive(Debug, Default)]
pub(crate) struct RowIds(HashMap<u128, u32>);

impl RowIds {
    /// Returns the id of the next row.
    pub(crate) fn next_id(&mut self, content: &RowContent<'_>) -> String {
        let digest = digest_content(content);
        let seen = self.0.entry(digest).or_default();
        *seen = seen.saturating_add(1);
        match *seen {
            1 => format!("{digest:032x}"),
            nth => format!("{digest:032x}-{nth}"),
        }
    }
}

/// Returns the first 128 bits of the SHA-256 of a row's content, which is enough that different contents do not get the same id.
fn digest_content(content: &RowContent<'_>) -> u128 {
    let mut hasher = Sha256::new();
    // The length of each part is hashed too, so that a different split gives a different hash.
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
    hasher
        .finalize()
        .first_chunk()
        .map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Integer;

    fn assign_ids(rows: &[(&str, Option<&str>)]) -> Vec<String> {
        let values = NamedIntegers(vec![("score".into(), Integer(1))]);
        let mut ids = RowIds::default();
        rows.iter()
            .map(|(player, occurred_at)| {
                ids.next_id(&RowContent {
                    player,
                    values: &values,
                    occurred_at: *occurred_at,
                    metadata: None,
                })
            })
            .collect()
    }

    #[test]
    fn rows_with_equal_content_get_numbered_ids() {
        let ids = assign_ids(&[
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
    fn an_id_does_not_depend_on_other_rows() {
        let alone = assign_ids(&[("a", Some("1"))]);
        let among = assign_ids(&[("x", None), ("a", Some("1")), ("y", None)]);
        assert_eq!(alone[0], among[1]);
    }

    #[test]
    fn the_boundaries_between_parts_change_the_id() {
        let ids = assign_ids(&[("a1", Some("")), ("a", Some("1")), ("a", None)]);
        assert_ne!(ids[0], ids[1]);
        assert_ne!(ids[1], ids[2]);
    }
}
