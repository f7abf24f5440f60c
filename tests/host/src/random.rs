//! Randomness for jitter and for ranges on the command line; nothing that must not be guessed.

use std::hash::{BuildHasher, RandomState};

/// A number below `end`, 0 when `end` is 0.
pub(crate) fn below(end: u64) -> u64 {
    RandomState::new().hash_one(0_u8).checked_rem(end).unwrap_or(0)
}
