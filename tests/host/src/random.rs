//! Random numbers for jitter and for ranges on the command line. They can be guessed, so do not use them for
//! secrets.

use std::hash::{BuildHasher, RandomState};

/// Returns a number below `end`; 0 if `end` is 0.
pub(crate) fn below(end: u64) -> u64 {
    RandomState::new().hash_one(0_u8).checked_rem(end).unwrap_or(0)
}
