//! Ranks that changed at the top of a leaderboard: the top that the webhook was told of last, compared with the top now.

use leaderboard_api::webhook_record::{WebhookEvent, WebhookSettings};
use leaderboard_api::wire::webhook_message::{RankChange, leader_changed, named_values, ranks_changed};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::ReadSource;
use leaderboard_core::usecase::{self, Deps, ListQuery, Listing, QueryError};
use leaderboard_core::{Leaderboard, LeaderboardId, PeriodSelector, StoreError, TenantId, Timestamp};
use leaderboard_pipeline::PipelineEnvironment;

use crate::cursor::{Cursor, Top, TopPlayer};
use crate::message::{About, Message, of_problem};
use crate::worker::Worker;

/// Returns how many ranks of each leaderboard a webhook needs; `None` if it gets no event about ranks.
fn find_limit(settings: &WebhookSettings) -> Option<u32> {
    if settings.wants(WebhookEvent::RanksChanged) {
        Some(settings.top)
    } else {
        settings.wants(WebhookEvent::LeaderChanged).then_some(1)
    }
}

/// Reads the top of a leaderboard for a webhook that has not read it yet; `None` if the webhook does not need it.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn read_first<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    board: &LeaderboardId,
    settings: &WebhookSettings,
) -> Result<Option<Top>, StoreError> {
    let Some(limit) = find_limit(settings) else {
        return Ok(None);
    };
    let deps = Deps {
        store: env.store(),
        cache: env.cache(),
        leaderboard_memory: env.leaderboard_memory(),
        tenant,
        now: env.clock(),
        source: ReadSource::Primary,
    };
    let listing = read_listing::<E>(&deps, board, limit).await?;
    Ok(listing.map(|listing| make_top(&listing, limit)))
}

/// Compares the top with what the webhook was told of last. Returns messages of what changed.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn compare<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    board: &Leaderboard,
    cursor: &mut Cursor,
) -> Result<Vec<Message>, StoreError> {
    let settings = &worker.record.settings;
    let Some(limit) = find_limit(settings) else {
        // If the webhook gets these events later, it begins with the top of that time.
        cursor.top = None;
        return Ok(Vec::new());
    };
    let Some(listing) = read_listing::<E>(&worker.deps(), &board.id, limit).await? else {
        return Ok(Vec::new());
    };
    let top = make_top(&listing, limit);
    let before = cursor.top.replace(top.clone());
    // The top was not read before, or another number of ranks.
    let Some(before) = before.filter(|before| before.limit == limit || before.limit == 0) else {
        return Ok(Vec::new());
    };
    let known: &[TopPlayer] = if before.period == top.period {
        &before.players
    } else {
        &[]
    };
    // A repeated run makes messages with the same ids, because it reads the same last event. They come after those of the event.
    let at = cursor.read_at_ms.and_then(Timestamp::from_unix_ms);
    let at = at.map_or_else(|| worker.env.clock(), |at| at.saturating_add_ms(1));
    let mut messages = Vec::new();
    if settings.wants(WebhookEvent::RanksChanged) {
        messages.extend(describe_ranks(worker, &listing, known, limit, at)?);
    }
    if settings.wants(WebhookEvent::LeaderChanged) {
        messages.extend(describe_leader(worker, &listing, known, at)?);
    }
    Ok(messages)
}

/// Reads the first ranks of the current period; `None` if the leaderboard was deleted or has no such period.
async fn read_listing<E: PipelineEnvironment>(
    deps: &Deps<'_, E::Store, E::Cache>,
    board: &LeaderboardId,
    limit: u32,
) -> Result<Option<Listing>, StoreError> {
    let query = ListQuery {
        period: PeriodSelector::Current,
        cursor: None,
        limit,
    };
    match usecase::read_page(deps, &Caller::Reader, board, &query).await {
        Ok(listing) => Ok(Some(listing)),
        Err(QueryError::Store(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn make_top(listing: &Listing, limit: u32) -> Top {
    let players = listing.page.entries.iter().map(|ranked| TopPlayer {
        player: ranked.entry.player.as_str().to_owned(),
        rank: ranked.rank,
    });
    Top {
        period: listing.period.id.as_str().to_owned(),
        limit,
        players: players.collect(),
    }
}

/// Returns a message with all ranks that changed; `None` if none did.
fn describe_ranks<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    listing: &Listing,
    known: &[TopPlayer],
    limit: u32,
    at: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let entries = &listing.page.entries;
    let mut changes = Vec::new();
    for ranked in entries {
        let player = ranked.entry.player.as_str();
        let before = known.iter().find(|known| known.player == player);
        let previous_rank = before.map(|before| before.rank);
        if previous_rank != Some(ranked.rank) {
            changes.push(RankChange {
                player,
                rank: Some(ranked.rank),
                previous_rank,
                values: Some(named_values(ranked, &listing.layout.columns)),
            });
        }
    }
    let is_there = |player: &str| {
        entries
            .iter()
            .any(|ranked| ranked.entry.player.as_str() == player)
    };
    let gone = known.iter().filter(|known| !is_there(&known.player));
    changes.extend(gone.map(|known| RankChange {
        player: &known.player,
        rank: None,
        previous_rank: Some(known.rank),
        values: None,
    }));
    if changes.is_empty() {
        return Ok(None);
    }
    let data = ranks_changed(listing, limit, &changes).map_err(of_problem)?;
    make_message(worker, listing, WebhookEvent::RanksChanged, None, at, &data).map(Some)
}

/// Returns a message if another player is first. A leaderboard that became empty has no leader, and no message says so.
fn describe_leader<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    listing: &Listing,
    known: &[TopPlayer],
    at: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let previous = known.first().map(|known| known.player.as_str());
    let Some(leader) = listing.page.entries.first() else {
        return Ok(None);
    };
    let player = leader.entry.player.as_str();
    if previous == Some(player) {
        return Ok(None);
    }
    let data = leader_changed(listing, leader, previous).map_err(of_problem)?;
    make_message(
        worker,
        listing,
        WebhookEvent::LeaderChanged,
        Some(player),
        at,
        &data,
    )
    .map(Some)
}

fn make_message<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    listing: &Listing,
    event: WebhookEvent,
    subject: Option<&str>,
    at: Timestamp,
    data: &serde_json::value::RawValue,
) -> Result<Message, StoreError> {
    let board = &listing.leaderboard.value.id;
    let key = format!("{}/{}", listing.period.id, listing.page.version);
    let about = About {
        key: &key,
        subject,
        at,
        ..worker.about(board, event)
    };
    Message::new(&about, data)
}
