//! Trace ids. They distinguish requests and are not secret, so each instance reads random bytes only once.

use std::cell::Cell;

/// A generator of trace ids by `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub(crate) struct TraceIds(Cell<u64>, u64);

impl TraceIds {
    /// Creates a generator from 16 random bytes.
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        let seed = u128::from_be_bytes(seed);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
        let (upper, lower) = ((seed >> 64) as u64, seed as u64);
        Self(Cell::new(upper), lower)
    }

    /// Returns the next id: 16 bytes, not all zero. One half differs between instances, the other between the requests of an
    /// instance.
    pub(crate) fn next(&self) -> [u8; 16] {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let id = (u128::from(self.1 ^ mixed.rotate_left(32)) << 64) | u128::from(mixed);
        id.max(1).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_within_and_between_instances() {
        let ids = |seed: u128| {
            let ids = TraceIds::new(seed.to_be_bytes());
            (0..1000).map(move |_| ids.next())
        };
        let all: HashSet<_> = ids(0).chain(ids(1)).chain(ids(1 << 64)).collect();
        assert_eq!(all.len(), 3000);
    }
}
