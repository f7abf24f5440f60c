//! The table of snapshots.

/// The table of snapshots, whose rows weigh as much as events.
pub(crate) const MIGRATION: &[&str] = &[
    "CREATE TABLE snapshots (row INTEGER PRIMARY KEY, leaderboard INTEGER NOT NULL, position INTEGER NOT NULL,
        latest_at INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (leaderboard, position))",
    "CREATE TRIGGER snapshot_comes AFTER INSERT ON snapshots BEGIN
        UPDATE leaderboards SET log_bytes = log_bytes + length(NEW.bytes) + 128 WHERE row = NEW.leaderboard;
    END",
    "CREATE TRIGGER snapshot_goes AFTER DELETE ON snapshots BEGIN
        UPDATE leaderboards SET log_bytes = log_bytes - length(OLD.bytes) - 128 WHERE row = OLD.leaderboard;
    END",
];
