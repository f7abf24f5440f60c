//! What one instance remembers between its requests. Nothing about a user is in here that a request of somebody else
//! could be answered with: copies are found by what was presented, or hold for everybody.

use crate::audit::{Issued, Refusals};
use crate::circuit_breaker::CircuitBreaker;
use crate::credentials::{KeySets, KnownIssuers, Tokens};
use crate::edge::{Copies, Generations, KnownTenants, ReadSets};
use crate::limits::Limiter;
use crate::metrics::Counts;
use crate::readiness::ReadinessProbe;
use crate::repeat::Repeats;
use crate::views::Shelf;

/// The instance's memory. It lives as long as the instance: at most 128 requests, dropped after a second of idleness.
#[derive(Debug, Default)]
pub struct Memory {
    /// Whether the store answers.
    pub(crate) breaker: CircuitBreaker,
    /// Whether the store was ready a moment ago.
    pub(crate) readiness: ReadinessProbe,
    /// Copies of documents.
    pub(crate) copies: Copies,
    /// Which generation of documents holds in the region.
    pub(crate) generations: Generations,
    /// What is made of the copies that rule a tenant.
    pub(crate) known: KnownTenants,
    /// What is counted and not passed on yet.
    pub(crate) counts: Counts,
    /// Answers that may be given again.
    pub(crate) repeats: Repeats,
    /// Finished answers.
    pub(crate) shelf: Shelf,
    /// Refused credentials that are not in the audit log yet.
    pub(crate) refusals: Refusals,
    /// Tokens issued, as far as the audit log has them.
    pub(crate) issued: Issued,
    /// Sets of flags, read.
    pub(crate) flags: ReadSets,
    /// Key sets of issuers.
    pub(crate) key_sets: KeySets,
    /// Issuers, made of their documents.
    pub(crate) issuers: KnownIssuers,
    /// Tokens that were verified.
    pub(crate) tokens: Tokens,
    /// What it knows of limits, and has let through.
    pub(crate) limiter: Limiter,
}
