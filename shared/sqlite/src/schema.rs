//! The tables, as the migrations that create them. A migration does not change after its release.
//!
//! The rows of leaderboards and periods have numbers that are not used twice. So the remaining data of a deleted leaderboard or
//! period is invisible at once and can be deleted in small steps.

use crate::{import_table, queue_table, rank_blocks, snapshot_table, writes};

/// The migrations in their order. The file's `user_version` is the number of migrations that have been applied.
pub(crate) const MIGRATIONS: &[&[&str]] = &[
    SCORES,
    DEAD_LETTERS,
    EDGE,
    NOTICES,
    REBUILDS,
    ENTRY_COUNTS,
    LOG_BYTES,
    DEAD_LETTER_SCOPES,
    BANS,
    EXPIRIES,
    RECORD_BYTES,
    rank_blocks::MIGRATION,
    TENANT_WEIGHTS,
    writes::VIEW,
    writes::TRIGGER,
    STANDINGS,
    queue_table::MIGRATION,
    snapshot_table::MIGRATION,
    queue_table::PENDING_REQUESTS,
    import_table::MIGRATION,
    FROZEN_PRIZES,
    queue_table::ITEMS_OF_TENANT,
    import_table::LAST_STEP,
];

const SCORES: &[&str] = &[
    // The last configuration version given out in a tenant; outlives the leaderboards.
    "CREATE TABLE configuration_versions (
        tenant TEXT PRIMARY KEY NOT NULL,
        last INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE leaderboards (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        configuration BLOB NOT NULL,
        last_position INTEGER NOT NULL,
        UNIQUE (tenant, id)
    )",
    // `version` is the position of the last event that changed an entry; `visible` and `total` count them.
    "CREATE TABLE periods (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        leaderboard INTEGER NOT NULL,
        id TEXT NOT NULL,
        starts_at INTEGER,
        ends_at INTEGER,
        expires_at INTEGER,
        layout BLOB NOT NULL,
        version INTEGER NOT NULL,
        visible INTEGER NOT NULL,
        total INTEGER NOT NULL,
        UNIQUE (leaderboard, id)
    )",
    "CREATE INDEX periods_by_expiry ON periods (leaderboard, expires_at)",
    // Values and time are in the order key alone.
    "CREATE TABLE entries (
        period INTEGER NOT NULL,
        player TEXT NOT NULL,
        order_key BLOB NOT NULL,
        hidden INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        metadata TEXT,
        PRIMARY KEY (period, player)
    ) WITHOUT ROWID",
    "CREATE INDEX entries_by_order ON entries (period, hidden, order_key)",
    // The different tuples of the visible entries and how many have each; for dense ranks only.
    "CREATE TABLE tuples (
        period INTEGER NOT NULL,
        tuple BLOB NOT NULL,
        entries INTEGER NOT NULL,
        PRIMARY KEY (period, tuple)
    ) WITHOUT ROWID",
    "CREATE TABLE events (
        leaderboard INTEGER NOT NULL,
        position INTEGER NOT NULL,
        event BLOB NOT NULL,
        PRIMARY KEY (leaderboard, position)
    ) WITHOUT ROWID",
    "CREATE TABLE submissions (
        leaderboard INTEGER NOT NULL,
        id TEXT NOT NULL,
        recorded_at INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        outcome BLOB NOT NULL,
        PRIMARY KEY (leaderboard, id)
    ) WITHOUT ROWID",
    "CREATE INDEX submissions_by_age ON submissions (leaderboard, recorded_at)",
    "CREATE TABLE hidden_players (
        tenant TEXT NOT NULL,
        player TEXT NOT NULL,
        PRIMARY KEY (tenant, player)
    ) WITHOUT ROWID",
    // Leaderboards (kind 0) and periods (kind 1) that are gone and whose rows are still to be deleted.
    "CREATE TABLE discarded (
        kind INTEGER NOT NULL,
        row INTEGER NOT NULL,
        PRIMARY KEY (kind, row)
    ) WITHOUT ROWID",
];

