//! The nouns and verbs, in the order of the help.

mod access;
mod leaderboards;
mod tenants;
mod webhooks;

use super::operation::Noun;

/// All nouns of the administrative commands.
pub(crate) static NOUNS: &[Noun] = &[
    leaderboards::LEADERBOARDS,
    leaderboards::SCORES,
    leaderboards::CLAIMS,
    leaderboards::BANS,
    tenants::PLAYERS,
    access::KEYS,
    access::TOKENS,
    access::ISSUERS,
    webhooks::WEBHOOKS,
    tenants::FLAGS,
    tenants::LIMITS,
    tenants::TENANTS,
    tenants::USAGE,
    tenants::AUDIT,
    tenants::DEAD_LETTERS,
    tenants::REGIONS,
    tenants::SHARDS,
];
