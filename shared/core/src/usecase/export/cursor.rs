//! Where a page of an export begins.

use crate::codec::{Malformed, Reader, Writer};

/// Where a page of an export begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportCursor {
    /// The version of the configuration that the export has.
    pub(super) version: u64,
    /// The position of the last event that the export has.
    pub(super) position: u64,
    /// How many lines come before.
    pub(super) lines: u64,
    pub(super) place: Place,
}

/// The next line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Period(u64),
    Entries {
        index: u64,
        is_banned: bool,
        after: Option<Vec<u8>>,
    },
    Claims {
        index: u64,
        from: Vec<u8>,
    },
    Snapshot(u64),
    Events(u64),
    Done,
}

impl ExportCursor {
    /// Encodes the cursor.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(self.version);
        w.unsigned(self.position);
        w.unsigned(self.lines);
        match &self.place {
            Place::Period(index) => {
                w.byte(0);
                w.unsigned(*index);
            }
            Place::Entries {
                index,
                is_banned,
                after,
            } => {
                w.byte(if *is_banned { 2 } else { 1 });
                w.unsigned(*index);
                w.option(after.as_ref(), |w, key| w.bytes(key));
            }
            Place::Claims { index, from } => {
                w.byte(3);
                w.unsigned(*index);
                w.bytes(from);
            }
            Place::Snapshot(part) => {
                w.byte(4);
                w.unsigned(*part);
            }
            Place::Events(after) => {
                w.byte(5);
                w.unsigned(*after);
            }
            Place::Done => w.byte(6),
        }
        w.finish()
    }

    /// Decodes what [`ExportCursor::encode`] returns.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (version, position, lines) = (r.unsigned()?, r.unsigned()?, r.unsigned()?);
        let place = match r.byte()? {
            0 => Place::Period(r.unsigned()?),
            kind @ (1 | 2) => Place::Entries {
                index: r.unsigned()?,
                is_banned: kind == 2,
                after: r.option(|r| r.bytes().map(<[u8]>::to_vec))?,
            },
            3 => Place::Claims {
                index: r.unsigned()?,
                from: r.bytes()?.to_vec(),
            },
            4 => Place::Snapshot(r.unsigned()?),
            5 => Place::Events(r.unsigned()?),
            6 => Place::Done,
            _ => return Err(Malformed("place of an export")),
        };
        r.end()?;
        Ok(Self {
            version,
            position,
            lines,
            place,
        })
    }
}
