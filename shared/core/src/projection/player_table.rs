//! A hash table of the entries of a period by their players, which a snapshot has. A search visits about two places in memory, and a
//! binary search among 100,000 players visits 17.

use crate::codec::{Malformed, Reader, Writer};

/// The length of a slot, in bytes.
const SLOT_BYTES: usize = 4;
/// A slot without an entry.
const EMPTY: u32 = u32::MAX;
/// The number of slots is the first power of two that is at least this many times the number of entries.
const SLOTS_OF_AN_ENTRY: usize = 2;

/// The indices of entries, each in the first slot from the hash of its player on that was free.
#[derive(Debug, Default)]
pub(super) struct PlayerTable {
    seed: u64,
    /// None without entries; otherwise a power of two, and at most half of them have an entry, so every search ends soon.
    slots: Vec<u32>,
}

impl PlayerTable {
    /// Returns the table of players in the order of their entries, at most `count`. Equal players and seeds give an equal table.
    pub(super) fn build<'p>(seed: u64, count: usize, players: impl Iterator<Item = &'p [u8]>) -> Self {
        let slots = vec![EMPTY; count_slots(count)];
        let mut table = Self { seed, slots };
        for (index, player) in (0..).zip(players.take(count)) {
            let mut places = probe(seed, table.slots.len(), player);
            let is_free = |at: &usize| table.slots.get(*at) == Some(&EMPTY);
            let free = places.find(is_free);
            if let Some(slot) = free.and_then(|at| table.slots.get_mut(at)) {
                *slot = index;
            }
        }
        table
    }

    /// Returns the index of the player's entry; `is_entry` returns whether an index is the one.
    pub(super) fn find(&self, player: &[u8], is_entry: impl Fn(usize) -> bool) -> Option<usize> {
        let slots = probe(self.seed, self.slots.len(), player).map_while(|at| self.slots.get(at));
        let taken = slots.take_while(|slot| **slot != EMPTY);
        taken.map(|slot| to_index(*slot)).find(|index| is_entry(*index))
    }

    /// Writes the table. Its seed is not written.
    pub(super) fn write(&self, w: &mut Writer) {
        let mut bytes = Vec::with_capacity(self.slots.len().saturating_mul(SLOT_BYTES));
        for slot in &self.slots {
            bytes.extend_from_slice(&slot.to_le_bytes());
        }
        w.bytes(&bytes);
    }

    /// Reads the table of `count` entries that was built with this seed.
    pub(super) fn read(r: &mut Reader<'_>, seed: u64, count: usize) -> Result<Self, Malformed> {
        let (slots, rest) = r.bytes()?.as_chunks::<SLOT_BYTES>();
        let slots: Vec<u32> = slots.iter().map(|slot| u32::from_le_bytes(*slot)).collect();
        let taken = slots.iter().filter(|slot| **slot != EMPTY);
        let (mut found, mut last) = (0_usize, 0);
        for index in taken {
            found = found.saturating_add(1);
            last = last.max(to_index(*index));
        }
        if !rest.is_empty() || slots.len() != count_slots(count) || found != count || last >= count.max(1) {
            return Err(Malformed("table of players"));
        }
        Ok(Self { seed, slots })
    }
}

/// Returns how many slots the table of so many entries has.
fn count_slots(count: usize) -> usize {
    let least = count.saturating_mul(SLOTS_OF_AN_ENTRY);
    if count == 0 { 0 } else { least.next_power_of_two() }
}

/// Returns the slots in which a player's entry can be, each once, in the order in which they are tried.
fn probe(seed: u64, slots: usize, player: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let mask = slots.saturating_sub(1);
    // The slot needs only the low bits.
    let first = usize::try_from(hash(seed, player) & u64::from(u32::MAX)).unwrap_or_default();
    (0..slots).map(move |step| first.wrapping_add(step) & mask)
}

/// Returns a hash that is the same in every instance: words of eight bytes, and multiplications whose halves are combined.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = mix(seed, bytes.len() as u64);
    for word in words {
        sum = mix(sum, u64::from_le_bytes(*word));
    }
    let last = rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    mix(sum, last)
}

/// Returns a word that depends on all bits of two words.
#[expect(
    clippy::cast_possible_truncation,
    reason = "both halves of the product are used"
)]
fn mix(sum: u64, word: u64) -> u64 {
    /// Digits of the golden ratio: odd, and without a pattern.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(sum ^ word).wrapping_mul(u128::from(FACTOR));
    product as u64 ^ (product >> 64) as u64
}

/// Returns a number of at most 32 bits as an index.
pub(super) fn to_index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
