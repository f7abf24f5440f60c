//! The documents of rate limits: policies, and lists of addresses.

mod addresses;
mod document;
mod policy;

pub use addresses::{Addresses, Ranges, range};
#[cfg(feature = "schema")]
pub(crate) use document::add_schemas;
pub use document::{LimitsDocument, Scope};
pub use policy::*;
