//! The documents of rate limits: policies, and lists of addresses.

mod addresses;
mod document;
mod fields;
mod policy;

pub use addresses::{Addresses, Ranges, range};
pub use document::{DocumentOwner, LimitsDocument};
#[cfg(feature = "schema")]
pub(crate) use fields::add_schemas;
pub use policy::*;
