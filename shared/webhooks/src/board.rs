//! Reads the logs of leaderboards, and sends what is new in them.

use leaderboard_api::webhook_record::{WebhookEvent, WebhookRecord};
use leaderboard_api::wire::webhook_message::score_accepted;
use leaderboard_core::ports::{Documents, Events, Leaderboards, MAX_CONFIGURATIONS_READ};
use leaderboard_core::{Leaderboard, LeaderboardId, LoggedEvent, StoreError, TenantId, Timestamp, Versioned};
use leaderboard_pipeline::PipelineEnvironment;

use crate::cursor::{Cursor, Top};
use crate::message::{About, Message, of_problem};
use crate::names::cursor_name;
use crate::worker::Worker;
use crate::{period, top};

/// How many leaderboards one run of a webhook reads. The next run continues after them.
const BOARDS_AT_ONCE: u32 = 100;
/// How many events of a leaderboard one run reads.
const EVENTS_AT_ONCE: u32 = 200;
/// For how many leaderboards a new webhook gets its cursors at once. Others get them with the first run that reads them.
const STARTED_AT_ONCE: u32 = 32;

/// Reads the logs of some leaderboards, and sends messages of what is new.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn send_new<E: PipelineEnvironment>(worker: &mut Worker<'_, E>) -> Result<(), StoreError> {
    let after = worker.state().board_after.take();
    let (env, tenant) = (worker.env, worker.tenant);
    let mut boards = list_followed(env, tenant, worker.record, after.as_deref())
        .await?
        .boards;
    if boards.is_empty() && after.is_some() {
        boards = list_followed(env, tenant, worker.record, None).await?.boards;
    }
    let names: Vec<_> = boards
        .iter()
        .map(|board| cursor_name(worker.tenant, worker.webhook, &board.value.id))
        .collect();
    let cursors = worker.env.store().read_documents(&names).await?;
    for (board, stored) in boards.iter().zip(cursors) {
        if !worker.has_room() {
            return Ok(());
        }
        let created_at = worker.record.created_at();
        let stored = stored.and_then(|stored| Cursor::decode(&stored.value, created_at));
        read_board(worker, &board.value, stored).await?;
        worker.state().board_after = Some(board.value.id.as_str().to_owned());
    }
    Ok(())
}

/// Leaderboards that a webhook follows.
#[derive(Debug)]
pub(crate) struct FollowedBoards {
    /// At most as many as one run reads.
    pub boards: Vec<Versioned<Leaderboard>>,
    /// Whether these are all.
    pub is_complete: bool,
}

/// Returns the leaderboards that a webhook names, or some of the tenant's from after the leaderboard `after`.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn list_followed<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    record: &WebhookRecord,
    after: Option<&str>,
) -> Result<FollowedBoards, StoreError> {
    let named = record.settings.leaderboard_ids();
    if !named.is_empty() {
        return Ok(FollowedBoards {
            boards: find_boards(env, tenant, &named).await?,
            is_complete: true,
        });
    }
    let after = after.and_then(|id| LeaderboardId::new(id).ok());
    let boards = env.store().list(tenant, after.as_ref(), BOARDS_AT_ONCE).await?;
    Ok(FollowedBoards {
        is_complete: u32::try_from(boards.len()).is_ok_and(|listed| listed < BOARDS_AT_ONCE),
        boards,
    })
}

async fn find_boards<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    named: &[LeaderboardId],
) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
    let mut boards = Vec::new();
    for ids in named.chunks(MAX_CONFIGURATIONS_READ) {
        boards.extend(env.store().get_many(tenant, ids).await?.into_iter().flatten());
    }
    Ok(boards)
}

/// Creates the cursors of a new webhook, so that it is told of everything that changes from now on.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn start_cursors<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    record: &WebhookRecord,
) -> Result<(), StoreError> {
    let mut named = record.settings.leaderboard_ids();
    named.truncate(MAX_CONFIGURATIONS_READ);
    let boards = if named.is_empty() {
        env.store().list(tenant, None, STARTED_AT_ONCE).await?
    } else {
        find_boards(env, tenant, &named).await?
    };
    for board in boards {
        let id = &board.value.id;
        let mut cursor = Cursor::start(env, tenant, id, record.created_at()).await?;
        if cursor.top.is_none() {
            cursor.top = top::read_first(env, tenant, id, &record.settings).await?;
        }
        cursor.save(env, tenant, webhook, id).await?;
    }
    Ok(())
}

