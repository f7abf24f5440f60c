//! The lines of an export: a leaderboard with its history, in an order in which it can be imported.

use crate::ports::{Claim, EncodedEvent, ListedEntry, SnapshotSummary, StoredPeriod};
use crate::{Leaderboard, PlayerId};

/// The number of the format of exports. A changed format gets the next number.
pub const EXPORT_FORMAT: u32 = 1;
/// The most bytes of a snapshot on one line. As base64 in JSON, they fit into the body of a request.
pub const MAX_SNAPSHOT_PART_BYTES: usize = 512 * 1024;

/// A line of an export. Lines come in the order of these kinds; the entries and claims of a period follow its line.
#[derive(Debug, Clone, PartialEq)]
pub enum ExportLine {
    /// The first line.
    Header(Box<ExportHeader>),
    /// The stored activity of the leaderboard ([`crate::usecase::read_activity`]), if there is one.
    Activity(Vec<u8>),
    /// A period.
    Period(Box<StoredPeriod>),
    /// An entry of the last period: first the visible ones in their order, then those of banned players in theirs.
    Entry(Box<ListedEntry>),
    /// A claim in the last period, after its entries.
    Claim(PlayerId, Claim),
    /// A part of the snapshot from which the log's first event continues, if the log has lost its first events.
    SnapshotPart(Box<SnapshotPart>),
    /// An event of the log.
    Event(EncodedEvent),
    /// The last line: how many lines come before it.
    End(u64),
}

/// What an export is about.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportHeader {
    /// The configuration.
    pub leaderboard: Leaderboard,
    /// The position of the last event of the log.
    pub position: u64,
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPart {
    /// The snapshot.
    pub summary: SnapshotSummary,
    /// The number of this part, from 0.
    pub part: u64,
    /// The number of all parts.
    pub parts: u64,
    /// At most [`MAX_SNAPSHOT_PART_BYTES`] bytes.
    pub bytes: Vec<u8>,
}
