//! The entries of a period in the bytes of a snapshot.

use std::rc::Rc;

use crate::codec::{Malformed, Reader, Writer};
use crate::{Entry, Layout, Metadata, PlayerId, SORTABLE_BYTES};

/// The length of an index of an entry, in bytes.
const INDEX_BYTES: usize = 4;

/// The entries of a period in a snapshot, in their order.
#[derive(Debug, Default)]
pub(super) struct KeptEntries {
    /// The bytes of the whole snapshot.
    bytes: Rc<Vec<u8>>,
    /// Where each entry begins in `bytes`.
    starts: Vec<u32>,
    /// The indices of the entries, in the byte order of their players.
    by_player: Vec<u32>,
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
        let found = self.by_player.binary_search_by(|index| {
            let key = self.parts(to_index(*index)).key;
            player_of(layout, key).cmp(player.as_bytes())
        });
        found
            .ok()
            .and_then(|at| self.by_player.get(at))
            .copied()
            .map(to_index)
    }

    /// Returns how many entries are before an order key.
    pub(super) fn count_before(&self, key: &[u8]) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            if self.parts(middle).key < key {
                from = middle.saturating_add(1);
            } else {
                to = middle;
            }
        }
        from
    }

    /// Writes entries in their order.
    pub(super) fn write(w: &mut Writer, layout: &Layout, entries: &[EntryParts<'_>]) {
        w.unsigned(entries.len() as u64);
        let mut by_player: Vec<(&[u8], u32)> = Vec::with_capacity(entries.len());
        for (index, entry) in (0..).zip(entries) {
            entry.write(w);
            by_player.push((player_of(layout, entry.key), index));
        }
        by_player.sort_unstable();
        let indices = by_player.iter().flat_map(|(_, index)| index.to_le_bytes());
        w.bytes(&indices.collect::<Vec<u8>>());
    }

    /// Reads the entries of a period from the front of `r`, which reads the end of `bytes`.
    pub(super) fn take(r: &mut Reader<'_>, bytes: &Rc<Vec<u8>>) -> Result<Self, Malformed> {
        let too_many = |_| Malformed("number of entries");
        let count = usize::try_from(r.unsigned()?).map_err(too_many)?;
        // Each entry has more bytes than its index, so damaged bytes allocate no more than they have.
        let mut starts = Vec::with_capacity(count.min(bytes.len() / INDEX_BYTES));
        for _ in 0..count {
            let start = bytes.len().saturating_sub(r.remaining());
            starts.push(u32::try_from(start).map_err(too_many)?);
            EntryParts::read(r)?;
        }
        let mut by_player = Vec::with_capacity(count);
        for index in r.bytes()?.chunks_exact(INDEX_BYTES) {
            by_player.push(u32::from_le_bytes(
                index.try_into().map_err(|_| Malformed("index"))?,
            ));
        }
        if by_player.len() != count || by_player.iter().any(|index| to_index(*index) >= count) {
            return Err(Malformed("index"));
        }
        Ok(Self {
            bytes: Rc::clone(bytes),
            starts,
            by_player,
        })
    }
}

/// Returns a number of at most 32 bits as an index.
pub(super) fn to_index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
