//! Webhooks of tenants, and the delivery of their messages. This is the only function that sends requests to receivers of webhooks.

mod messages;
mod tick;
mod webhooks;

use leaderboard_api::Permission::{Admin, Operator};
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum WebhooksRoute {
    /// Lists the webhooks.
    List,
    /// Reads a webhook.
    Read(Box<str>),
    /// Creates or replaces a webhook.
    Put(Box<str>),
    /// Deletes a webhook.
    Delete(Box<str>),
    /// Gives a webhook a new secret.
    Rotate(Box<str>),
    /// Sends a test message.
    Ping(Box<str>),
    /// Shows whether a webhook gets its messages.
    ReadStatus(Box<str>),
    /// Lists the messages that were not delivered.
    ListMessages(Box<str>),
    /// Sends a message again.
    ReplayMessage(Box<str>, Box<str>),
    /// Deletes a message.
    DeleteMessage(Box<str>, Box<str>),
    /// Delivers what is due.
    Tick,
}

/// Adds the schemas of the function's own documents.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    tick::add_schemas(all);
}

const WEBHOOK: &str = "/webhooks/:webhook";

fn webhook(params: &PathParams<'_>) -> Result<Box<str>, Problem> {
    params.webhook()
}

/// The routes of the function `webhooks`.
#[derive(Debug)]
pub struct WebhooksFunction;

impl Routes for WebhooksFunction {
    type Route = WebhooksRoute;

    const FUNCTION: FunctionName = FunctionName::Webhooks;

    fn table() -> RouteTable<WebhooksRoute> {
        const {
            &[
                Route::get("/webhooks", Admin, |_| Ok(WebhooksRoute::List)),
                Route::get(WEBHOOK, Admin, |path| webhook(path).map(WebhooksRoute::Read)),
                Route::put(WEBHOOK, Admin, |path| webhook(path).map(WebhooksRoute::Put)),
                Route::delete(WEBHOOK, Admin, |path| webhook(path).map(WebhooksRoute::Delete)),
                Route::post("/webhooks/:webhook/rotate", Admin, |path| {
                    webhook(path).map(WebhooksRoute::Rotate)
                })
                .with_body(BodyKind::OptionalJson),
                Route::post("/webhooks/:webhook/ping", Admin, |path| {
                    webhook(path).map(WebhooksRoute::Ping)
                }),
                Route::get("/webhooks/:webhook/status", Admin, |path| {
                    webhook(path).map(WebhooksRoute::ReadStatus)
                }),
                Route::get("/webhooks/:webhook/deliveries", Admin, |path| {
                    webhook(path).map(WebhooksRoute::ListMessages)
                }),
                Route::post("/webhooks/:webhook/deliveries/:message/replay", Admin, |path| {
                    Ok(WebhooksRoute::ReplayMessage(webhook(path)?, path.message()?))
                }),
                Route::delete("/webhooks/:webhook/deliveries/:message", Admin, |path| {
                    Ok(WebhooksRoute::DeleteMessage(webhook(path)?, path.message()?))
                })
                .in_incidents(),
                Route::post("/internal/webhooks/tick", Operator, |_| Ok(WebhooksRoute::Tick))
                    .at_root()
                    .charged_locally()
                    .in_incidents()
                    .as_routine(),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for WebhooksFunction {
    async fn handle_route(context: &Context<'_, E>, route: WebhooksRoute) -> Result<Response, Problem> {
        match route {
            WebhooksRoute::List => webhooks::list(context).await,
            WebhooksRoute::Read(id) => webhooks::read(context, &id).await,
            WebhooksRoute::Put(id) => webhooks::put(context, &id).await,
            WebhooksRoute::Delete(id) => webhooks::delete(context, &id).await,
            WebhooksRoute::Rotate(id) => webhooks::rotate(context, &id).await,
            WebhooksRoute::Ping(id) => webhooks::ping(context, &id).await,
            WebhooksRoute::ReadStatus(id) => webhooks::read_status(context, &id).await,
            WebhooksRoute::ListMessages(id) => messages::list(context, &id).await,
            WebhooksRoute::ReplayMessage(id, message) => messages::replay(context, &id, &message).await,
            WebhooksRoute::DeleteMessage(id, message) => messages::delete(context, &id, &message).await,
            WebhooksRoute::Tick => tick::deliver(context).await,
        }
    }
}
