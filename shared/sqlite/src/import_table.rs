//! The tables of imports.

/// The imports that are under way, with the row of the leaderboard; and the parts of their snapshots.
pub(crate) const MIGRATION: &[&str] = &[
    "CREATE TABLE imports (
        tenant TEXT PRIMARY KEY NOT NULL,
        leaderboard INTEGER NOT NULL,
        id TEXT NOT NULL,
        state BLOB NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE import_parts (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        leaderboard INTEGER NOT NULL,
        bytes BLOB NOT NULL
    )",
    "CREATE INDEX import_parts_of_leaderboard ON import_parts (leaderboard, row)",
];

/// The instant of the last step of an import. An import of an earlier version has none, and is as old as can be.
pub(crate) const LAST_STEP: &[&str] =
    &["ALTER TABLE imports ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0"];
