//! Imports a leaderboard with its history, some lines at a time.

mod ban_differences;
mod state;
mod steps;

use std::collections::BTreeSet;

use super::event_projections::{delete_activity, put_stored_activity};
use super::{Deps, Store};
use crate::export_line::{ExportHeader, ExportLine};
use crate::ports::{
    BannedPlayers, Bans, Cache, Documents, IMPORT_RETENTION_MS, ImportRefusal, ImportStep, Imports,
    MAX_PLAYERS_LOOKED_UP, NewImport, StoredImport,
};
use crate::{LeaderboardId, PlayerId, StoreError, Timestamp};

pub use ban_differences::MAX_BAN_DIFFERENCES;
use state::ImportState;
use steps::LineReader;

/// The most lines that one request imports.
pub const MAX_IMPORTED_LINES: usize = 500;
// The players of one request are one look-up of bans.
const _: () = assert!(MAX_IMPORTED_LINES <= MAX_PLAYERS_LOOKED_UP);

/// The limits of a tenant that an import holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportLimits {
    /// The most leaderboards.
    pub leaderboards: Option<u64>,
    /// The most entries in all leaderboards.
    pub entries: Option<u64>,
    /// The most bytes of logs, snapshots and idempotency records.
    pub log_bytes: Option<u64>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportProgress {
    /// How many lines have been imported.
    pub lines: u64,
    /// Whether the last line has been imported, so that the leaderboard exists.
    pub is_finished: bool,
}

/// Why lines were not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportError {
    /// A line is wrong.
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// The name of its field.
        field: &'static str,
        /// What is right.
        detail: String,
    },
    /// Lines are missing before the first one of the request.
    MissingLines {
        /// The number of the line that comes next.
        next: u64,
    },
    /// The store refused the step.
    Refused(ImportRefusal),
    /// No import of this leaderboard is under way.
    NotBegun,
    /// The tenant's bans changed since the import began.
    BansChanged,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ImportRefusal> for ImportError {
    fn from(refusal: ImportRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Imports lines of an export into a leaderboard that does not exist yet. `first` is the number of the first line, from 1. Lines that
/// were imported before are passed over, so a request can be repeated, and a stopped import is continued by sending its first line
/// again. Nobody sees the leaderboard before its last line.
///
/// If an entry's player is banned in the file and not in the tenant, or the other way round, the tenant decides, and the end of the log
/// gets an event that says so.
///
/// # Errors
/// [`ImportError`]; nothing of the request was imported then.
pub async fn import_lines<S, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    first: u64,
    lines: Vec<ExportLine>,
    limits: &ImportLimits,
) -> Result<ImportProgress, ImportError>
where
    S: Store + Bans + Documents + Imports,
{
    let under_way = find_or_begin(deps, id, first, &lines, limits).await?;
    let state = ImportState::decode(&under_way.state)
        .map_err(|error| StoreError::Corrupt(format!("import: {error}")))?;
    check_header(&state, first, lines.first())?;
    if first > state.lines.saturating_add(1) {
        return Err(ImportError::MissingLines {
            next: state.lines.saturating_add(1),
        });
    }
    let known = state.lines.saturating_add(1).saturating_sub(first);
    let mut new = lines;
    let known = usize::try_from(known).unwrap_or(usize::MAX).min(new.len());
    new.drain(..known);
    let banned = find_banned(deps, &new).await?;
    let mut reader = LineReader::new(state, deps.now, banned)?;
    let mut activity = None;
    for line in new {
        match line {
            ExportLine::Activity(bytes) => activity = Some(reader.read_activity(bytes)?),
            line => reader.read(line)?,
        }
    }
    if let Some(bytes) = activity {
        put_stored_activity(deps, id, &bytes).await?;
    }
    let (state, parts) = reader.finish();
    let encoded = state.encode();
    if encoded != under_way.state {
        let step = ImportStep {
            tenant: deps.tenant,
            leaderboard: id,
            expected: &under_way.state,
            state: &encoded,
            parts: &parts,
            max_tenant_entries: limits.entries,
            max_log_bytes: limits.log_bytes,
            at: deps.now,
        };
        deps.store.write_import(&step).await??;
    }
    if state.is_complete() {
        deps.store.finish_import(deps.tenant, id, &encoded).await??;
    }
    Ok(ImportProgress {
        lines: state.lines,
        is_finished: state.is_complete(),
    })
}

/// Returns the import of the leaderboard. Begins one if the leaderboard is not being imported and the lines begin with the header.
async fn find_or_begin<S: Imports + Documents, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    first: u64,
    lines: &[ExportLine],
    limits: &ImportLimits,
) -> Result<StoredImport, ImportError> {
    let mut found = deps.store.find_import(deps.tenant).await?;
    if found.as_ref().is_some_and(|found| is_abandoned(found, deps.now)) {
        discard_abandoned_import(deps).await?;
        found = deps.store.find_import(deps.tenant).await?;
    }
    match found {
        Some(found) if found.leaderboard == *id => return Ok(found),
        Some(found) => return Err(ImportRefusal::UnderWay(found.leaderboard).into()),
        None if first == 1 => {}
        None => return Err(ImportError::NotBegun),
    }
    let Some(ExportLine::Header(header)) = lines.first() else {
        return Err(no_header());
    };
    let board = &header.leaderboard;
    let fault = |field, detail: String| {
        Err(ImportError::Line {
            line: 1,
            field,
            detail,
        })
    };
    if board.id != *id {
        return fault(
            "leaderboard",
            format!("must be `{id}`, the leaderboard of the request"),
        );
    }
    if let Err(invalid) = board.check() {
        return fault(
            "configuration",
            format!("{}: {}", invalid.pointer, invalid.detail),
        );
    }
    let state = ImportState::begin(header).encode();
    let import = NewImport {
        tenant: deps.tenant,
        leaderboard: board,
        state: &state,
        max_leaderboards: limits.leaderboards,
        at: deps.now,
    };
    deps.store.begin_import(&import).await??;
    Ok(StoredImport {
        leaderboard: id.clone(),
        state,
        written_at: deps.now,
    })
}

