//! How often who may call: the documents that say so, and what an instance does about it.
//!
//! Every limit is a [`Policy`] under a [`PolicyName`]. The operator's document holds for all tenants and bounds theirs; what
//! neither sets has its default.

mod addresses;
mod document;
mod policy;
mod rules;

pub(crate) use addresses::{Addresses, Ranges, range};
pub(crate) use document::{LimitsDocument, Scope};
pub(crate) use policy::{Policy, PolicyName, Setting};
pub(crate) use rules::Rules;
