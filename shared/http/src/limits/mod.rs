//! How often who may call: the documents that say so, and what an instance does about it.
//!
//! Every limit is a [`Policy`] under a [`PolicyName`]. The operator's document holds for all tenants and bounds theirs; what
//! neither sets has its default ([`Rules`]). Writes are charged by the store, in the call that writes. Reads wait for
//! nothing: the instance decides ([`buckets`]), tells the store after the response ([`report`]), and learns from its
//! answer. What new instances need to know is in the region's cache ([`slots`]).

mod applied;
mod buckets;
mod busy;
mod counts;
mod report;
mod rules;
mod slots;
mod told;

pub(crate) use applied::{Applied, applied, of_address, of_credentials, of_unanswered};
pub(crate) use buckets::Cost;
pub(crate) use busy::owner;
pub(crate) use counts::{changes_refused, limited, limited_by_quota, of_the_region};
pub(crate) use report::{Limiter, schedule};
pub(crate) use rules::Rules;
pub(crate) use slots::{look, look_at_day, micros};
pub(crate) use told::{RATE_LIMIT, RATE_LIMIT_POLICY, Told};
