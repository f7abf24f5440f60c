//! What a function is: a table of routes and what each of them does.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Metered, Metering, RankDetail, SubmitTerms};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{TenantId, Timestamp};

use crate::edge::Knowledge;
use crate::environment::Environment;
use crate::identity::Identity;
use crate::pipeline::MediaType;
use crate::problem::Problem;
use crate::response::Response;
use crate::route::{Family, RouteTable};
use crate::version::ApiVersion;

/// A function: its routes, and a handler for each.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Endpoint {
    /// The function's own enum of routes, with their parameters parsed.
    type Route: 'static;

    /// Which family it is.
    const FAMILY: Family;

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
    /// Who asks, as leaderboards know it.
    pub caller: Caller,
    /// Who asks, and by what credential.
    pub identity: Identity,
    /// Where the request comes from; `None` when the host tells nothing.
    pub client: Option<IpAddr>,
    /// What is known of the tenant.
    pub(crate) knowledge: Rc<Knowledge>,
    /// What a write is charged with, in the call that writes.
    pub metering: Metering,
    /// What that call answered about the limits, for the headers of the response.
    pub metered: RefCell<Option<Metered>>,
    /// The query of the address as it was sent, without the question mark.
    pub query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's body; at most [`crate::MAX_BODY_BYTES`].
    pub body: &'a [u8],
    /// Whether the path names the version; otherwise another request for the same address may be answered in another one.
    pub version_in_path: bool,
    /// The version of the API that it is answered in.
    pub version: ApiVersion,
    /// What the client wants to read.
    pub accepted: MediaType,
    /// The request's trace id: the `instance` of its problems.
    pub trace_id: &'a str,
}

impl<E: Environment> Context<'_, E> {
    /// On which terms this request submits.
    #[must_use]
    pub fn submit_terms(&self, ranks: RankDetail) -> SubmitTerms {
        SubmitTerms {
            ranks,
            metering: self.metering.clone(),
            max_tenant_entries: self.knowledge.tenant.quotas.entries,
            announce_on: self.env.settings().changes_channel.clone(),
        }
    }

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
