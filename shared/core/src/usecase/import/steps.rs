//! Checks the lines of an import, and says what each of them writes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::event_projections::is_stored_activity;
use super::ImportError;
use super::ban_differences::MAX_BAN_DIFFERENCES;
use super::state::{ImportState, OpenPeriod, Stage};
use crate::codec::encode_event;
use crate::export_line::{ExportLine, MAX_SNAPSHOT_PART_BYTES, SnapshotPart};
use crate::ports::{
    BannedPlayers, Claim, EncodedEvent, ImportedInto, ImportedPart, ListedEntry, MAX_SNAPSHOT_BYTES,
    StoredPeriod,
};
use crate::{Event, EventBody, PlayerId, Timestamp};

/// The most parts of a snapshot.
const MAX_SNAPSHOT_PARTS: u64 = (MAX_SNAPSHOT_BYTES / MAX_SNAPSHOT_PART_BYTES) as u64;

/// The fault of a field of the line that is being read.
type Fault = (&'static str, String);

/// Reads the lines of one request.
pub(super) struct LineReader {
    state: ImportState,
    parts: Vec<ImportedPart>,
    into: Option<Rc<ImportedInto>>,
    now: Timestamp,
    /// The players of the lines who are banned in the tenant.
    banned: BTreeSet<PlayerId>,
}

impl LineReader {
    /// Creates a reader that continues after the lines of `state`.
    ///
    /// # Errors
    /// [`ImportError::BansChanged`].
    pub(super) fn new(
        mut state: ImportState,
        now: Timestamp,
        banned: BannedPlayers,
    ) -> Result<Self, ImportError> {
        let BannedPlayers { players, changes } = banned;
        if *state.bans.get_or_insert(changes) != changes {
            return Err(ImportError::BansChanged);
        }
        let into = state.period.as_ref().map(target_of);
        Ok(Self {
            state,
            parts: Vec::new(),
            into,
            now,
            banned: players,
        })
    }

    /// Returns the state after the lines, and what they write.
    pub(super) fn finish(self) -> (ImportState, Vec<ImportedPart>) {
        (self.state, self.parts)
    }

    /// Reads the line of the activity, and returns its bytes.
    ///
    /// # Errors
    /// [`ImportError::Line`].
    pub(super) fn read_activity(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, ImportError> {
        let checked = self.check_stage(Stage::Head).and_then(|()| {
            if is_stored_activity(&bytes) {
                Ok(())
            } else {
                Err((
                    "activity",
                    "is no activity of a format that this version knows".into(),
                ))
            }
        });
        self.pass(checked)?;
        Ok(bytes)
    }

    /// Reads another line.
    ///
    /// # Errors
    /// [`ImportError::Line`].
    pub(super) fn read(&mut self, line: ExportLine) -> Result<(), ImportError> {
        let read = match line {
            ExportLine::Header(_) | ExportLine::Activity(_) => Err(misplaced()),
            ExportLine::Period(period) => self.read_period(period),
            ExportLine::Entry(entry) => self.read_entry(entry),
            ExportLine::Claim(player, claim) => self.read_claim(player, claim),
            ExportLine::SnapshotPart(part) => self.read_snapshot_part(*part),
            ExportLine::Event(event) => self.read_event(event),
            ExportLine::End(lines) => self.read_end(lines),
        };
        self.pass(read)
    }

    /// Counts a line that was read, or returns its fault with its number.
    fn pass(&mut self, read: Result<(), Fault>) -> Result<(), ImportError> {
        let line = self.state.lines.saturating_add(1);
        read.map_err(|(field, detail)| ImportError::Line { line, field, detail })?;
        self.state.lines = line;
        Ok(())
    }

    /// Checks that a line of this stage can come now, and begins the stage.
    fn check_stage(&mut self, stage: Stage) -> Result<(), Fault> {
        let before = self.state.stage;
        if before > stage {
            return Err(misplaced());
        }
        if stage > Stage::Head {
            self.check_period_is_complete()?;
        }
        if before == Stage::Snapshot && stage > before && self.state.snapshot.0 != self.state.snapshot.1 {
            let (part, parts) = self.state.snapshot;
            return Err((
                "type",
                format!("must be `snapshot`: part {part} of {parts} comes next"),
            ));
        }
        if stage > Stage::Periods {
            self.state.period = None;
            self.into = None;
        }
        self.state.stage = stage;
        Ok(())
    }

    fn check_period_is_complete(&self) -> Result<(), Fault> {
        match &self.state.period {
            Some(period) if period.entries_left > 0 => Err((
                "type",
                format!(
                    "must be `entry`: period {} has {} more entries",
                    period.id, period.entries_left
                ),
            )),
            _ => Ok(()),
        }
    }

    fn read_period(&mut self, stored: Box<StoredPeriod>) -> Result<(), Fault> {
        self.check_stage(Stage::Periods)?;
        if stored.version > self.state.position {
            return Err(("version", "must be at most the position of the header".into()));
        }
        let open = OpenPeriod {
            id: stored.period.id.clone(),
            layout: stored.layout.clone(),
            has_expired: stored.expires_at.is_some_and(|end| end <= self.now),
            entries_left: stored.entries,
            last: None,
        };
        self.into = Some(target_of(&open));
        if !open.has_expired {
            self.parts.push(ImportedPart::Period(stored));
        }
        self.state.period = Some(open);
        Ok(())
    }

    fn read_entry(&mut self, mut listed: Box<ListedEntry>) -> Result<(), Fault> {
        let (Some(open), Some(into)) = (&mut self.state.period, &self.into) else {
            return Err(misplaced());
        };
        if open.entries_left == 0 {
            return Err((
                "type",
                format!("must not be `entry`: period {} has all its entries", open.id),
            ));
        }
        let entry = &listed.entry;
        if entry.values.as_slice().len() != open.layout.columns.count() {
            let columns = open.layout.columns.count();
            return Err((
                "values",
                format!("must have {columns} values, one for each column"),
            ));
        }
        let key = open.layout.key(&entry.values, entry.reached_at, &entry.player);
        let place = (listed.is_banned, key.as_bytes().to_vec());
        if open.last.as_ref().is_some_and(|last| *last >= place) {
            return Err((
                "player",
                "must come after the entry before it in the order of the period".into(),
            ));
        }
        open.last = Some(place);
        open.entries_left = open.entries_left.saturating_sub(1);
        if open.has_expired {
            return Ok(());
        }
        let is_banned = self.banned.contains(&entry.player);
        if is_banned != listed.is_banned {
            if !self.state.differences.add(&entry.player, is_banned, &open.id) {
                return Err((
                    "banned",
                    format!(
                        "differs from the tenant's bans, as {MAX_BAN_DIFFERENCES} entries before it do; ban the same players first"
                    ),
                ));
            }
            listed.is_banned = is_banned;
        }
        self.parts.push(ImportedPart::Entry(into.clone(), listed));
        Ok(())
    }

    fn read_claim(&mut self, player: PlayerId, claim: Claim) -> Result<(), Fault> {
        self.check_period_is_complete()?;
        let (Some(open), Some(into)) = (&self.state.period, &self.into) else {
            return Err(misplaced());
        };
        if !open.has_expired {
            self.parts.push(ImportedPart::Claim(into.clone(), player, claim));
        }
        Ok(())
    }

    fn read_snapshot_part(&mut self, line: SnapshotPart) -> Result<(), Fault> {
        self.check_stage(Stage::Snapshot)?;
        let (next, parts) = self.state.snapshot;
        if line.part != next || (next > 0 && line.parts != parts) || line.part >= line.parts {
            return Err(("part", format!("must be {next}, the next part of the snapshot")));
        }
        if line.parts > MAX_SNAPSHOT_PARTS {
            return Err(("parts", format!("must be at most {MAX_SNAPSHOT_PARTS}")));
        }
        if line.bytes.len() > MAX_SNAPSHOT_PART_BYTES {
            return Err((
                "bytes",
                format!("must be at most {MAX_SNAPSHOT_PART_BYTES} bytes"),
            ));
        }
        if line.summary.position > self.state.position {
            return Err(("position", "must be at most the position of the header".into()));
        }
        self.state.snapshot = (next.saturating_add(1), line.parts);
        self.parts.push(ImportedPart::SnapshotBytes(line.bytes));
        if line.part.saturating_add(1) == line.parts {
            self.parts.push(ImportedPart::Snapshot(line.summary));
        }
        Ok(())
    }

    fn read_event(&mut self, event: EncodedEvent) -> Result<(), Fault> {
        self.check_stage(Stage::Events)?;
        let last = self.state.last_event;
        if event.position == 0 || (last > 0 && event.position != last.saturating_add(1)) {
            let next = last.saturating_add(1);
            return Err(("position", format!("must be {next}, after the event before it")));
        }
        if event.position > self.state.position {
            return Err(("position", "must be at most the position of the header".into()));
        }
        if event.decode().is_err() {
            return Err(("event", "is no event of a log".into()));
        }
        self.state.last_event = event.position;
        self.parts.push(ImportedPart::Event(event));
        Ok(())
    }

    fn read_end(&mut self, lines: u64) -> Result<(), Fault> {
        if lines != self.state.lines {
            let before = self.state.lines;
            return Err((
                "lines",
                format!("must be {before}, the number of lines before it"),
            ));
        }
        self.check_stage(Stage::Complete)?;
        if self.state.last_event != self.state.position {
            let next = self.state.last_event.saturating_add(1);
            return Err(("type", format!("must be `event`: event {next} comes next")));
        }
        self.add_ban_events();
        Ok(())
    }

    /// Adds an event for each player whose bans differ. The entries are in the right list already.
    fn add_ban_events(&mut self) {
        let mut position = self.state.position;
        let mut versions = BTreeMap::new();
        for difference in self.state.differences.iter() {
            position = position.saturating_add(1);
            let player = difference.player.clone();
            let event = Event {
                recorded_at: self.now,
                body: if difference.is_banned {
                    EventBody::Banned { player }
                } else {
                    EventBody::Unbanned { player }
                },
            };
            self.parts.push(ImportedPart::Event(EncodedEvent {
                position,
                bytes: encode_event(&event),
            }));
            for period in &difference.periods {
                versions.insert(period.clone(), position);
            }
        }
        let changed = versions.into_iter();
        self.parts
            .extend(changed.map(|(period, version)| ImportedPart::Version(period, version)));
    }
}

fn target_of(open: &OpenPeriod) -> Rc<ImportedInto> {
    Rc::new(ImportedInto {
        period: open.id.clone(),
        layout: open.layout.clone(),
    })
}

fn misplaced() -> Fault {
    (
        "type",
        "must not come here; the lines are not in the order of an export".into(),
    )
}
