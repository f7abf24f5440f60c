//! The ports of exports and imports.

use std::collections::BTreeMap;

use leaderboard_core::codec::decode_event;
use leaderboard_core::ports::{
    ClaimPage, Exports, ImportRefusal, ImportStep, ImportedPart, Imports, ListedPeriod, MAX_ROWS_EXPORTED,
    NewImport, PeriodRef, ReadError, StoredImport, StoredPeriod,
};
use leaderboard_core::{
    Entry, LeaderboardId, OrderKey, PeriodId, RecordedEvent, StoreError, TenantId, Timestamp, Versioned,
};

use crate::edge::version_after;
use crate::standings::FrozenPeriod;
use crate::{LeaderboardState, Model, PeriodState, Projection, sorted};

/// A leaderboard that is being imported.
#[derive(Debug)]
pub(crate) struct ModelImport {
    stored: StoredImport,
    board: LeaderboardState,
    snapshot: Vec<u8>,
}

impl Exports for Model {
    async fn find_stored_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        index: u64,
    ) -> Result<ListedPeriod, StoreError> {
        let tenants = self.tenants.borrow();
        let Some(board) = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard))
        else {
            return Ok(ListedPeriod::End);
        };
        let mut periods: Vec<&PeriodState> = board.projection.periods.values().collect();
        periods.sort_by_key(|state| (state.period.starts_at, state.period.id.clone()));
        let found = usize::try_from(index).ok().and_then(|index| periods.get(index));
        Ok(found.map_or(ListedPeriod::End, |state| {
            ListedPeriod::Stored(Box::new(stored_period(board, state)))
        }))
    }

    async fn list_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        is_banned: bool,
        after: Option<&OrderKey>,
    ) -> Result<Vec<Entry>, ReadError> {
        self.read(period_ref, |projection, state| {
            let Some(state) = state else {
                return Vec::new();
            };
            let listed = state
                .entries
                .values()
                .filter(|entry| projection.banned.contains(&entry.player) == is_banned);
            let key = |entry: &Entry| state.layout.key(&entry.values, entry.reached_at, &entry.player);
            sorted(&state.layout, listed)
                .into_iter()
                .filter(|entry| after.is_none_or(|after| key(entry).as_bytes() > after.as_bytes()))
                .take(MAX_ROWS_EXPORTED as usize)
                .cloned()
                .collect()
        })
    }

    async fn list_claims(&self, period_ref: &PeriodRef<'_>, _from: &[u8]) -> Result<ClaimPage, ReadError> {
        self.read(period_ref, |_, _| ())?;
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get(&period_ref.leaderboard.value.id));
        let frozen = board.and_then(|board| board.frozen.get(period_ref.period));
        let claims = frozen.into_iter().flat_map(|frozen| frozen.claims.clone());
        Ok(ClaimPage {
            claims: claims.collect(),
            next: None,
        })
    }
}

fn stored_period(board: &LeaderboardState, state: &PeriodState) -> StoredPeriod {
    let id = &state.period.id;
    let frozen = board.frozen.get(id);
    StoredPeriod {
        period: state.period.clone(),
        expires_at: board.expiries.get(id).copied().flatten(),
        layout: state.layout.clone(),
        version: state.version,
        entries: state.entries.len() as u64,
        freeze: frozen.and_then(|frozen| frozen.freeze.clone()),
        reopened: frozen.map_or(0, |frozen| frozen.reopened),
    }
}

impl Imports for Model {
    async fn find_import(&self, tenant: &TenantId) -> Result<Option<StoredImport>, StoreError> {
        let tenants = self.tenants.borrow();
        let import = tenants.get(tenant).and_then(|tenant| tenant.import.as_ref());
        Ok(import.map(|import| import.stored.clone()))
    }

    async fn begin_import(&self, new: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(new.tenant.clone()).or_default();
        let id = &new.leaderboard.id;
        if let Some(other) = &tenant.import {
            return Ok(Err(ImportRefusal::UnderWay(other.stored.leaderboard.clone())));
        }
        if tenant.boards.contains_key(id) {
            return Ok(Err(ImportRefusal::LeaderboardExists));
        }
        if new
            .max_leaderboards
            .is_some_and(|most| tenant.boards.len() as u64 >= most)
        {
            return Ok(Err(ImportRefusal::TooManyLeaderboards));
        }
        tenant.import = Some(ModelImport {
            stored: StoredImport {
                leaderboard: id.clone(),
                state: new.state.to_vec(),
                written_at: new.at,
            },
            board: LeaderboardState {
                configuration: Versioned {
                    version: 0,
                    value: new.leaderboard.clone(),
                },
                log: Vec::new(),
                projection: Projection {
                    leaderboard: Some(new.leaderboard.clone()),
                    ..Projection::default()
                },
                expiries: BTreeMap::new(),
                frozen: BTreeMap::new(),
                snapshots: BTreeMap::new(),
                ids: BTreeMap::new(),
                record_bytes: BTreeMap::new(),
            },
            snapshot: Vec::new(),
        });
        Ok(Ok(()))
    }

