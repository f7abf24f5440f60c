//! Exports a leaderboard with its history, page by page.

mod cursor;

use std::rc::Rc;

use super::event_projections::find_stored_activity;
use super::query::{QueryError, refer_to_period};
use super::snapshots::list_snapshots;
use super::{Deps, Store};
use crate::export_line::{ExportHeader, ExportLine, MAX_SNAPSHOT_PART_BYTES, SnapshotPart};
use crate::ports::{
    Cache, Documents, EntryRepair, Events, Exports, ListedEntry, ListedPeriod, MAX_ROWS_EXPORTED, PeriodRef,
    ReadError, ReadSource, Snapshots, StoredPeriod,
};
use crate::{Leaderboard, LeaderboardId, OrderKey, StoreError, Versioned};

pub use cursor::ExportCursor;
use cursor::Place;

/// The most lines on a page.
pub const MAX_EXPORTED_LINES: usize = 500;
/// The most reads of the store that one page takes.
pub const MAX_EXPORT_READS: u32 = 64;
/// A page with this many bytes ends. The last read can add [`SNAPSHOT_PARTS_AT_ONCE`] parts of a snapshot, or [`MAX_ROWS_EXPORTED`] lines.
const FULL_PAGE_BYTES: usize = 256 * 1024;
/// How many parts of a snapshot one read adds: 4 MiB. A store reads a snapshot as a whole, so an export reads the largest one eight times.
const SNAPSHOT_PARTS_AT_ONCE: usize = 8;
/// About how many bytes a line has beside the bytes that it carries.
const LINE_OVERHEAD_BYTES: usize = 256;

/// A page of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPage {
    /// The position of the last event that the export has.
    pub position: u64,
    /// The lines.
    pub lines: Vec<ExportLine>,
    /// Where the next page begins; `None` after the last line.
    pub next: Option<ExportCursor>,
}

/// Returns a page of the export of a leaderboard: the first one, or the one at a cursor.
///
/// All pages together are the leaderboard at one moment: a page is refused if the leaderboard changed since the first one.
///
/// # Errors
/// [`QueryError::UnknownLeaderboard`]; [`QueryError::StaleCursor`] if the leaderboard changed since the first page, or while it was read;
/// [`StoreError`].
pub async fn export_page<S, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    cursor: Option<ExportCursor>,
) -> Result<ExportPage, QueryError>
where
    S: Store + Events + Snapshots + EntryRepair + Documents + Exports,
{
    let board = deps.store.get(deps.tenant, id).await?;
    let board = Rc::new(board.ok_or(QueryError::UnknownLeaderboard)?);
    let mut page = Page {
        deps,
        board: &board,
        lines: Vec::new(),
        bytes: 0,
        reads_left: MAX_EXPORT_READS,
    };
    let cursor = match cursor {
        Some(cursor) => cursor,
        None => page.begin().await?,
    };
    let mut place = cursor.place;
    while page.has_room() {
        place = match place {
            Place::Done => break,
            place => page.add(cursor.position, place).await?,
        };
    }
    let before = cursor.lines.saturating_add(page.lines.len() as u64);
    let is_last = place == Place::Done;
    if is_last {
        page.lines.push(ExportLine::End(before));
    }
    let lines = page.lines;
    if board.version != cursor.version || read_position(deps, &board).await? != cursor.position {
        return Err(QueryError::StaleCursor);
    }
    Ok(ExportPage {
        position: cursor.position,
        lines,
        next: (!is_last).then_some(ExportCursor {
            lines: before,
            place,
            ..cursor
        }),
    })
}

/// Returns the position of the newest event, after the events of the bans that have ended.
async fn read_position<S: EntryRepair, K>(
    deps: &Deps<'_, S, K>,
    board: &Rc<Versioned<Leaderboard>>,
) -> Result<u64, QueryError> {
    let current = board.value.schedule.period_at(deps.now);
    let period_ref = PeriodRef {
        source: ReadSource::Primary,
        ..refer_to_period(deps, board, &current)
    };
    let read = deps.store.read_stored_entries(&period_ref, &[]).await;
    Ok(read.map_err(failure)?.position)
}

