//! The tables of the durable queue.

/// The items and the requests. An item is due when it is new, when its lease has ended, or when it is to be tried again.
pub(crate) const MIGRATION: &[&str] = &[
    "CREATE TABLE queue_items (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        payload BLOB NOT NULL,
        enqueued_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL
    )",
    "CREATE INDEX queue_items_by_due ON queue_items (due_at)",
    // `result` and its end are NULL while the request is in the queue.
    "CREATE TABLE queued_requests (
        tenant TEXT NOT NULL,
        id TEXT NOT NULL,
        digest BLOB NOT NULL,
        player TEXT,
        result BLOB,
        ends_at INTEGER,
        PRIMARY KEY (tenant, id)
    ) WITHOUT ROWID",
    "CREATE INDEX queued_requests_by_end ON queued_requests (ends_at) WHERE ends_at IS NOT NULL",
    "CREATE INDEX queued_requests_of_tenant ON queued_requests (tenant, ends_at) WHERE ends_at IS NOT NULL",
    // Items and bytes in the queue, and bytes of kept results.
    "CREATE TABLE queue_sizes (
        tenant TEXT PRIMARY KEY NOT NULL,
        items INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        results INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE TRIGGER queue_item_comes AFTER INSERT ON queue_items BEGIN
        INSERT INTO queue_sizes (tenant, items, bytes, results) VALUES (NEW.tenant, 1, length(NEW.payload), 0)
        ON CONFLICT (tenant) DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
    END",
    "CREATE TRIGGER queue_item_goes AFTER DELETE ON queue_items BEGIN
        UPDATE queue_sizes SET items = items - 1, bytes = bytes - length(OLD.payload) WHERE tenant = OLD.tenant;
    END",
    "CREATE TRIGGER queued_request_is_done AFTER UPDATE OF result ON queued_requests BEGIN
        UPDATE queue_sizes SET results = results + length(NEW.result) WHERE tenant = NEW.tenant;
    END",
    "CREATE TRIGGER queued_request_goes AFTER DELETE ON queued_requests WHEN OLD.result IS NOT NULL BEGIN
        UPDATE queue_sizes SET results = results - length(OLD.result) WHERE tenant = OLD.tenant;
        DELETE FROM queue_sizes WHERE tenant = OLD.tenant AND items = 0 AND results = 0;
    END",
];

/// The requests of a player that are in the queue.
pub(crate) const PENDING_REQUESTS: &[&str] = &[
    "CREATE INDEX pending_requests ON queued_requests (tenant, player) WHERE result IS NULL AND player IS NOT NULL",
    "CREATE INDEX queue_items_by_request ON queue_items (tenant, id)",
];

/// The items of a tenant by their instant.
pub(crate) const ITEMS_OF_TENANT: &[&str] =
    &["CREATE INDEX queue_items_of_tenant ON queue_items (tenant, enqueued_at)"];
