//! Periods that ended, and the prizes that can be claimed.

use leaderboard_api::webhook_record::WebhookEvent;
use leaderboard_api::wire::webhook_message::{period_ended, prizes_claimable};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::Scores;
use leaderboard_core::usecase::{self, ClaimState, ListQuery, PlayerPrize, QueryError};
use leaderboard_core::{FREEZE_DELAY_MS, Leaderboard, Period, PeriodSelector, StoreError, Timestamp};
use leaderboard_pipeline::PipelineEnvironment;

use crate::cursor::Cursor;
use crate::message::{About, Message, of_problem};
use crate::worker::Worker;

/// How many periods of a leaderboard one run reports. A run after a long pause leaves further ones to the next.
const PERIODS_AT_ONCE: usize = 4;
/// How many entries of the final standings `period.ended` has.
const ENTRIES_SHOWN: u32 = 10;
/// How many prizes one message has.
const PRIZES_AT_ONCE: u32 = 100;
/// The most messages about the prizes of one period. `GET …/claims` lists all prizes.
const MAX_PRIZE_PAGES: usize = 10;

/// Returns messages of the periods that ended since the cursor. Makes their standings final.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn find_ended<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    board: &Leaderboard,
    cursor: &mut Cursor,
) -> Result<Vec<Message>, StoreError> {
    let settings = &worker.record.settings;
    let now = worker.env.clock();
    let mut messages = Vec::new();
    for _ in 0..PERIODS_AT_ONCE {
        let Some((period, end)) = find_next_end(board, cursor, now) else {
            break;
        };
        cursor.ended_through_ms = end.as_unix_ms();
        let found = worker
            .env
            .store()
            .find_period(worker.tenant, &board.id, &period.id, now)
            .await?;
        // Nobody waits for the end of a period without entries, and its standings need no record.
        if found.is_none() {
            continue;
        }
        if settings.wants(WebhookEvent::PeriodEnded) {
            messages.extend(describe_end(worker, board, &period, end).await?);
        }
        if settings.wants(WebhookEvent::PrizesClaimable) && !board.standings.prizes.is_empty() {
            messages.extend(describe_prizes(worker, board, &period, end).await?);
        }
    }
    Ok(messages)
}

/// Returns the next period since the cursor whose standings can be final, and its end; `None` if the leaderboard ended before, or the
/// period goes on or ended only just now.
pub(crate) fn find_next_end(
    board: &Leaderboard,
    cursor: &Cursor,
    now: Timestamp,
) -> Option<(Period, Timestamp)> {
    let through = Timestamp::saturating_from_unix_ms(cursor.ended_through_ms);
    let period = board.schedule.period_at(through);
    let end = board.end_of_period(&period)?;
    let is_final = end.saturating_add_ms(FREEZE_DELAY_MS) <= now;
    (through < end && is_final).then_some((period, end))
}

/// Returns what a use case returned; `None` if it refused, for example because the leaderboard was deleted.
fn answered<T>(answer: Result<T, QueryError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(QueryError::Store(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

async fn describe_end<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    board: &Leaderboard,
    period: &Period,
    end: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let query = ListQuery {
        period: PeriodSelector::Named(period.id.clone()),
        cursor: None,
        limit: ENTRIES_SHOWN,
    };
    let deps = worker.deps();
    let found = answered(usecase::read_standings(&deps, &Caller::Reader, &board.id, &query).await)?;
    let Some(found) = found else {
        return Ok(None);
    };
    let data = period_ended(&found).map_err(of_problem)?;
    let about = About {
        key: period.id.as_str(),
        subject: Some(period.id.as_str()),
        at: end,
        ..worker.about(&board.id, WebhookEvent::PeriodEnded)
    };
    Message::new(&about, &data).map(Some)
}

async fn describe_prizes<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    board: &Leaderboard,
    period: &Period,
    end: Timestamp,
) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::new();
    let mut query = ListQuery {
        period: PeriodSelector::Named(period.id.clone()),
        cursor: None,
        limit: PRIZES_AT_ONCE,
    };
    for page in 0..MAX_PRIZE_PAGES {
        let deps = worker.deps();
        let found = answered(usecase::list_prizes(&deps, &Caller::Server, &board.id, &query).await)?;
        let Some(found) = found else {
            break;
        };
        let claimable: Vec<PlayerPrize> = found
            .prizes
            .into_iter()
            .filter(|prize| prize.state == ClaimState::Claimable)
            .collect();
        if !claimable.is_empty() {
            let data = prizes_claimable(&board.id, period, &claimable).map_err(of_problem)?;
            let key = format!("{}/{page}", period.id);
            let about = About {
                key: &key,
                subject: Some(period.id.as_str()),
                at: end,
                ..worker.about(&board.id, WebhookEvent::PrizesClaimable)
            };
            messages.push(Message::new(&about, &data)?);
        }
        match found.standings.listing.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(messages)
}
