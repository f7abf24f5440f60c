//! What undoes the migrations, so that a test has a file of an older version.

/// The statements that undo each migration, the newest first, with the schema version before the migration.
/// SQLite drops the indexes of a table with the table.
pub(crate) const UNDO: [(i64, &[&str]); 22] = [
    (22, &["ALTER TABLE imports DROP COLUMN written_at"]),
    (21, &["DROP INDEX queue_items_of_tenant"]),
    (
        20,
        &[
            "ALTER TABLE claims DROP COLUMN replaces",
            "ALTER TABLE periods DROP COLUMN frozen_prizes",
        ],
    ),
    (19, &["DROP TABLE imports", "DROP TABLE import_parts"]),
    (
        18,
        &["DROP INDEX pending_requests", "DROP INDEX queue_items_by_request"],
    ),
    (17, &["DROP TABLE snapshots"]),
    (
        16,
        &[
            "DROP TABLE queue_items",
            "DROP TABLE queued_requests",
            "DROP TABLE queue_sizes",
        ],
    ),
    (
        15,
        &[
            "DROP TABLE claims",
            "ALTER TABLE periods DROP COLUMN reopened",
            "ALTER TABLE periods DROP COLUMN frozen_count",
            "ALTER TABLE periods DROP COLUMN frozen_version",
            "ALTER TABLE periods DROP COLUMN frozen_at",
        ],
    ),
    // The trigger of the old schema; what it did makes no difference.
    (
        14,
        &[
            "DROP TRIGGER writes_apply",
            "CREATE TRIGGER writes_apply INSTEAD OF INSERT ON writes BEGIN SELECT 1; END",
        ],
    ),
    (13, &["DROP VIEW writes"]),
    (
        12,
        &[
            "DROP TRIGGER tenant_logs_change",
            "DROP TRIGGER record_weights_change",
            "DROP TRIGGER record_weights_begin",
        ],
    ),
    (
        11,
        &[
            "DROP TRIGGER rank_blocks_entry_comes",
            "DROP TRIGGER rank_blocks_entry_goes",
            "DROP TRIGGER rank_blocks_entry_moves",
            "DROP TRIGGER rank_blocks_tuple_comes",
            "DROP TRIGGER rank_blocks_tuple_goes",
            "DROP TRIGGER rank_blocks_discard",
            "DROP VIEW rank_changes",
            "DROP TABLE rank_blocks",
        ],
    ),
    (
        10,
        &[
            "UPDATE record_weights SET bytes = bytes / 256",
            "ALTER TABLE record_weights RENAME COLUMN bytes TO records",
            "ALTER TABLE record_weights RENAME TO record_counts",
            "UPDATE tenant_record_weights SET bytes = bytes / 256",
            "ALTER TABLE tenant_record_weights RENAME COLUMN bytes TO records",
            "ALTER TABLE tenant_record_weights RENAME TO tenant_record_counts",
        ],
    ),
    (9, &["DROP INDEX periods_by_start", "DROP TABLE pending_expiries"]),
    (
        8,
        &[
            "DROP TABLE bans",
            "DROP TABLE ban_changes",
            "DROP TABLE ban_walks",
            BEFORE_BANS,
        ],
    ),
    (
        7,
        &[
            "DROP INDEX dead_letters_by_scope",
            "ALTER TABLE dead_letters DROP COLUMN scope",
            "CREATE INDEX dead_letters_by_age ON dead_letters (at)",
        ],
    ),
    (
        6,
        &[
            "DROP TABLE tenant_logs",
            "DROP TABLE record_counts",
            "DROP TABLE tenant_record_counts",
        ],
    ),
    (
        5,
        &[
            "DROP TRIGGER entries_go",
            "DROP TRIGGER entries_change",
            "ALTER TABLE leaderboards DROP COLUMN entries",
        ],
    ),
    (4, &["DROP TABLE rebuilds"]),
    (3, &["DROP TABLE notices", "DROP TABLE audit_sizes"]),
    (
        2,
        &[
            "DROP TABLE documents",
            "DROP TABLE document_versions",
            "DROP TABLE buckets",
            "DROP TABLE usage",
            "DROP TABLE counters",
            "DROP TABLE audit",
        ],
    ),
    (1, &["DROP TABLE dead_letters"]),
];

/// The further statements that undo the migration to bans.
const BEFORE_BANS: &str = "ALTER TABLE leaderboards DROP COLUMN ban_change;
    CREATE TABLE hidden_players (
        tenant TEXT NOT NULL,
        player TEXT NOT NULL,
        PRIMARY KEY (tenant, player)
    ) WITHOUT ROWID;
    UPDATE entries SET hidden = player = 'bob';
    UPDATE periods SET visible = visible - (SELECT count(*) FROM entries WHERE hidden);
    INSERT INTO hidden_players SELECT 'acme', player FROM entries WHERE hidden";