fn failure(error: ReadError) -> QueryError {
    match error {
        ReadError::StaleConfiguration => QueryError::StaleCursor,
        ReadError::Replica(refusal) => QueryError::Replica(refusal),
        ReadError::Store(error) => error.into(),
    }
}

/// A page while it is made.
struct Page<'a, S, K> {
    deps: &'a Deps<'a, S, K>,
    board: &'a Rc<Versioned<Leaderboard>>,
    lines: Vec<ExportLine>,
    bytes: usize,
    reads_left: u32,
}

impl<S, K: Cache> Page<'_, S, K>
where
    S: Store + Events + Snapshots + EntryRepair + Documents + Exports,
{
    fn has_room(&self) -> bool {
        let most =
            MAX_EXPORTED_LINES.saturating_sub(usize::try_from(MAX_ROWS_EXPORTED).unwrap_or(usize::MAX));
        self.lines.len() <= most && self.bytes < FULL_PAGE_BYTES && self.reads_left > 0
    }

    fn push(&mut self, line: ExportLine, bytes: usize) {
        self.bytes = self
            .bytes
            .saturating_add(bytes)
            .saturating_add(LINE_OVERHEAD_BYTES);
        self.lines.push(line);
    }

    /// Adds the lines before the periods, and returns where the export continues.
    async fn begin(&mut self) -> Result<ExportCursor, QueryError> {
        let position = read_position(self.deps, self.board).await?;
        let header = ExportHeader {
            leaderboard: self.board.value.clone(),
            position,
        };
        self.push(ExportLine::Header(Box::new(header)), 0);
        let activity = find_stored_activity(self.deps, &self.board.value.id).await?;
        if let Some(activity) = activity {
            let bytes = activity.len();
            self.push(ExportLine::Activity(activity), bytes);
        }
        Ok(ExportCursor {
            version: self.board.version,
            position,
            lines: 0,
            place: Place::Period(0),
        })
    }

    /// Adds the lines of one read, and returns the next place.
    async fn add(&mut self, position: u64, place: Place) -> Result<Place, QueryError> {
        self.reads_left = self.reads_left.saturating_sub(1);
        match place {
            Place::Period(index) => self.add_period(index).await,
            Place::Entries {
                index,
                is_banned,
                after,
            } => self.add_entries(index, is_banned, after).await,
            Place::Claims { index, from } => self.add_claims(index, &from).await,
            Place::Snapshot(part) => self.add_snapshot_parts(part).await,
            Place::Events(after) => self.add_events(position, after).await,
            Place::Done => Ok(Place::Done),
        }
    }

    async fn find(&self, index: u64) -> Result<ListedPeriod, StoreError> {
        let id = &self.board.value.id;
        self.deps
            .store
            .find_stored_period(self.deps.tenant, id, index)
            .await
    }

    /// Returns the period whose entries or claims are being listed.
    async fn open(&self, index: u64) -> Result<Box<StoredPeriod>, QueryError> {
        match self.find(index).await? {
            ListedPeriod::Stored(stored) => Ok(stored),
            // It expired since the page before.
            ListedPeriod::Gone | ListedPeriod::End => Err(QueryError::StaleCursor),
        }
    }

    fn refer<'r>(&'r self, stored: &'r StoredPeriod) -> PeriodRef<'r> {
        PeriodRef {
            source: ReadSource::Primary,
            ..refer_to_period(self.deps, self.board, &stored.period)
        }
    }

    async fn add_period(&mut self, index: u64) -> Result<Place, QueryError> {
        let stored = match self.find(index).await? {
            ListedPeriod::End => return Ok(Place::Snapshot(0)),
            ListedPeriod::Stored(stored) => stored,
            ListedPeriod::Gone => return Ok(Place::Period(index.saturating_add(1))),
        };
        if stored.expires_at.is_some_and(|end| end <= self.deps.now) {
            return Ok(Place::Period(index.saturating_add(1)));
        }
        self.push(ExportLine::Period(stored), 0);
        Ok(Place::Entries {
            index,
            is_banned: false,
            after: None,
        })
    }

    async fn add_entries(
        &mut self,
        index: u64,
        is_banned: bool,
        after: Option<Vec<u8>>,
    ) -> Result<Place, QueryError> {
        let stored = self.open(index).await?;
        let after = after.map(OrderKey::from_bytes);
        let period_ref = self.refer(&stored);
        let store = self.deps.store;
        let listed = store
            .list_stored_entries(&period_ref, is_banned, after.as_ref())
            .await;
        let entries = listed.map_err(failure)?;
        let is_last = entries.len() < usize::try_from(MAX_ROWS_EXPORTED).unwrap_or(usize::MAX);
        let last = entries.last();
        let last = last.map(|entry| stored.layout.key(&entry.values, entry.reached_at, &entry.player));
        for entry in entries {
            let bytes = entry
                .metadata
                .as_ref()
                .map_or(0, |text| text.as_json_text().len());
            self.push(
                ExportLine::Entry(Box::new(ListedEntry { entry, is_banned })),
                bytes,
            );
        }
        Ok(match (is_last, is_banned) {
            (false, _) => Place::Entries {
                index,
                is_banned,
                after: last.map(|key| key.as_bytes().to_vec()),
            },
            (true, false) => Place::Entries {
                index,
                is_banned: true,
                after: None,
            },
            (true, true) => Place::Claims {
                index,
                from: Vec::new(),
            },
        })
    }

    async fn add_claims(&mut self, index: u64, from: &[u8]) -> Result<Place, QueryError> {
        let stored = self.open(index).await?;
        let page = self
            .deps
            .store
            .list_claims(&self.refer(&stored), from)
            .await
            .map_err(failure)?;
        for (player, claim) in page.claims {
            self.push(ExportLine::Claim(player, claim), 0);
        }
        Ok(match page.next {
            Some(from) => Place::Claims { index, from },
            None => Place::Period(index.saturating_add(1)),
        })
    }

    /// Adds some parts, from the part `first` on, of the oldest snapshot that the log continues, unless the log has its first event.
    async fn add_snapshot_parts(&mut self, first: u64) -> Result<Place, QueryError> {
        let id = &self.board.value.id;
        let listed = list_snapshots(self.deps, self.board).await?;
        let events = Place::Events(0);
        let Some(listed) = listed.filter(|listed| !listed.has_beginning()) else {
            return Ok(events);
        };
        let Some(summary) = listed.usable().next().copied() else {
            return Ok(events);
        };
        let store = self.deps.store;
        let read = store
            .read_snapshot(self.deps.tenant, id, summary.position)
            .await?;
        let bytes = read.ok_or(QueryError::StaleCursor)?;
        let chunks = bytes.chunks(MAX_SNAPSHOT_PART_BYTES);
        let parts = chunks.len() as u64;
        let skipped = usize::try_from(first).unwrap_or(usize::MAX);
        let mut next = first;
        for chunk in chunks.skip(skipped).take(SNAPSHOT_PARTS_AT_ONCE) {
            let line = SnapshotPart {
                summary,
                part: next,
                parts,
                bytes: chunk.to_vec(),
            };
            self.push(ExportLine::SnapshotPart(Box::new(line)), chunk.len());
            next = next.saturating_add(1);
        }
        Ok(if next < parts {
            Place::Snapshot(next)
        } else {
            events
        })
    }

    async fn add_events(&mut self, position: u64, after: u64) -> Result<Place, QueryError> {
        let id = &self.board.value.id;
        let store = self.deps.store;
        let events = store
            .read_encoded(self.deps.tenant, id, after, MAX_ROWS_EXPORTED)
            .await?;
        let mut last = after;
        for event in events {
            if event.position > position {
                break;
            }
            last = event.position;
            let bytes = event.bytes.len();
            self.push(ExportLine::Event(event), bytes);
        }
        if last == after && last < position {
            return Err(StoreError::Corrupt("the log ends before its last event".into()).into());
        }
        Ok(if last < position {
            Place::Events(last)
        } else {
            Place::Done
        })
    }
}
