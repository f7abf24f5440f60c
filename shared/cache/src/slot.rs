//! A slot of the key-value tier of documents, and its format.

use std::rc::Rc;

use leaderboard_core::Versioned;
use leaderboard_core::codec::{Reader, Writer};

use crate::cached_documents::{CachedDocuments, DocumentBodies, Generation};
use crate::freshness::CLOCK_MARGIN_MS;

/// How far in the future an instant of a slot may be, in milliseconds. A wrong clock wrote an instant that is further in the
/// future.
pub const MAX_FUTURE_MS: i64 = 2 * CLOCK_MARGIN_MS;
/// The version of the format in the key-value store.
const FORMAT_VERSION: u64 = 7;

/// When the documents and responses of a slot's groups last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupChanges {
    /// A new number for each change of a document of the slot's groups.
    pub(crate) generation: Generation,
    /// Until when the responses that depend on the group are changing, in milliseconds since the epoch.
    pub changing_until: i64,
    /// Responses that depend on the group and were fetched before this instant must not be shown; in milliseconds since the
    /// epoch.
    pub purged_at: i64,
}

impl Default for GroupChanges {
    fn default() -> Self {
        Self {
            generation: 0,
            changing_until: i64::MIN,
            purged_at: i64::MIN,
        }
    }
}

impl GroupChanges {
    /// Returns these changes with each instant reduced to at most [`MAX_FUTURE_MS`] after `now`: a wrong clock wrote a later
    /// instant.
    pub(crate) fn plausible_at(self, now: i64) -> Self {
        Self {
            changing_until: self.changing_until.min(now + MAX_FUTURE_MS),
            purged_at: self.purged_at.min(now + MAX_FUTURE_MS),
            ..self
        }
    }
}

/// The content of a slot.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub changes: GroupChanges,
    /// The group whose documents are in the slot, and the documents. Their generation is the slot's: a change removes them.
    pub documents: Option<(Box<str>, CachedDocuments)>,
}

impl Slot {
    /// Returns a slot in which nothing from before `now` may be used: it stands for a slot whose content is not known.
    pub(crate) fn unknown(generation: Generation, now: i64) -> Self {
        Self {
            changes: GroupChanges {
                generation: generation.max(1),
                changing_until: now + CLOCK_MARGIN_MS,
                purged_at: now,
            },
            documents: None,
        }
    }

    /// Returns whether the slot is as if nobody had put it.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_none() && self.changes == GroupChanges::default()
    }

    pub(crate) fn documents_of(&self, group: &str) -> Option<&CachedDocuments> {
        let (owner, cached) = self.documents.as_ref()?;
        (**owner == *group).then_some(cached)
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(FORMAT_VERSION);
        w.unsigned(self.changes.generation);
        w.signed(self.changes.changing_until);
        w.signed(self.changes.purged_at);
        w.option(self.documents.as_ref(), |w, (group, cached)| {
            w.text(group);
            w.timestamp(cached.checked_at);
            w.byte(cached.has_own_documents.into());
            w.unsigned(cached.bodies.len() as u64);
            for body in cached.bodies.iter() {
                w.option(body.as_ref(), |w, body| {
                    w.unsigned(body.version);
                    w.bytes(&body.value);
                });
            }
        });
        w.finish()
    }

    /// Reads a slot. Returns `None` for bytes of another format, and for damaged bytes.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        (r.unsigned().ok()? == FORMAT_VERSION).then_some(())?;
        let changes = GroupChanges {
            generation: r.unsigned().ok()?,
            changing_until: r.signed().ok()?,
            purged_at: r.signed().ok()?,
        };
        let documents = r
            .option(|r| {
                let group = r.text()?.into();
                let (checked_at, has_own_documents) = (r.timestamp()?, r.flag()?);
                let mut bodies = DocumentBodies::new();
                for _ in 0..r.unsigned()? {
                    bodies.push(r.option(|r| {
                        Ok(Versioned {
                            version: r.unsigned()?,
                            value: r.bytes()?.to_vec(),
                        })
                    })?);
                }
                Ok((
                    group,
                    CachedDocuments {
                        bodies: Rc::new(bodies),
                        checked_at,
                        generation: changes.generation,
                        has_own_documents,
                    },
                ))
            })
            .ok()?;
        r.end().ok()?;
        Some(Self { changes, documents })
    }
}

#[cfg(test)]
mod tests {
    use leaderboard_core::Timestamp;

    use super::*;

    fn slot() -> Slot {
        let document = Versioned {
            version: 7,
            value: b"{}".to_vec(),
        };
        let bodies = Rc::new(vec![None, Some(document)]);
        Slot {
            changes: GroupChanges {
                generation: 9,
                changing_until: -1,
                purged_at: i64::MIN,
            },
            documents: Some((
                "tenant:a".into(),
                CachedDocuments {
                    bodies,
                    checked_at: Timestamp::MAX,
                    generation: 9,
                    has_own_documents: true,
                },
            )),
        }
    }

    #[test]
    fn a_slot_is_read_back_as_it_was() {
        let read = Slot::unpack(&slot().pack()).unwrap();
        assert_eq!(read.changes, slot().changes);
        let cached = read.documents_of("tenant:a").unwrap();
        assert_eq!((cached.checked_at, cached.generation), (Timestamp::MAX, 9));
        assert_eq!(cached.bodies, slot().documents.unwrap().1.bodies);
        assert!(read.documents_of("tenant:b").is_none());
    }

    #[test]
    fn damaged_bytes_and_another_format_are_no_slot() {
        let bytes = slot().pack();
        for cut in 0..bytes.len() {
            assert!(Slot::unpack(&bytes[..cut]).is_none(), "{cut}");
        }
        let mut older = bytes;
        older[0] -= 1;
        assert!(Slot::unpack(&older).is_none());
    }
}
