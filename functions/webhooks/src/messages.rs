//! Messages that were not delivered: lists them, sends them again, deletes them.

use http::StatusCode;
use leaderboard_api::wire::webhook_delivery::{DeliveryBody, UNREADABLE, parse_event};
use leaderboard_api::{MESSAGE_ID_PREFIX, Problem, ProblemType, Query, Response};
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_webhooks::{Replay, delete_message, list_messages, replay_message};

use crate::webhooks::find;

/// The most messages on a page.
const MAX_LIMIT: u32 = 200;

/// `GET /webhooks/{id}/deliveries?limit=&cursor=`: lists the messages that wait for another attempt or were given up, oldest first.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    let is_message = |id: &&str| id.starts_with(MESSAGE_ID_PREFIX);
    let paging = Paging::parse(context.query, MAX_LIMIT, |id| {
        Some(id).filter(is_message).map(str::to_owned)
    })?;
    find(context, id).await?;
    let (after, limit) = (paging.after.as_deref(), paging.page_size_and_one());
    let found = list_messages(context.env, context.tenant, id, after, limit).await?;
    let page = paging.page_of(found).try_map(|(id, record)| {
        let event = record.as_ref().map(parse_event).transpose()?;
        Ok::<_, Problem>((id, record.zip(event)))
    })?;
    page.respond(
        context,
        "deliveries",
        |(id, _)| id.to_string(),
        |(id, record)| match record {
            Some((record, event)) => DeliveryBody::new(id, record, event),
            None => DeliveryBody::unreadable(id),
        },
    )
}

/// `POST /webhooks/{id}/deliveries/{message}/replay`: lets the next run send a message again.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn replay<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
    message: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let webhook = find(context, id).await?;
    audit::record_audit_event(context).await?;
    let created_at = webhook.value.created_at();
    match replay_message(context.env, context.tenant, id, message, created_at).await? {
        Replay::Accepted(record) => {
            let event = parse_event(&record)?;
            let body = DeliveryBody::new(message, &record, &event);
            Response::json(StatusCode::ACCEPTED, context.accepted, &body)
        }
        Replay::Unknown => Err(Problem::new(ProblemType::MessageNotFound)),
        Replay::Unreadable => Err(Problem::new(ProblemType::NotReplayable).with_detail(UNREADABLE)),
        Replay::Full => Err(Problem::new(ProblemType::QueueFull)),
    }
}

/// `DELETE /webhooks/{id}/deliveries/{message}`: deletes a message that was not delivered.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
    message: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    find(context, id).await?;
    audit::record_audit_event(context).await?;
    if delete_message(context.env, context.tenant, id, message).await? {
        Ok(Response::no_content())
    } else {
        Err(Problem::new(ProblemType::MessageNotFound))
    }
}
