//! What a function is: a table of routes and what each of them does.

use http::HeaderMap;
use leaderboard_core::access::Caller;
use leaderboard_core::usecase::Deps;
use leaderboard_core::{TenantId, Timestamp};

use crate::environment::Environment;
use crate::pipeline::MediaType;
use crate::problem::Problem;
use crate::response::Response;
use crate::route::RouteTable;

/// A function: its routes, and a handler for each.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Endpoint {
    /// The function's own enum of routes, with their parameters parsed.
    type Route: 'static;

    /// Its routes.
    fn table() -> RouteTable<Self::Route>;

    /// Answers a request that has passed the pipeline.
    ///
    /// # Errors
    /// The problem to answer with instead.
    async fn call<E: Environment>(context: &Context<'_, E>, route: Self::Route) -> Result<Response, Problem>;
}

/// A request that has passed the pipeline, and the world to answer it with.
pub struct Context<'a, E> {
    /// The world.
    pub env: &'a E,
    /// The instant of the request.
    pub now: Timestamp,
    /// Whose data it is about.
    pub tenant: TenantId,
    /// Who asks.
    pub caller: Caller,
    /// The query of the address as it was sent, without the question mark.
    pub query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's body; at most [`crate::MAX_BODY_BYTES`].
    pub body: &'a [u8],
    /// What the client wants to read.
    pub accepted: MediaType,
    /// The request's trace id: the `instance` of its problems.
    pub trace_id: &'a str,
}

impl<E: Environment> Context<'_, E> {
    /// What the use cases work with.
    #[must_use]
    pub fn deps(&self) -> Deps<'_, E::Store, E::Cache> {
        Deps {
            store: self.env.store(),
            cache: self.env.cache(),
            boards: self.env.boards(),
            now: self.now,
        }
    }
}
