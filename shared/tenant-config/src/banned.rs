//! The players of a tenant who may be banned.
//!
//! A banned player still sees their own entry, so a response that is cached for all readers must not be sent to them.

use std::collections::BTreeMap;

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::Ban;
use leaderboard_core::{PlayerId, StoreError, Timestamp};
use sha2::{Digest, Sha256};

/// The version of the document's format.
const FORMAT_V1: u8 = 1;

/// The digests of a tenant's banned players, and the ends of their bans (`None` if a ban has no end).
///
/// The document may contain players who are not banned; each of them costs a read of the store. It always contains every banned
/// player, because a missing player would notice the ban.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Banned(BTreeMap<u64, Option<Timestamp>>);

impl Banned {
    /// Returns whether a player may be banned.
    pub fn may_have(&self, player: &PlayerId) -> bool {
        !self.0.is_empty() && self.0.contains_key(&digest_player(player))
    }

    /// Adds a ban, unless the player has a ban that ends at the same time or later.
    pub(crate) fn extend(&mut self, ban: &Ban) {
        let end = self.0.entry(digest_player(&ban.player)).or_insert(ban.expires_at);
        // `None` is the latest end: a ban without one.
        *end = end.zip(ban.expires_at).map(|(known, new)| known.max(new));
    }

    /// Sets the end of a player's ban, even if the new end is earlier.
    pub(crate) fn set_end(&mut self, ban: &Ban) {
        self.0.insert(digest_player(&ban.player), ban.expires_at);
    }

    /// Removes a player's ban.
    pub(crate) fn remove(&mut self, player: &PlayerId) {
        self.0.remove(&digest_player(player));
    }

    /// Removes the bans that are over.
    pub(crate) fn remove_ended(&mut self, now: Timestamp) {
        self.0.retain(|_, end| end.is_none_or(|end| end > now));
    }

    /// Parses the stored document; `None` is a document that does not exist.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the document has another format.
    pub fn parse(bytes: Option<&[u8]>) -> Result<Self, StoreError> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        Self::decode(bytes).map_err(|error| StoreError::Corrupt(format!("banned players: {error}")))
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != FORMAT_V1 {
            return Err(Malformed("banned players"));
        }
        let mut banned = BTreeMap::new();
        for _ in 0..r.unsigned()? {
            let player = r.unsigned()?;
            banned.insert(player, r.option(Reader::timestamp)?);
        }
        r.end()?;
        Ok(Self(banned))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(FORMAT_V1);
        w.unsigned(self.0.len() as u64);
        for (player, end) in &self.0 {
            w.unsigned(*player);
            w.option(*end, Writer::timestamp);
        }
        w.finish()
    }
}

fn digest_player(player: &PlayerId) -> u64 {
    let digest: [u8; 32] = Sha256::digest(player.as_bytes()).into();
    digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_ends_is_kept() {
        let at = |text: &str| Timestamp::parse(text).ok();
        let (soon, late) = (at("2026-07-19T21:04:00Z"), at("2026-07-20T21:04:00Z"));
        for (first, second, expected) in [
            (soon, late, late),
            (late, soon, late),
            (None, soon, None),
            (soon, None, None),
            (None, None, None),
        ] {
            let player = PlayerId::new("a").unwrap();
            let mut banned = Banned::default();
            for expires_at in [first, second] {
                banned.extend(&Ban {
                    expires_at,
                    ..Ban::new(player.clone(), Timestamp::MIN)
                });
            }
            assert_eq!(
                banned.0[&digest_player(&player)],
                expected,
                "{first:?} {second:?}"
            );
        }
    }

    #[test]
    fn a_document_is_decoded_as_it_was_encoded() {
        let player = |name: &str| PlayerId::new(name).unwrap();
        let mut banned = Banned::default();
        banned.0.insert(digest_player(&player("a")), None);
        banned.0.insert(
            digest_player(&player("b")),
            Timestamp::parse("2026-07-19T21:04:00Z").ok(),
        );
        let bytes = banned.encode();
        assert_eq!(Banned::parse(Some(&bytes)).unwrap(), banned);
        assert!(banned.may_have(&player("a")) && !banned.may_have(&player("c")));
        assert_eq!(Banned::parse(None).unwrap(), Banned::default());
        for cut in 0..bytes.len() {
            assert!(Banned::parse(Some(&bytes[..cut])).is_err(), "{cut}");
        }
    }
}
