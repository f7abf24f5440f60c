//! How far an import is, as the store keeps it.

use super::ban_differences::BanDifferences;
use crate::codec::{Malformed, Reader, Writer, decode_layout, encode_layout, encode_leaderboard};
use crate::export_line::ExportHeader;
use crate::{Layout, Leaderboard, PeriodId};

/// The code of the format. A changed format gets a new code.
const STATE_V1: u8 = 1;

/// Which kinds of lines can come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Head,
    Periods,
    Snapshot,
    Events,
    Complete,
}

const STAGES: [Stage; 5] = [
    Stage::Head,
    Stage::Periods,
    Stage::Snapshot,
    Stage::Events,
    Stage::Complete,
];

/// The period whose entries and claims come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenPeriod {
    pub(super) id: PeriodId,
    pub(super) layout: Layout,
    /// Whether it had expired when its line was read. Then nothing of it is written.
    pub(super) has_expired: bool,
    /// How many entries are yet to come.
    pub(super) entries_left: u64,
    /// Whether the last entry was one of a banned player, and its order key.
    pub(super) last: Option<(bool, Vec<u8>)>,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImportState {
    /// How many lines have been imported.
    pub(super) lines: u64,
    /// What [`ImportState::encode_header`] returns for the header.
    pub(super) header: Vec<u8>,
    /// The position of the last event of the export.
    pub(super) position: u64,
    pub(super) stage: Stage,
    pub(super) period: Option<OpenPeriod>,
    /// How many parts of the snapshot have been imported, of how many.
    pub(super) snapshot: (u64, u64),
    /// The position of the last imported event; 0 before the first.
    pub(super) last_event: u64,
    /// [`crate::ports::BannedPlayers::changes`] when the import began.
    pub(super) bans: Option<u64>,
    pub(super) differences: BanDifferences,
}

impl ImportState {
    /// Returns the state after the header.
    pub(super) fn begin(header: &ExportHeader) -> Self {
        Self {
            lines: 1,
            header: Self::encode_header(&header.leaderboard, header.position),
            position: header.position,
            stage: Stage::Head,
            period: None,
            snapshot: (0, 0),
            last_event: 0,
            bans: None,
            differences: BanDifferences::default(),
        }
    }

    /// Returns whether the last line has been imported.
    pub(super) fn is_complete(&self) -> bool {
        self.stage == Stage::Complete
    }

    /// Encodes a header, so that two exports can be told apart.
    pub(super) fn encode_header(leaderboard: &Leaderboard, position: u64) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(position);
        w.bytes(&encode_leaderboard(leaderboard));
        w.finish()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(STATE_V1);
        w.unsigned(self.lines);
        w.bytes(&self.header);
        w.unsigned(self.position);
        w.byte(self.stage as u8);
        w.option(self.period.as_ref(), |w, period| {
            w.text(period.id.as_str());
            w.bytes(&encode_layout(&period.layout));
            w.byte(u8::from(period.has_expired));
            w.unsigned(period.entries_left);
            w.option(period.last.as_ref(), |w, (is_banned, key)| {
                w.byte(u8::from(*is_banned));
                w.bytes(key);
            });
        });
        w.unsigned(self.snapshot.0);
        w.unsigned(self.snapshot.1);
        w.unsigned(self.last_event);
        w.option(self.bans, Writer::unsigned);
        self.differences.write(&mut w);
        w.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != STATE_V1 {
            return Err(Malformed("state of an import"));
        }
        let state = Self {
            lines: r.unsigned()?,
            header: r.bytes()?.to_vec(),
            position: r.unsigned()?,
            stage: {
                let code = usize::from(r.byte()?);
                *STAGES.get(code).ok_or(Malformed("stage of an import"))?
            },
            period: r.option(read_period)?,
            snapshot: (r.unsigned()?, r.unsigned()?),
            last_event: r.unsigned()?,
            bans: r.option(Reader::unsigned)?,
            differences: BanDifferences::read(&mut r)?,
        };
        r.end()?;
        Ok(state)
    }
}

fn read_period(r: &mut Reader<'_>) -> Result<OpenPeriod, Malformed> {
    Ok(OpenPeriod {
        id: r.period()?,
        layout: decode_layout(r.bytes()?)?,
        has_expired: r.flag()?,
        entries_left: r.unsigned()?,
        last: r.option(|r| Ok((r.flag()?, r.bytes()?.to_vec())))?,
    })
}
