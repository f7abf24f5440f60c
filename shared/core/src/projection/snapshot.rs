//! Snapshots of a projection, as bytes.
//!
//! The first byte is the number of the format, and eight bytes of a checksum follow. The entries of a period are in their order, and
//! a list of their indices in the order of the players follows. So a projection reads from the bytes of a snapshot, and decodes only
//! the entries that it needs: decoding all of them would take as long as the replay of as many events.

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

/// The number of the format.
const FORMAT: u8 = 1;
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
            write_period(&mut w, state);
        }
        let body = w.finish();
        let mut bytes = Vec::with_capacity(body.len().saturating_add(HEAD_BYTES));
        bytes.push(FORMAT);
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
        let [format, sum @ ..] = *head;
        if format != FORMAT || u64::from_le_bytes(sum) != checksum(body) {
            return Err(Malformed("snapshot"));
        }
        let mut r = Reader::new(body);
        let mut projection = Self {
            position: r.unsigned()?,
            latest_at: Some(r.timestamp()?),
            leaderboard: Some(decode_leaderboard(r.bytes()?)?),
            ..Self::default()
        };
        for _ in 0..r.unsigned()? {
            projection.banned.insert(r.player()?);
        }
        for _ in 0..r.unsigned()? {
            let state = read_period(&mut r, &bytes)?;
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

fn write_period(w: &mut Writer, state: &ProjectedPeriod) {
    w.text(state.period.id.as_str());
    w.option(state.period.starts_at, Writer::timestamp);
    w.option(state.period.ends_at, Writer::timestamp);
    w.bytes(&encode_layout(&state.layout));
    w.unsigned(state.version);
    KeptEntries::write(w, &state.layout, &View::of_all(state).parts());
}

fn read_period(r: &mut Reader<'_>, bytes: &Rc<Vec<u8>>) -> Result<ProjectedPeriod, Malformed> {
    let period = Period {
        id: r.period()?,
        starts_at: r.option(Reader::timestamp)?,
        ends_at: r.option(Reader::timestamp)?,
    };
    Ok(ProjectedPeriod {
        period,
        layout: decode_layout(r.bytes()?)?,
        version: r.unsigned()?,
        kept: KeptEntries::take(r, bytes)?,
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