fn no_header() -> ImportError {
    ImportError::Line {
        line: 1,
        field: "type",
        detail: "must be `header`: the first line of an export".into(),
    }
}

/// Checks that a request which begins with the first line is about the export that is being imported.
fn check_header(state: &ImportState, first: u64, line: Option<&ExportLine>) -> Result<(), ImportError> {
    if first != 1 {
        return Ok(());
    }
    let Some(ExportLine::Header(header)) = line else {
        return Err(no_header());
    };
    let ExportHeader {
        leaderboard,
        position,
    } = &**header;
    if state.header != ImportState::encode_header(leaderboard, *position) {
        return Err(ImportError::Line {
            line: 1,
            field: "position",
            detail: "is of another export than the import that is under way; delete that import first".into(),
        });
    }
    Ok(())
}

/// Returns which players of the lines are banned.
async fn find_banned<S: Bans, K>(
    deps: &Deps<'_, S, K>,
    lines: &[ExportLine],
) -> Result<BannedPlayers, StoreError> {
    let players = lines.iter().filter_map(|line| match line {
        ExportLine::Entry(listed) => Some(listed.entry.player.clone()),
        _ => None,
    });
    let players: BTreeSet<PlayerId> = players.collect();
    let players: Vec<PlayerId> = players.into_iter().collect();
    deps.store.find_banned(deps.tenant, &players, deps.now).await
}

/// Deletes the import of a leaderboard that is under way. Returns whether there was one.
///
/// # Errors
/// [`StoreError`].
pub async fn discard_import<S: Imports + Documents, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<bool, StoreError> {
    discard(deps, id, None).await
}

/// Deletes the import of the tenant that is under way if its last step was [`IMPORT_RETENTION_MS`] ago: nobody continues it. Returns
/// whether there was one.
///
/// # Errors
/// [`StoreError`].
pub async fn discard_abandoned_import<S: Imports + Documents, K>(
    deps: &Deps<'_, S, K>,
) -> Result<bool, StoreError> {
    let found = deps.store.find_import(deps.tenant).await?;
    match found.filter(|found| is_abandoned(found, deps.now)) {
        Some(found) => discard(deps, &found.leaderboard, Some(abandoned_until(deps.now))).await,
        None => Ok(false),
    }
}

async fn discard<S: Imports + Documents, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    written_until: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let store = deps.store;
    let was_there = store.discard_import(deps.tenant, id, written_until).await?;
    if was_there {
        delete_activity(store, deps.tenant, id).await?;
    }
    Ok(was_there)
}

/// Returns the latest instant of the last step of an import that is abandoned at `now`.
fn abandoned_until(now: Timestamp) -> Timestamp {
    now.saturating_add_ms(IMPORT_RETENTION_MS.saturating_neg())
}

fn is_abandoned(import: &StoredImport, now: Timestamp) -> bool {
    import.written_at <= abandoned_until(now)
}

/// Returns how many lines of a leaderboard are imported; `None` if the leaderboard is not being imported.
///
/// # Errors
/// [`StoreError`].
pub async fn find_import<S: Imports, K>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
) -> Result<Option<ImportProgress>, StoreError> {
    let found = deps.store.find_import(deps.tenant).await?;
    let found = found.filter(|found| found.leaderboard == *id && !is_abandoned(found, deps.now));
    let Some(found) = found else {
        return Ok(None);
    };
    let state =
        ImportState::decode(&found.state).map_err(|error| StoreError::Corrupt(format!("import: {error}")))?;
    Ok(Some(ImportProgress {
        lines: state.lines,
        is_finished: false,
    }))
}
