//! How far a webhook has read the log of a leaderboard, and what it was told of it last.

use leaderboard_core::ports::{Documents, Events, Expected};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};
use leaderboard_pipeline::PipelineEnvironment;
use serde::{Deserialize, Serialize};

use crate::names::cursor_name;

/// A player at the top of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopPlayer {
    pub player: String,
    pub rank: u64,
}

/// The top of a leaderboard, as the webhook was told of it last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Top {
    /// The id of the period.
    pub period: String,
    /// How many ranks were read.
    pub limit: u32,
    pub players: Vec<TopPlayer>,
}

/// The cursor of a webhook in a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// When the webhook was created. An id can come back.
    pub created_at_ms: i64,
    /// The position of the last event that was read.
    pub position: u64,
    /// When that event was recorded; `None` if the log did not have it. It distinguishes the log from that of a leaderboard that was
    /// deleted and created again.
    pub read_at_ms: Option<i64>,
    /// The instant up to which ends of periods were reported.
    pub ended_through_ms: i64,
    /// The top, if it was read.
    pub top: Option<Top>,
}

impl Cursor {
    /// Creates the cursor of a webhook that was created at `created_at`: after the last event before that instant. The top is unknown,
    /// unless the leaderboard is younger than the webhook; then it was empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn start<E: PipelineEnvironment>(
        env: &E,
        tenant: &TenantId,
        board: &LeaderboardId,
        created_at: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut cursor = Self {
            created_at_ms: created_at.as_unix_ms(),
            position: 0,
            read_at_ms: None,
            ended_through_ms: created_at.as_unix_ms(),
            top: None,
        };
        let Some(bounds) = env.store().find_log_bounds(tenant, board).await? else {
            return Ok(cursor);
        };
        let is_new = |at: Option<Timestamp>| at.is_some_and(|at| at >= created_at);
        if is_new(bounds.first.recorded_at()) {
            cursor.position = bounds.first.position.saturating_sub(1);
            cursor.top = (bounds.first.position <= 1).then(Top::default);
            return Ok(cursor);
        }
        // Looks by bisection for the newest event that is older than the webhook. The first event is older. Of the events between
        // the position of `newest_old` and `oldest_new`, it is not known yet.
        let mut oldest_new = bounds.last.position.saturating_add(1);
        let mut newest_old = if is_new(bounds.last.recorded_at()) {
            bounds.first
        } else {
            bounds.last
        };
        while newest_old.position + 1 < oldest_new {
            let middle = newest_old.position + (oldest_new - newest_old.position) / 2;
            let read = env.store().read(tenant, board, middle - 1, 1).await?;
            match read.into_iter().next() {
                Some(event) if is_new(event.recorded_at()) => oldest_new = middle,
                Some(event) => newest_old = event,
                None => break,
            }
        }
        cursor.position = newest_old.position;
        cursor.read_at_ms = newest_old.recorded_at().map(Timestamp::as_unix_ms);
        Ok(cursor)
    }

    /// Decodes a document; `None` if the cursor belongs to an earlier webhook with the same id, or to a newer version of the program.
    pub(crate) fn decode(bytes: &[u8], created_at: Timestamp) -> Option<Self> {
        let cursor: Self = serde_json::from_slice(bytes).ok()?;
        (cursor.created_at_ms == created_at.as_unix_ms()).then_some(cursor)
    }

    /// Stores the cursor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn save<E: PipelineEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        webhook: &str,
        board: &LeaderboardId,
    ) -> Result<(), StoreError> {
        let name = cursor_name(tenant, webhook, board);
        let body = serde_json::to_vec(self).unwrap_or_default();
        // Only the run that has claimed the webhook moves its cursors.
        let _ = env.store().put_document(&name, &body, Expected::Any).await?;
        Ok(())
    }
}
