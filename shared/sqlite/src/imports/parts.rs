//! Writes the parts of a step of an import.

use std::collections::BTreeMap;

use leaderboard_core::codec::encode_layout;
use leaderboard_core::ports::{
    Claim, ImportedInto, ImportedPart, ListedEntry, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, StoredPeriod,
};
use leaderboard_core::{PeriodId, PlayerId, PrizeTable, StoreError, Ties, event_weight};

use crate::row::stored;
use crate::session::Session;
use crate::standings::write_claim;
use crate::tuples;
use crate::writes::PendingWrites;

// The triggers add this weight.
const _: () = assert!(SNAPSHOT_OVERHEAD_BYTES == 128);

/// Collects what the parts of a step write.
pub(super) struct PartWriter<'s, 'a> {
    session: &'s Session<'a>,
    board: i64,
    writes: PendingWrites,
    /// The rows of the periods of the step; `None` for a period that does not exist any more.
    rows: BTreeMap<PeriodId, Option<i64>>,
    /// How many visible entries and how many entries each period row gets.
    counts: BTreeMap<i64, (u64, u64)>,
    /// How many visible entries with each tuple the period rows with dense ranks get.
    tuples: BTreeMap<i64, BTreeMap<Vec<u8>, i64>>,
    last_position: Option<u64>,
    log_bytes: u64,
}

impl<'s, 'a> PartWriter<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>, board: i64) -> Self {
        Self {
            session,
            board,
            writes: PendingWrites::default(),
            rows: BTreeMap::new(),
            counts: BTreeMap::new(),
            tuples: BTreeMap::new(),
            last_position: None,
            log_bytes: 0,
        }
    }

    /// Adds a part.
    pub(super) fn add(&mut self, part: &ImportedPart) -> Result<(), StoreError> {
        match part {
            ImportedPart::Period(period) => self.add_period(period),
            ImportedPart::Entry(into, listed) => self.add_entry(into, listed),
            ImportedPart::Claim(into, player, claim) => self.add_claim(&into.period, player, claim),
            ImportedPart::SnapshotBytes(bytes) => {
                const ADD: &str = "INSERT INTO import_parts (leaderboard, bytes) VALUES (?1, ?2)";
                self.session.run(ADD, &[self.board.into(), bytes[..].into()])
            }
            ImportedPart::Snapshot(summary) => self.add_snapshot(*summary),
            ImportedPart::Event(event) => {
                self.writes.add_event(self.board, event.position, &event.bytes);
                self.log_bytes = self.log_bytes.saturating_add(event_weight(event.bytes.len()));
                self.last_position = Some(event.position);
                Ok(())
            }
            ImportedPart::Version(period, version) => {
                const SAVE: &str = "UPDATE periods SET version = ?3 WHERE leaderboard = ?1 AND id = ?2";
                let parameters = [self.board.into(), period.into(), (*version).into()];
                self.session.run(SAVE, &parameters)
            }
        }
    }

    fn add_period(&mut self, stored: &StoredPeriod) -> Result<(), StoreError> {
        const CREATE: &str = "INSERT INTO periods (leaderboard, id, starts_at, ends_at, expires_at, layout, version, \
             visible, total, frozen_at, frozen_version, frozen_count, reopened, frozen_prizes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, ?9, ?10, ?11, ?12) RETURNING row";
        let layout = encode_layout(&stored.layout);
        let period = &stored.period;
        let freeze = stored.freeze.as_ref();
        let prizes = freeze.and_then(|freeze| freeze.prizes.as_ref());
        let prizes = prizes.map(PrizeTable::encode);
        let parameters = [
            self.board.into(),
            (&period.id).into(),
            period.starts_at.into(),
            period.ends_at.into(),
            stored.expires_at.into(),
            layout[..].into(),
            stored.version.into(),
            freeze.map(|freeze| freeze.frozen_at).into(),
            freeze.map(|freeze| freeze.version).into(),
            freeze.map(|freeze| freeze.count).into(),
            stored.reopened.into(),
            prizes.as_deref().into(),
        ];
        let row = self
            .session
            .only_row(CREATE, &parameters)?
            .integer("period row")?;
        self.rows.insert(period.id.clone(), Some(row));
        Ok(())
    }

    /// Returns the row of a period, if it exists.
    fn find_row(&mut self, period: &PeriodId) -> Result<Option<i64>, StoreError> {
        const FIND: &str = "SELECT row FROM periods WHERE leaderboard = ?1 AND id = ?2";
        if let Some(row) = self.rows.get(period) {
            return Ok(*row);
        }
        let parameters = [self.board.into(), period.into()];
        let row = self
            .session
            .map_row(FIND, &parameters, |cells| cells.integer("period row"))?;
        self.rows.insert(period.clone(), row);
        Ok(row)
    }

    fn add_entry(&mut self, into: &ImportedInto, listed: &ListedEntry) -> Result<(), StoreError> {
        let Some(row) = self.find_row(&into.period)? else {
            return Ok(());
        };
        let entry = &listed.entry;
        let key = into.layout.key(&entry.values, entry.reached_at, &entry.player);
        self.writes.save_entry(row, entry, &key, listed.is_banned);
        let (visible, total) = self.counts.entry(row).or_default();
        *total = total.saturating_add(1);
        if listed.is_banned {
            return Ok(());
        }
        *visible = visible.saturating_add(1);
        if into.layout.ties == Ties::Dense {
            let counted = self.tuples.entry(row).or_default();
            let count = counted.entry(into.layout.tuple_of(&key).to_vec()).or_default();
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    fn add_claim(&mut self, period: &PeriodId, player: &PlayerId, claim: &Claim) -> Result<(), StoreError> {
        match self.find_row(period)? {
            Some(row) => write_claim(self.session, row, player, claim),
            None => Ok(()),
        }
    }

    /// Stores the snapshot of all parts so far.
    fn add_snapshot(&mut self, summary: SnapshotSummary) -> Result<(), StoreError> {
        const PARTS: &str = "SELECT bytes FROM import_parts WHERE leaderboard = ?1 ORDER BY row";
        const STORE: &str =
            "INSERT INTO snapshots (leaderboard, position, latest_at, bytes) VALUES (?1, ?2, ?3, ?4)";
        let parts = self.session.map_rows(PARTS, &[self.board.into()], |cells| {
            cells.blob("part of a snapshot")
        })?;
        delete_parts(self.session, self.board)?;
        let bytes = parts.concat();
        let parameters = [
            self.board.into(),
            summary.position.into(),
            summary.latest_at.into(),
            bytes[..].into(),
        ];
        self.session.run(STORE, &parameters)
    }

    /// Writes what was added.
    pub(super) fn apply(mut self) -> Result<(), StoreError> {
        const COUNT: &str = "UPDATE periods SET visible = visible + ?2, total = total + ?3 WHERE row = ?1";
        if let Some(position) = self.last_position {
            self.writes
                .change_log(self.board, position, stored(self.log_bytes));
        }
        self.writes.apply(self.session)?;
        for (row, (visible, total)) in &self.counts {
            let parameters = [(*row).into(), (*visible).into(), (*total).into()];
            self.session.run(COUNT, &parameters)?;
        }
        for (row, counted) in &self.tuples {
            tuples::add_many(self.session, *row, counted)?;
        }
        Ok(())
    }
}

/// Deletes the parts of a snapshot that is not complete.
pub(super) fn delete_parts(session: &Session<'_>, board: i64) -> Result<(), StoreError> {
    session.run("DELETE FROM import_parts WHERE leaderboard = ?1", &[board.into()])
}
