//! What a transaction writes at its end. One statement writes the rows of all tables, because each statement is a call to the host.

use leaderboard_core::ports::Usage;
use leaderboard_core::{Entry, Metadata, OrderKey, PreparedSubmission, StoreError, TenantId};

use crate::connection::Value;
use crate::row::stored;
use crate::rows::JsonRows;
use crate::session::Session;

/// A view whose columns take the rows of the table of this name, as [`JsonRows`].
pub(crate) const VIEW: &[&str] = &[
    "CREATE VIEW writes AS SELECT NULL AS entries, NULL AS submissions, NULL AS periods, NULL AS events, \
     NULL AS leaderboards, NULL AS record_weights, NULL AS buckets, NULL AS usage",
];

/// The trigger that writes the rows that an insert into the view has. An update sets no column of an index that keeps its value:
/// SQLite would write the page of the index.
pub(crate) const TRIGGER: &[&str] = &[
    "DROP TRIGGER IF EXISTS writes_apply",
    "CREATE TRIGGER writes_apply INSTEAD OF INSERT ON writes BEGIN
        INSERT INTO entries (period, player, order_key, hidden, attempts, metadata)
        SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5
        FROM json_each(NEW.entries) WHERE true ON CONFLICT (period, player) DO UPDATE SET
        order_key = excluded.order_key, attempts = excluded.attempts, metadata = excluded.metadata;

        INSERT OR REPLACE INTO submissions (leaderboard, id, recorded_at, fingerprint, outcome)
        SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), unhex(value ->> 4)
        FROM json_each(NEW.submissions);

        UPDATE periods SET version = saved.value ->> 1, visible = saved.value ->> 2, total = saved.value ->> 3
        FROM json_each(NEW.periods) AS saved WHERE row = saved.value ->> 0;

        UPDATE periods SET expires_at = saved.value ->> 4
        FROM json_each(NEW.periods) AS saved WHERE row = saved.value ->> 0 AND expires_at IS NOT saved.value ->> 4;

        INSERT INTO events (leaderboard, position, event)
        SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(NEW.events);

        UPDATE leaderboards SET last_position = changed.value ->> 1, log_bytes = log_bytes + (changed.value ->> 2)
        FROM json_each(NEW.leaderboards) AS changed WHERE row = changed.value ->> 0;

        INSERT INTO record_weights (leaderboard, span, bytes)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.record_weights) WHERE true
        ON CONFLICT (leaderboard, span) DO UPDATE SET bytes = bytes + excluded.bytes;

        INSERT OR REPLACE INTO buckets (tenant, bucket, arrives_at)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.buckets);

        INSERT INTO usage (tenant, day, requests, scores)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.usage) WHERE true
        ON CONFLICT (tenant, day) DO UPDATE SET requests = excluded.requests, scores = excluded.scores;
    END",
];

/// The rows that a transaction writes at its end, by table.
#[derive(Debug, Default)]
pub(crate) struct PendingWrites {
    entries: JsonRows,
    submissions: JsonRows,
    periods: JsonRows,
    events: JsonRows,
    leaderboards: JsonRows,
    record_weights: JsonRows,
    buckets: JsonRows,
    usage: JsonRows,
}

impl PendingWrites {
    /// Creates or replaces an entry. `banned` counts only for a new entry.
    pub(crate) fn save_entry(&mut self, period: i64, entry: &Entry, key: &OrderKey, banned: bool) {
        let metadata = entry.metadata.as_ref().map(Metadata::as_json_text);
        self.entries.push(&[
            Value::Integer(period),
            Value::Text(entry.player.as_str()),
            Value::Blob(key.as_bytes()),
            Value::Integer(i64::from(banned)),
            Value::Integer(i64::from(entry.attempts)),
            metadata.map_or(Value::Null, Value::Text),
        ]);
    }

    /// Saves the idempotency record with this name, and replaces an expired one.
    pub(crate) fn save_record(
        &mut self,
        board: i64,
        name: &str,
        submission: &PreparedSubmission,
        outcome: &[u8],
    ) {
        self.submissions.push(&[
            Value::Integer(board),
            Value::Text(name),
            Value::Integer(submission.recorded_at.as_unix_ms()),
            Value::Blob(&submission.fingerprint),
            Value::Blob(outcome),
        ]);
    }

    /// Saves the columns of a period that an event changes: row, version, number of visible entries, number of all entries, expiry.
    pub(crate) fn save_period(&mut self, columns: &[Value<'_>; 5]) {
        self.periods.push(columns);
    }

    /// Adds an encoded event to a leaderboard's log.
    pub(crate) fn add_event(&mut self, board: i64, position: u64, event: &[u8]) {
        self.events.push(&[
            Value::Integer(board),
            Value::Integer(stored(position)),
            Value::Blob(event),
        ]);
    }

    /// Saves the position of the last event of a leaderboard's log, and by how many bytes the log grows. A trigger changes the weight
    /// of the tenant's logs.
    pub(crate) fn change_log(&mut self, board: i64, last_position: u64, more_bytes: i64) {
        self.leaderboards.push(&[
            Value::Integer(board),
            Value::Integer(stored(last_position)),
            Value::Integer(more_bytes),
        ]);
    }

    /// Adds the weight of new idempotency records of one leaderboard and span. Triggers add it to the tenant's, and with the first
    /// record of a span delete the weights of older spans.
    pub(crate) fn add_record_weight(&mut self, board: i64, span: i64, bytes: u64) {
        self.record_weights.push(&[
            Value::Integer(board),
            Value::Integer(span),
            Value::Integer(stored(bytes)),
        ]);
    }

    /// Saves when the last unit that was taken from a bucket will have grown back, in microseconds since the epoch.
    pub(crate) fn save_bucket(&mut self, tenant: &TenantId, bucket: &str, arrives_at: u64) {
        self.buckets.push(&[
            Value::Text(tenant.as_str()),
            Value::Text(bucket),
            Value::Integer(stored(arrives_at)),
        ]);
    }

    /// Saves the usage of a day.
    pub(crate) fn save_usage(&mut self, tenant: &TenantId, day: u64, usage: Usage) {
        self.usage.push(&[
            Value::Text(tenant.as_str()),
            Value::Integer(stored(day)),
            Value::Integer(stored(usage.requests)),
            Value::Integer(stored(usage.scores)),
        ]);
    }

    /// Writes all rows, in the order in which they were added to their table.
    pub(crate) fn apply(&self, session: &Session<'_>) -> Result<(), StoreError> {
        const APPLY: &str = "INSERT INTO writes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let tables = [
            &self.entries,
            &self.submissions,
            &self.periods,
            &self.events,
            &self.leaderboards,
            &self.record_weights,
            &self.buckets,
            &self.usage,
        ];
        if tables.iter().all(|rows| rows.is_empty()) {
            return Ok(());
        }
        let texts = tables.map(|rows| (!rows.is_empty()).then(|| rows.to_text()));
        let parameters = texts
            .each_ref()
            .map(|text| text.as_deref().map_or(Value::Null, Value::Text));
        session.run(APPLY, &parameters)
    }
}
