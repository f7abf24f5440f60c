//! Live updates: streams of events, and the tickets that open a stream where no header can be sent.

mod stream;
mod tickets;
mod viewer;

use leaderboard_api::Permission::Read;
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use leaderboard_core::LeaderboardId;
use leaderboard_live::LiveEnvironment;
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum LiveRoute {
    /// Opens a stream.
    OpenStream(LeaderboardId),
    /// Issues a ticket.
    IssueTicket(LeaderboardId),
}

/// The routes of the function `live`.
#[derive(Debug)]
pub struct LiveFunction;

impl Routes for LiveFunction {
    type Route = LiveRoute;

    const FUNCTION: FunctionName = FunctionName::Live;

    fn table() -> RouteTable<LiveRoute> {
        const {
            &[
                Route::get("/leaderboards/:leaderboard/live", Read, |params| {
                    Ok(LiveRoute::OpenStream(params.leaderboard()?))
                })
                .offering(stream::EVENT_STREAM),
                Route::post("/leaderboards/:leaderboard/live-tickets", Read, |params| {
                    Ok(LiveRoute::IssueTicket(params.leaderboard()?))
                })
                .with_body(BodyKind::OptionalJson),
            ]
        }
    }
}

impl<E: ResponseEnvironment + LiveEnvironment> Endpoint<E> for LiveFunction {
    async fn handle_route(context: &Context<'_, E>, route: LiveRoute) -> Result<Response, Problem> {
        match route {
            LiveRoute::OpenStream(leaderboard) => stream::open_stream(context, leaderboard).await,
            LiveRoute::IssueTicket(leaderboard) => tickets::issue_ticket(context, leaderboard).await,
        }
    }
}