    async fn write_import(&self, step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(step.tenant.clone()).or_default();
        let used = tenant.entry_quota(step.at);
        let Some(import) = find(&mut tenant.import, step.leaderboard, step.expected) else {
            return Ok(Err(ImportRefusal::Changed));
        };
        let new = step
            .parts
            .iter()
            .filter(|part| matches!(part, ImportedPart::Entry(..)));
        let entries = import.entries() + new.count() as u64;
        if step
            .max_tenant_entries
            .is_some_and(|most| used.entries + entries > most)
        {
            return Ok(Err(ImportRefusal::TooManyEntries));
        }
        let log_bytes: u64 = step.parts.iter().map(weight_of).sum();
        if step
            .max_log_bytes
            .is_some_and(|most| used.log_bytes + import.log_bytes() + log_bytes > most)
        {
            return Ok(Err(ImportRefusal::LogFull));
        }
        for part in step.parts {
            import.add(part)?;
        }
        import.stored.state = step.state.to_vec();
        import.stored.written_at = step.at;
        Ok(Ok(()))
    }

    async fn finish_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        expected: &[u8],
    ) -> Result<Result<(), ImportRefusal>, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        if find(&mut tenant.import, leaderboard, expected).is_none() {
            return Ok(Err(ImportRefusal::Changed));
        }
        tenant.last_version = version_after(tenant.last_version, self.edge.borrow().clock_us);
        if let Some(import) = tenant.import.take() {
            let mut board = import.board;
            board.configuration.version = tenant.last_version;
            tenant.boards.insert(leaderboard.clone(), board);
        }
        Ok(Ok(()))
    }

    async fn discard_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        written_until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        let discarded = tenant.import.take_if(|import| {
            import.stored.leaderboard == *leaderboard
                && written_until.is_none_or(|until| import.stored.written_at <= until)
        });
        Ok(discarded.is_some())
    }
}

fn find<'i>(
    import: &'i mut Option<ModelImport>,
    leaderboard: &LeaderboardId,
    expected: &[u8],
) -> Option<&'i mut ModelImport> {
    import
        .as_mut()
        .filter(|import| import.stored.leaderboard == *leaderboard && import.stored.state == expected)
}

fn weight_of(part: &ImportedPart) -> u64 {
    match part {
        ImportedPart::Event(event) => leaderboard_core::event_weight(event.bytes.len()),
        ImportedPart::SnapshotBytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

impl ModelImport {
    /// Returns whether this is the import of a leaderboard.
    pub(crate) fn is_of(&self, leaderboard: &LeaderboardId) -> bool {
        self.stored.leaderboard == *leaderboard
    }

    fn entries(&self) -> u64 {
        let periods = self.board.projection.periods.values();
        periods.map(|state| state.entries.len() as u64).sum()
    }

    fn log_bytes(&self) -> u64 {
        let events: u64 = self
            .board
            .log
            .iter()
            .map(|recorded| recorded.event.weight())
            .sum();
        let snapshots = self.board.snapshots.values();
        let snapshots: u64 = snapshots.map(|(_, bytes)| crate::snapshots::weight(bytes)).sum();
        events + snapshots + self.snapshot.len() as u64
    }

    fn period(&mut self, id: &PeriodId) -> Result<&mut PeriodState, StoreError> {
        let found = self.board.projection.periods.get_mut(id);
        found.ok_or_else(|| StoreError::Rejected(format!("no period {id} is imported")))
    }

    fn add(&mut self, part: &ImportedPart) -> Result<(), StoreError> {
        match part {
            ImportedPart::Period(stored) => {
                let id = stored.period.id.clone();
                self.board.expiries.insert(id.clone(), stored.expires_at);
                if stored.freeze.is_some() || stored.reopened > 0 {
                    let frozen = self.board.frozen.entry(id.clone()).or_default();
                    frozen.freeze.clone_from(&stored.freeze);
                    frozen.reopened = stored.reopened;
                }
                let state = PeriodState {
                    period: stored.period.clone(),
                    layout: stored.layout.clone(),
                    version: stored.version,
                    entries: BTreeMap::new(),
                };
                self.board.projection.periods.insert(id, state);
            }
            ImportedPart::Entry(into, listed) => {
                let entry = listed.entry.clone();
                if listed.is_banned {
                    self.board.projection.banned.insert(entry.player.clone());
                }
                let state = self.period(&into.period)?;
                state.entries.insert(entry.player.clone(), entry);
            }
            ImportedPart::Claim(into, player, claim) => {
                let frozen: &mut FrozenPeriod = self.board.frozen.entry(into.period.clone()).or_default();
                frozen.claims.insert(player.clone(), claim.clone());
            }
            ImportedPart::SnapshotBytes(bytes) => self.snapshot.extend_from_slice(bytes),
            ImportedPart::Snapshot(summary) => {
                let bytes = std::mem::take(&mut self.snapshot);
                self.board
                    .snapshots
                    .insert(summary.position, (summary.latest_at, bytes));
            }
            ImportedPart::Event(encoded) => {
                let event =
                    decode_event(&encoded.bytes).map_err(|error| StoreError::Rejected(error.to_string()))?;
                self.board.projection.position = encoded.position;
                self.board.log.push(RecordedEvent {
                    position: encoded.position,
                    event,
                });
            }
            ImportedPart::Version(id, version) => self.period(id)?.version = *version,
        }
        Ok(())
    }
}
