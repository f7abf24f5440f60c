//! Migrates a file to the schema of this program.

use leaderboard_core::StoreError;

use crate::schema::MIGRATIONS;
use crate::session::Session;

/// When a commit is on the disk: SQLite's `synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Before the response.
    Full,
    /// At the next checkpoint. If the machine loses power, the last commits can be lost; the file stays consistent. A crash of the
    /// program alone loses nothing.
    Normal,
}

/// Reads in one statement whether a connection needs preparation.
const STATE: &str = "SELECT (SELECT user_version FROM pragma_user_version), \
     (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)";
/// The size of the page cache: at most 32 MiB. Two indexes of 100,000 entries take about 20 MiB, and scores of different players
/// are in different pages. SQLite's default is 2 MiB.
const CACHE: &str = "PRAGMA cache_size = -32768";
/// The copies of pages that SQLite makes for the rollback of a statement are in memory. Otherwise each score creates, writes and
/// deletes a temporary file, because its changes are one statement with a trigger.
const TEMPORARY_DATA: &str = "PRAGMA temp_store = MEMORY";
/// How long a statement waits while another instance writes, in milliseconds: not at all, because no other request of the instance
/// runs meanwhile. The store tries again after a pause.
const BUSY_TIMEOUT_MS: u32 = 0;

/// Prepares a new connection, with a single query if the file is up to date.
pub(crate) fn prepare(session: &Session<'_>, synchronous: Synchronous) -> Result<(), StoreError> {
    let mut state = session.only_row(STATE, &[])?;
    let version = state.integer("schema version")?;
    let journal = state.text("journal mode")?;
    let (sql, setting) = match synchronous {
        Synchronous::Normal => ("PRAGMA synchronous = NORMAL", 1),
        Synchronous::Full => ("PRAGMA synchronous = FULL", 2),
    };
    if state.integer("synchronous")? != setting {
        session.run(sql, &[])?;
    }
    session.run(CACHE, &[])?;
    session.run(TEMPORARY_DATA, &[])?;
    if known(version)? < MIGRATIONS.len() {
        if journal == "delete" {
            // The file keeps this mode. Another connection that starts at the same time can block this one, and sets the same mode.
            match session.run("PRAGMA journal_mode = WAL", &[]) {
                Ok(()) | Err(StoreError::Unavailable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        migrate(session)?;
    }
    // Last, because a migration waits for those of other instances for longer.
    session.run(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"), &[])
}

/// Returns how many migrations have been applied to a file with this version.
fn known(version: i64) -> Result<usize, StoreError> {
    usize::try_from(version)
        .ok()
        .filter(|done| *done <= MIGRATIONS.len())
        .ok_or_else(|| {
            StoreError::Rejected(format!(
                "the database has schema version {version}, and this program knows versions up to {}: \
                 use a newer program",
                MIGRATIONS.len()
            ))
        })
}

/// Runs the missing migrations. Each step is one transaction and reads the version again, because several instances can start at the
/// same time.
fn migrate(session: &Session<'_>) -> Result<(), StoreError> {
    loop {
        session.run("BEGIN IMMEDIATE", &[])?;
        let mut row = session.only_row("PRAGMA user_version", &[])?;
        let done = known(row.integer("schema version")?)?;
        let Some(step) = MIGRATIONS.get(done) else {
            return session.run("ROLLBACK", &[]);
        };
        for statement in *step {
            session.run(statement, &[])?;
        }
        let next = done + 1;
        session.run(&format!("PRAGMA user_version = {next}"), &[])?;
        session.run("COMMIT", &[])?;
    }
}