const DEAD_LETTERS: &[&str] = &[
    "CREATE TABLE dead_letters (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        digest BLOB NOT NULL,
        reason TEXT NOT NULL,
        payload BLOB NOT NULL
    )",
    "CREATE INDEX dead_letters_by_age ON dead_letters (at)",
    "CREATE INDEX dead_letters_by_digest ON dead_letters (digest, at)",
];

/// The tables of documents, rate limits and records. The scope of a row is a tenant's id, or empty for the operator.
const EDGE: &[&str] = &[
    "CREATE TABLE documents (
        scope TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (scope, kind, id)
    ) WITHOUT ROWID",
    // The last version given out in a scope; outlives the documents.
    "CREATE TABLE document_versions (
        scope TEXT PRIMARY KEY NOT NULL,
        last INTEGER NOT NULL
    ) WITHOUT ROWID",
    // When the last unit that was taken will have grown back, in microseconds: the theoretical arrival time.
    "CREATE TABLE buckets (
        tenant TEXT NOT NULL,
        bucket TEXT NOT NULL,
        arrives_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, bucket)
    ) WITHOUT ROWID",
    "CREATE INDEX buckets_by_arrival ON buckets (arrives_at)",
    "CREATE TABLE usage (
        tenant TEXT NOT NULL,
        day INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        scores INTEGER NOT NULL,
        PRIMARY KEY (tenant, day)
    ) WITHOUT ROWID",
    "CREATE INDEX usage_by_day ON usage (day)",
    "CREATE TABLE counters (
        name TEXT PRIMARY KEY NOT NULL,
        count INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE TABLE audit (
        scope TEXT NOT NULL,
        position INTEGER NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (scope, position)
    ) WITHOUT ROWID",
];

const NOTICES: &[&str] = &[
    // Refusals and issued tokens. Positions are counted over this table and the table of audit events.
    "CREATE TABLE notices (
        scope TEXT NOT NULL,
        position INTEGER NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (scope, position)
    ) WITHOUT ROWID",
    // How many records of a scope are in each of them.
    "CREATE TABLE audit_sizes (
        scope TEXT NOT NULL,
        kind TEXT NOT NULL,
        records INTEGER NOT NULL,
        PRIMARY KEY (scope, kind)
    ) WITHOUT ROWID",
    "INSERT INTO audit_sizes SELECT scope, 'audit', count(*) FROM audit GROUP BY scope",
];

const REBUILDS: &[&str] = &[
    // Periods whose entries are being copied into another order: the row that the copies belong to, their layout, the
    // player up to whom they are made, and until when no score is taken.
    "CREATE TABLE rebuilds (
        period INTEGER PRIMARY KEY NOT NULL,
        spare INTEGER NOT NULL,
        layout BLOB NOT NULL,
        copied_to TEXT NOT NULL,
        until INTEGER NOT NULL
    )",
];

/// The number of entries of a leaderboard in all its periods, updated by triggers. So the number of a tenant's entries is a sum
/// over leaderboards instead of periods.
const ENTRY_COUNTS: &[&str] = &[
    "ALTER TABLE leaderboards ADD COLUMN entries INTEGER NOT NULL DEFAULT 0",
    "UPDATE leaderboards SET entries = \
     (SELECT coalesce(sum(total), 0) FROM periods WHERE leaderboard = leaderboards.row)",
    "CREATE TRIGGER entries_change AFTER UPDATE OF total ON periods WHEN NEW.total <> OLD.total BEGIN
        UPDATE leaderboards SET entries = entries + NEW.total - OLD.total WHERE row = NEW.leaderboard;
    END",
    "CREATE TRIGGER entries_go AFTER DELETE ON periods WHEN OLD.total <> 0 BEGIN
        UPDATE leaderboards SET entries = entries - OLD.total WHERE row = OLD.leaderboard;
    END",
];

