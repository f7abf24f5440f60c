//! `MurmurHash3_x86_32` with seed 0, the hash that flagd uses to choose a bucket.

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// Returns the hash of bytes.
pub(super) fn murmur3(bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = blocks.iter().fold(0, |hash: u32, block| {
        let mixed = hash ^ scramble(u32::from_le_bytes(*block));
        mixed.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    let tail = rest
        .iter()
        .rev()
        .fold(0, |tail: u32, byte| tail << 8 | u32::from(*byte));
    hash ^= scramble(tail);
    // The algorithm takes the length modulo 2^32; contexts are far shorter than that.
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

const fn scramble(word: u32) -> u32 {
    word.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_equal_those_of_another_implementation() {
        // Another implementation computed these hashes. The texts cover every length of the tail.
        let known: [(&str, u32); 6] = [
            ("", 0),
            ("a", 0x3c25_69b2),
            ("ab", 0x9bbf_d75f),
            ("abc", 0xb3dd_93fa),
            ("abcd", 0x43ed_676a),
            ("Hello, world!", 0xc036_3e43),
        ];
        for (text, hash) in known {
            assert_eq!(murmur3(text.as_bytes()), hash, "{text:?}");
        }
    }
}
