//! The entries of a period in the bytes of a snapshot.

use std::rc::Rc;

use super::player_table::{PlayerTable, to_index};
use crate::codec::{Malformed, Reader, Writer};
use crate::{Entry, Layout, Metadata, PlayerId, SORTABLE_BYTES};

/// The shortest entry, in bytes: a column, the time, and a player of one byte.
const ENTRY_BYTES: usize = 2 * SORTABLE_BYTES + 1;

/// The entries of a period in a snapshot, in their order.
#[derive(Debug, Default)]
pub(super) struct KeptEntries {
    /// The bytes of the whole snapshot.
    bytes: Rc<Vec<u8>>,
    /// Where each entry begins in `bytes`.
    starts: Vec<u32>,
    by_player: PlayerTable,
}

/// An entry as a snapshot has it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EntryParts<'a> {
    pub(super) key: &'a [u8],
    pub(super) attempts: u32,
    pub(super) metadata: Option<&'a [u8]>,
}

impl<'a> EntryParts<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            key: r.bytes()?,
            attempts: u32::try_from(r.unsigned()?).map_err(|_| Malformed("attempts"))?,
            metadata: r.option(Reader::bytes)?,
        })
    }

    fn write(&self, w: &mut Writer) {
        w.bytes(self.key);
        w.unsigned(self.attempts.into());
        w.option(self.metadata, Writer::bytes);
    }
}

/// Returns the player in an order key.
fn player_of<'k>(layout: &Layout, key: &'k [u8]) -> &'k [u8] {
    let prefix = layout.tuple_bytes().saturating_add(SORTABLE_BYTES);
    key.get(prefix..).unwrap_or_default()
}

impl KeptEntries {
    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns an entry; an entry with an empty key if there is no such entry.
    pub(super) fn parts(&self, index: usize) -> EntryParts<'_> {
        let start = self.starts.get(index).map(|start| to_index(*start));
        let bytes = start.and_then(|start| self.bytes.get(start..));
        EntryParts::read(&mut Reader::new(bytes.unwrap_or_default())).unwrap_or_default()
    }

    /// Returns an entry, decoded.
    pub(super) fn read(&self, index: usize, layout: &Layout) -> Option<Entry> {
        let parts = self.parts(index);
        let (values, reached_at, player) = layout.parse(parts.key)?;
        let metadata = match parts.metadata {
            Some(bytes) => Some(Metadata::from_json_text(std::str::from_utf8(bytes).ok()?).ok()?),
            None => None,
        };
        Some(Entry {
            player,
            values,
            reached_at,
            metadata,
            attempts: parts.attempts,
        })
    }

    /// Returns the index of a player's entry.
    pub(super) fn find(&self, layout: &Layout, player: &PlayerId) -> Option<usize> {
        let player = player.as_bytes();
        let is_entry = |index| player_of(layout, self.parts(index).key) == player;
        self.by_player.find(player, is_entry)
    }

    /// Returns how many entries are before an order key, of which `least` are known to be.
    pub(super) fn count_before(&self, key: &[u8], least: usize) -> usize {
        // The steps from `least` on double, because the end is near if a caller asks for one key after another.
        let (mut from, mut to, mut step) = (least, self.len(), 1);
        while from < to {
            let near = from.saturating_add(step).saturating_sub(1);
            let middle = near.min(from.midpoint(to));
            if self.parts(middle).key < key {
                from = middle.saturating_add(1);
                step = step.saturating_mul(2);
            } else {
                to = middle;
            }
        }
        from
    }

    /// Writes entries in their order, and the table of their players. `seed` is for the table.
    pub(super) fn write(w: &mut Writer, layout: &Layout, entries: &[EntryParts<'_>], seed: u64) {
        w.unsigned(entries.len() as u64);
        for entry in entries {
            entry.write(w);
        }
        let players = entries.iter().map(|entry| player_of(layout, entry.key));
        PlayerTable::build(seed, entries.len(), players).write(w);
    }

    /// Reads the entries of a period from the front of `r`, which reads the end of `bytes`. `seed` is that of the table.
    pub(super) fn take(r: &mut Reader<'_>, bytes: &Rc<Vec<u8>>, seed: u64) -> Result<Self, Malformed> {
        let kept = Self::take_entries(r, bytes)?;
        Ok(Self {
            by_player: PlayerTable::read(r, seed, kept.len())?,
            ..kept
        })
    }

    /// Reads the entries of a period as the first format has them: without a table.
    pub(super) fn take_without_table(
        r: &mut Reader<'_>,
        bytes: &Rc<Vec<u8>>,
        layout: &Layout,
        seed: u64,
    ) -> Result<Self, Malformed> {
        let kept = Self::take_entries(r, bytes)?;
        // The indices in the order of the players, for a binary search.
        r.bytes()?;
        let players = (0..kept.len()).map(|index| player_of(layout, kept.parts(index).key));
        let by_player = PlayerTable::build(seed, kept.len(), players);
        Ok(Self { by_player, ..kept })
    }

    /// Reads the entries of a period, and nothing that finds them by their players.
    fn take_entries(r: &mut Reader<'_>, bytes: &Rc<Vec<u8>>) -> Result<Self, Malformed> {
        let too_many = |_| Malformed("number of entries");
        let count = usize::try_from(r.unsigned()?).map_err(too_many)?;
        // Damaged bytes allocate no more than they have.
        let mut starts = Vec::with_capacity(count.min(bytes.len() / ENTRY_BYTES));
        for _ in 0..count {
            let start = bytes.len().saturating_sub(r.remaining());
            starts.push(u32::try_from(start).map_err(too_many)?);
            EntryParts::read(r)?;
        }
        Ok(Self {
            bytes: Rc::clone(bytes),
            starts,
            by_player: PlayerTable::default(),
        })
    }
}