const LOG_BYTES: &[&str] = &[
    // How much of a log is kept, as its configuration says, and what it weighs.
    "ALTER TABLE leaderboards ADD COLUMN keep_events INTEGER NOT NULL DEFAULT 100000",
    "ALTER TABLE leaderboards ADD COLUMN keep_ms INTEGER NOT NULL DEFAULT 2592000000",
    "ALTER TABLE leaderboards ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0",
    "UPDATE leaderboards SET log_bytes = \
     (SELECT coalesce(sum(length(event) + 32), 0) FROM events WHERE leaderboard = leaderboards.row)",
    // What the logs of a tenant weigh together.
    "CREATE TABLE tenant_logs (
        tenant TEXT PRIMARY KEY NOT NULL,
        bytes INTEGER NOT NULL
    ) WITHOUT ROWID",
    "INSERT INTO tenant_logs SELECT tenant, sum(log_bytes) FROM leaderboards GROUP BY tenant",
    // How many idempotency records were made in each span of 24 hours: by leaderboard, and by tenant.
    "CREATE TABLE record_counts (
        leaderboard INTEGER NOT NULL,
        span INTEGER NOT NULL,
        records INTEGER NOT NULL,
        PRIMARY KEY (leaderboard, span)
    ) WITHOUT ROWID",
    "INSERT INTO record_counts SELECT leaderboard, recorded_at / 86400000, count(*) FROM submissions \
     WHERE leaderboard IN (SELECT row FROM leaderboards) GROUP BY 1, 2",
    "CREATE TABLE tenant_record_counts (
        tenant TEXT NOT NULL,
        span INTEGER NOT NULL,
        records INTEGER NOT NULL,
        PRIMARY KEY (tenant, span)
    ) WITHOUT ROWID",
    "INSERT INTO tenant_record_counts SELECT tenant, span, sum(records) \
     FROM record_counts JOIN leaderboards ON row = leaderboard GROUP BY 1, 2",
];

/// The scope of a dead letter: a tenant's id, or empty if the message does not name a tenant. Letters from before this migration
/// have no scope.
const DEAD_LETTER_SCOPES: &[&str] = &[
    "ALTER TABLE dead_letters ADD COLUMN scope TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX dead_letters_by_scope ON dead_letters (scope, row)",
    // They are in the order of their ids.
    "DROP INDEX dead_letters_by_age",
];

const BANS: &[&str] = &[
    "CREATE TABLE bans (
        tenant TEXT NOT NULL,
        player TEXT NOT NULL,
        banned_at INTEGER NOT NULL,
        expires_at INTEGER,
        reason TEXT,
        PRIMARY KEY (tenant, player)
    ) WITHOUT ROWID",
    "CREATE INDEX bans_by_end ON bans (tenant, expires_at) WHERE expires_at IS NOT NULL",
    // Earlier versions did not store when a player was banned.
    "INSERT INTO bans (tenant, player, banned_at) SELECT tenant, player, unixepoch() * 1000 FROM hidden_players",
    "DROP TABLE hidden_players",
    // Bans and their ends that are yet to be applied to some leaderboard, in their order.
    "CREATE TABLE ban_changes (
        tenant TEXT NOT NULL,
        number INTEGER NOT NULL,
        player TEXT NOT NULL,
        banned INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (tenant, number)
    ) WITHOUT ROWID",
    // The number given last, and how far the walk over the leaderboards is that applies those up to a target.
    "CREATE TABLE ban_walks (
        tenant TEXT PRIMARY KEY NOT NULL,
        last INTEGER NOT NULL,
        target INTEGER,
        cursor TEXT
    ) WITHOUT ROWID",
    // The number of the last change that was applied to it.
    "ALTER TABLE leaderboards ADD COLUMN ban_change INTEGER NOT NULL DEFAULT 0",
];

