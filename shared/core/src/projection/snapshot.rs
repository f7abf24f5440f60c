//! Snapshots of a projection, as bytes.
//!
//! The first byte is the number of the format, and eight bytes of a checksum follow. The entries of a period are in their order, and
//! a hash table of their players follows. So a projection reads from the bytes of a snapshot, and decodes only the entries that it
//! needs: decoding all of them would take as long as the replay of as many events.

use std::collections::HashMap;
use std::rc::Rc;

use super::kept::KeptEntries;
use super::period::ProjectedPeriod;
use super::view::View;
use super::{Projection, has_expired_long_ago};
use crate::codec::{
    Malformed, Reader, Writer, decode_layout, decode_leaderboard, encode_layout, encode_leaderboard,
};
use crate::{Period, Timestamp};

/// The formats of snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// The first format: a list of the entries in the order of their players follows the entries.
    Indices = 1,
    /// The format of new snapshots: a hash table of the players follows the entries.
    Table = 2,
}

impl Format {
    fn from_code(code: u8) -> Option<Self> {
        [Self::Indices, Self::Table]
            .into_iter()
            .find(|format| *format as u8 == code)
    }
}

/// The length of the number of the format and the checksum, in bytes.
const HEAD_BYTES: usize = 9;

impl Projection {
    /// Returns the snapshot of the projection; `None` before the first event. A snapshot has no periods that expired long ago. Equal
    /// projections have equal snapshots.
    #[must_use]
    pub fn encode_snapshot(&self) -> Option<Vec<u8>> {
        let leaderboard = self.leaderboard.as_ref()?;
        let latest_at = self.latest_at?;
        let mut w = Writer::default();
        w.unsigned(self.position);
        w.timestamp(latest_at);
        w.bytes(&encode_leaderboard(leaderboard));
        let mut banned: Vec<_> = self.banned.iter().collect();
        banned.sort_unstable();
        w.unsigned(banned.len() as u64);
        for player in banned {
            w.text(player.as_str());
        }
        let periods: Vec<_> = self
            .periods
            .values()
            .filter(|state| !has_expired_long_ago(leaderboard, &state.period, latest_at))
            .collect();
        w.unsigned(periods.len() as u64);
        for state in periods {
            write_period(&mut w, state, seed(self.position, latest_at));
        }
        let body = w.finish();
        let mut bytes = Vec::with_capacity(body.len().saturating_add(HEAD_BYTES));
        bytes.push(Format::Table as u8);
        bytes.extend_from_slice(&checksum(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Some(bytes)
    }

    /// Returns the projection of a snapshot.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are damaged, or have a format that this code does not know.
    pub fn decode_snapshot(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let bytes = Rc::new(bytes);
        let (head, body) = bytes
            .split_first_chunk::<HEAD_BYTES>()
            .ok_or(Malformed("snapshot"))?;
        let [code, sum @ ..] = *head;
        let format = Format::from_code(code).ok_or(Malformed("format of a snapshot"))?;
        if u64::from_le_bytes(sum) != checksum(body) {
            return Err(Malformed("snapshot"));
        }
        let mut r = Reader::new(body);
        let (position, latest_at) = (r.unsigned()?, r.timestamp()?);
        let written_as = (format, seed(position, latest_at));
        let mut projection = Self {
            position,
            latest_at: Some(latest_at),
            leaderboard: Some(decode_leaderboard(r.bytes()?)?),
            ..Self::default()
        };
        for _ in 0..r.unsigned()? {
            projection.banned.insert(r.player()?);
        }
        for _ in 0..r.unsigned()? {
            let state = read_period(&mut r, &bytes, written_as)?;
            projection.periods.insert(state.period.id.clone(), state);
        }
        r.end()?;
        Ok(projection)
    }

    /// Returns when the last of the applied events was recorded, by the clocks of the instances that recorded them; `None` before the
    /// first event.
    #[must_use]
    pub fn latest_at(&self) -> Option<Timestamp> {
        self.latest_at
    }
}

/// Returns the seed of the tables of players. It differs between snapshots, so nobody knows players beforehand that share a slot.
fn seed(position: u64, latest_at: Timestamp) -> u64 {
    position.rotate_left(32) ^ latest_at.as_unix_ms().cast_unsigned()
}

fn write_period(w: &mut Writer, state: &ProjectedPeriod, seed: u64) {
    w.text(state.period.id.as_str());
    w.option(state.period.starts_at, Writer::timestamp);
    w.option(state.period.ends_at, Writer::timestamp);
    w.bytes(&encode_layout(&state.layout));
    w.unsigned(state.version);
    KeptEntries::write(w, &state.layout, &View::of_all(state).parts(), seed);
}

fn read_period(
    r: &mut Reader<'_>,
    bytes: &Rc<Vec<u8>>,
    (format, seed): (Format, u64),
) -> Result<ProjectedPeriod, Malformed> {
    let period = Period {
        id: r.period()?,
        starts_at: r.option(Reader::timestamp)?,
        ends_at: r.option(Reader::timestamp)?,
    };
    let (layout, version) = (decode_layout(r.bytes()?)?, r.unsigned()?);
    let kept = match format {
        Format::Indices => KeptEntries::take_without_table(r, bytes, &layout, seed)?,
        Format::Table => KeptEntries::take(r, bytes, seed)?,
    };
    Ok(ProjectedPeriod {
        period,
        layout,
        version,
        kept,
        changed: HashMap::new(),
    })
}

/// Returns a sum that almost surely changes if bytes are damaged: FNV-1a on words of eight bytes, so that it takes a few milliseconds
/// for the largest snapshot.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word))
            .wrapping_mul(PRIME)
            .rotate_left(23);
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME).rotate_left(23);
    }
    sum
}
