//! The number of different players, in bounded memory.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::PlayerId;
use crate::codec::{Malformed, Reader, Writer};

/// Up to this many players, the number is exact. It needs eight bytes for each.
pub const MAX_EXACT_PLAYERS: usize = 4_096;

/// A set of players of which only the number is read. It keeps the smallest digests: if there are more than [`MAX_EXACT_PLAYERS`], the
/// number follows from how closely they lie, with a standard error of 1.6 % (k minimum values; Beyer et al., "On synopses for
/// distinct-value estimation under multiset operations", SIGMOD 2007).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistinctPlayers(BTreeSet<u64>);

impl DistinctPlayers {
    /// Adds a player.
    pub fn insert(&mut self, player: &PlayerId) {
        self.insert_digest(digest_of(player));
    }

    fn insert_digest(&mut self, digest: u64) {
        self.0.insert(digest);
        if self.0.len() > MAX_EXACT_PLAYERS {
            self.0.pop_last();
        }
    }

    /// Puts another player in the place of a player, so that the number stays.
    pub fn replace(&mut self, player: &PlayerId, other: &PlayerId) {
        if self.0.remove(&digest_of(player)) {
            self.insert_digest(digest_of(other));
        }
    }

    /// Returns whether the number is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.0.len() < MAX_EXACT_PLAYERS
    }

    /// Returns the number of players.
    #[must_use]
    pub fn count(&self) -> u64 {
        let kept = self.0.len() as u64;
        match self.0.last() {
            Some(largest) if !self.is_exact() => {
                let share = u128::from(*largest).saturating_add(1);
                let estimate = (u128::from(kept.saturating_sub(1)) << 64) / share;
                u64::try_from(estimate).unwrap_or(u64::MAX)
            }
            _ => kept,
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.unsigned(self.0.len() as u64);
        // Differences of neighbours are shorter than the digests.
        let mut previous = 0;
        for digest in &self.0 {
            w.unsigned(digest.wrapping_sub(previous));
            previous = *digest;
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut digests = BTreeSet::new();
        let mut digest = 0_u64;
        for _ in 0..r.unsigned()? {
            digest = digest.wrapping_add(r.unsigned()?);
            digests.insert(digest);
        }
        Ok(Self(digests))
    }
}

fn digest_of(player: &PlayerId) -> u64 {
    let digest: [u8; 32] = Sha256::digest(player.as_bytes()).into();
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(players: u64) -> DistinctPlayers {
        let mut distinct = DistinctPlayers::default();
        for n in (0..players).chain(0..players / 2) {
            distinct.insert(&PlayerId::new(format!("player {n}")).unwrap());
        }
        distinct
    }

    #[test]
    fn small_numbers_are_exact_and_large_ones_are_close() {
        for players in [0, 1, 100, 4_095] {
            let counted = count(players);
            assert_eq!((counted.count(), counted.is_exact()), (players, true));
        }
        for players in [10_000_u64, 100_000] {
            let counted = count(players);
            assert!(!counted.is_exact());
            // Five standard errors.
            assert!(
                counted.count().abs_diff(players) < players * 8 / 100,
                "{}",
                counted.count()
            );
        }
    }

    #[test]
    fn a_set_survives_its_encoding_and_a_replaced_player_keeps_the_number() {
        let mut counted = count(1_000);
        let player = |name: &str| PlayerId::new(name).unwrap();
        counted.replace(&player("player 7"), &player("x"));
        counted.replace(&player("nobody"), &player("y"));
        assert_eq!(counted.count(), 1_000);
        let mut w = Writer::default();
        counted.write(&mut w);
        let bytes = w.finish();
        assert_eq!(DistinctPlayers::read(&mut Reader::new(&bytes)), Ok(counted));
    }
}