const EXPIRIES: &[&str] = &[
    // The order in which periods are listed, as `periods.rs` words it.
    "CREATE INDEX periods_by_start ON periods (leaderboard, coalesce(starts_at, -9223372036854775807) DESC, id)",
    // What a change of a configuration has left to be applied: periods and when they expire.
    "CREATE TABLE pending_expiries (
        leaderboard INTEGER PRIMARY KEY NOT NULL,
        expiries BLOB NOT NULL
    )",
];

/// The weight of the idempotency records of a span, in place of their number. Each record from before this migration counts 256
/// bytes, as before, until it expires.
const RECORD_BYTES: &[&str] = &[
    "ALTER TABLE record_counts RENAME TO record_weights",
    "ALTER TABLE record_weights RENAME COLUMN records TO bytes",
    "UPDATE record_weights SET bytes = bytes * 256",
    "ALTER TABLE tenant_record_counts RENAME TO tenant_record_weights",
    "ALTER TABLE tenant_record_weights RENAME COLUMN records TO bytes",
    "UPDATE tenant_record_weights SET bytes = bytes * 256",
];

/// When the standings of a period became final, with which version and how many visible entries; `NULL` if they are not. Claims
/// belong to the row of their period.
const STANDINGS: &[&str] = &[
    "ALTER TABLE periods ADD COLUMN frozen_at INTEGER",
    "ALTER TABLE periods ADD COLUMN frozen_version INTEGER",
    "ALTER TABLE periods ADD COLUMN frozen_count INTEGER",
    "ALTER TABLE periods ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE claims (
        period INTEGER NOT NULL,
        player TEXT NOT NULL,
        prize TEXT NOT NULL,
        rank INTEGER NOT NULL,
        claimed_at INTEGER NOT NULL,
        PRIMARY KEY (period, player)
    ) WITHOUT ROWID",
];

/// Triggers that add the weights of a leaderboard to those of its tenant, so that a score needs no statements for them.
const TENANT_WEIGHTS: &[&str] = &[
    "CREATE TRIGGER tenant_logs_change AFTER UPDATE OF log_bytes ON leaderboards
    WHEN NEW.log_bytes <> OLD.log_bytes BEGIN
        INSERT INTO tenant_logs (tenant, bytes) VALUES (NEW.tenant, NEW.log_bytes - OLD.log_bytes)
        ON CONFLICT (tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
    END",
    "CREATE TRIGGER record_weights_change AFTER UPDATE OF bytes ON record_weights BEGIN
        INSERT INTO tenant_record_weights (tenant, span, bytes)
        SELECT tenant, NEW.span, NEW.bytes - OLD.bytes FROM leaderboards WHERE row = NEW.leaderboard
        ON CONFLICT (tenant, span) DO UPDATE SET bytes = bytes + excluded.bytes;
    END",
    // The records of a span before the last one have expired.
    "CREATE TRIGGER record_weights_begin AFTER INSERT ON record_weights BEGIN
        INSERT INTO tenant_record_weights (tenant, span, bytes)
        SELECT tenant, NEW.span, NEW.bytes FROM leaderboards WHERE row = NEW.leaderboard
        ON CONFLICT (tenant, span) DO UPDATE SET bytes = bytes + excluded.bytes;
        DELETE FROM record_weights WHERE leaderboard = NEW.leaderboard AND span < NEW.span - 1;
        DELETE FROM tenant_record_weights WHERE span < NEW.span - 1
        AND tenant = (SELECT tenant FROM leaderboards WHERE row = NEW.leaderboard);
    END",
];

/// The prizes of final standings, as text; `NULL` if the standings are not final, or became so before this migration. And the prize that a
/// claim replaces.
const FROZEN_PRIZES: &[&str] = &[
    "ALTER TABLE periods ADD COLUMN frozen_prizes TEXT",
    "ALTER TABLE claims ADD COLUMN replaces TEXT",
];
