//! The 64-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>). It is short and needs no instance state, so the compiler
//! can compute it.

/// The hash of no bytes.
pub(crate) const EMPTY_HASH: u64 = 0xcbf2_9ce4_8422_2325;

/// Returns the hash of the bytes of `hash` and of `bytes` behind them.
pub(crate) const fn add_to_hash(mut hash: u64, mut bytes: &[u8]) -> u64 {
    while let Some((byte, rest)) = bytes.split_first() {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}