/// Reads what is new in the log of one leaderboard, and sends it.
async fn read_board<E: PipelineEnvironment>(
    worker: &mut Worker<'_, E>,
    board: &Leaderboard,
    stored: Option<Cursor>,
) -> Result<(), StoreError> {
    let (env, tenant, id) = (worker.env, worker.tenant, &board.id);
    let is_new = stored.is_none();
    let mut cursor = match stored {
        Some(cursor) => cursor,
        None => Cursor::start(env, tenant, id, worker.record.created_at()).await?,
    };
    let before = cursor.clone();
    let events = read_events(env, tenant, id, &mut cursor).await?;
    let mut messages = Vec::new();
    if let Some(first) = events.first() {
        let missed = first.position.saturating_sub(cursor.position.saturating_add(1));
        worker.state().missed_events = worker.state().missed_events.saturating_add(missed);
    }
    let has_events = !events.is_empty();
    for logged in events {
        let (position, read_at) = (logged.position, logged.recorded_at());
        let Some(message) = make_message(worker, id, logged)? else {
            // A newer version of the program wrote the event. An instance of that version continues here.
            break;
        };
        messages.extend(message);
        cursor.position = position;
        cursor.read_at_ms = read_at.map(Timestamp::as_unix_ms);
    }
    if has_events || is_new {
        messages.extend(top::compare(worker, board, &mut cursor).await?);
    }
    messages.extend(period::find_ended(worker, board, &mut cursor).await?);
    messages.retain(|message| !worker.stored.state.has_message(&message.id));
    if !messages.is_empty() {
        worker.send_all(messages).await?;
        // The messages that wait are in the state before the cursor passes their events.
        worker.save().await?;
    }
    if is_new || cursor != before {
        cursor.save(env, tenant, worker.webhook, id).await?;
    }
    Ok(())
}

/// Reads the events after the cursor. The read begins with the last event that was read before: if the log does not have it any more, the
/// leaderboard was deleted and created again, and the cursor goes back to the beginning.
async fn read_events<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    board: &LeaderboardId,
    cursor: &mut Cursor,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let Some(read_at_ms) = cursor.read_at_ms else {
        return env
            .store()
            .read(tenant, board, cursor.position, EVENTS_AT_ONCE)
            .await;
    };
    let after = cursor.position.saturating_sub(1);
    let mut events = env.store().read(tenant, board, after, EVENTS_AT_ONCE + 1).await?;
    let first = events.first().map(|first| {
        let at_ms = first.recorded_at().map(Timestamp::as_unix_ms);
        (first.position, at_ms)
    });
    match first {
        Some((position, at_ms)) if position == cursor.position && at_ms == Some(read_at_ms) => {
            events.remove(0);
            Ok(events)
        }
        // The log does not keep that event any more.
        Some((position, _)) if position > cursor.position => Ok(events),
        _ => {
            cursor.position = 0;
            cursor.read_at_ms = None;
            cursor.top = Some(Top::default());
            env.store().read(tenant, board, 0, EVENTS_AT_ONCE).await
        }
    }
}

/// Returns the message of an event, if the webhook gets one: `None` if the format of the event is unknown.
fn make_message<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    board: &LeaderboardId,
    logged: LoggedEvent,
) -> Result<Option<Option<Message>>, StoreError> {
    let Ok(recorded) = logged.into_known() else {
        return Ok(None);
    };
    if !worker.record.settings.wants(WebhookEvent::ScoreAccepted) {
        return Ok(Some(None));
    }
    let Some(data) = score_accepted(board, &recorded).map_err(of_problem)? else {
        return Ok(Some(None));
    };
    let about = worker.about(board, WebhookEvent::ScoreAccepted);
    let message = Message::new(
        &About {
            key: &recorded.position.to_string(),
            subject: recorded.event.body.player().map(|player| player.as_str()),
            at: recorded.event.recorded_at,
            ..about
        },
        &data,
    )?;
    Ok(Some(Some(message)))
}

impl<'a, E: PipelineEnvironment> Worker<'a, E> {
    /// Returns what messages about a leaderboard have in common.
    pub(crate) fn about<'m>(&self, board: &'m LeaderboardId, event: WebhookEvent) -> About<'m>
    where
        'a: 'm,
    {
        About {
            leaderboard: Some(board),
            ..self.about_tenant(event)
        }
    }

    /// Returns what messages about the tenant have in common.
    pub(crate) fn about_tenant(&self, event: WebhookEvent) -> About<'a> {
        About {
            tenant: self.tenant,
            webhook: self.webhook,
            created_at_ms: self.record.created_at().as_unix_ms(),
            leaderboard: None,
            event,
            key: "",
            subject: None,
            at: Timestamp::MIN,
        }
    }
}
