//! The routes of all families in one list, for whoever looks at all of them.

use super::{Flags, Identity, Leaderboards, Limits, Ops, Ranks, Scores, Tenants};
use crate::{Base, Endpoint, Need, Verb};
use leaderboard_api::{BodyKind, FunctionName};

/// A route, without what its function makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedRoute {
    /// Whose it is.
    pub family: FunctionName,
    /// The method.
    pub verb: Verb,
    /// Where the pattern begins.
    pub base: Base,
    /// The path below the base.
    pub pattern: &'static str,
    /// What the caller must be allowed.
    pub need: Need,
    /// The body it takes.
    pub body: BodyKind,
    /// Another media type that it answers in, beside JSON.
    pub offers: Option<&'static str>,
}

/// Every route that there is.
#[must_use]
pub fn all_routes() -> Vec<ListedRoute> {
    let mut all = Vec::new();
    list::<Leaderboards>(&mut all);
    list::<Scores>(&mut all);
    list::<Ranks>(&mut all);
    list::<Limits>(&mut all);
    list::<Tenants>(&mut all);
    list::<Identity>(&mut all);
    list::<Flags>(&mut all);
    list::<Ops>(&mut all);
    all
}

fn list<P: Endpoint>(all: &mut Vec<ListedRoute>) {
    all.extend(P::table().iter().map(|route| ListedRoute {
        family: P::FAMILY,
        verb: route.verb,
        base: route.base,
        pattern: route.pattern,
        need: route.need,
        body: route.body,
        offers: route.offers,
    }));
}
