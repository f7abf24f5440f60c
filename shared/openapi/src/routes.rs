//! The routes there are, of all families.

use leaderboard_http::families::{Flags, Identity, Leaderboards, Limits, Ops, Ranks, Scores, Tenants};
use leaderboard_http::{Base, BodyKind, Endpoint, Need, Verb};

/// What a table says of a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteFacts {
    pub(crate) family: &'static str,
    pub(crate) method: &'static str,
    pub(crate) base: Base,
    pub(crate) pattern: &'static str,
    pub(crate) need: Need,
    pub(crate) body: BodyKind,
}

/// The families, what they are about, and their routes.
pub(crate) fn families() -> Vec<(&'static str, &'static str, Vec<RouteFacts>)> {
    vec![
        family::<Leaderboards>(
            "leaderboards",
            "Creates, reads, changes and deletes leaderboards.",
        ),
        family::<Scores>("scores", "Takes scores in, removes entries, hides players."),
        family::<Ranks>("ranks", "Answers who stands where."),
        family::<Limits>("limits", "How often who may call."),
        family::<Tenants>(
            "tenants",
            "Tenants: what the operator sets, what they use, the audit log.",
        ),
        family::<Identity>("identity", "API keys, issuers of tokens, players' tokens."),
        family::<Flags>("flags", "Feature flags, and their evaluation by OFREP."),
        family::<Ops>("ops", "Health and metrics."),
    ]
}

/// Every route.
pub(crate) fn all() -> Vec<RouteFacts> {
    families().into_iter().flat_map(|(_, _, routes)| routes).collect()
}

fn family<P: Endpoint>(
    name: &'static str,
    about: &'static str,
) -> (&'static str, &'static str, Vec<RouteFacts>) {
    let routes = P::table().iter().map(|route| RouteFacts {
        family: name,
        method: match route.verb {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        },
        base: route.base,
        pattern: route.pattern,
        need: route.need,
        body: route.body,
    });
    (name, about, routes.collect())
}
