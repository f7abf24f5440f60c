//! The audit log: what was done in a tenant or in the installation, by whom, when and from where; and which credentials
//! were refused. Nothing changes a record once it is written (docs/decisions/0017).
//!
//! An administrative act is recorded before it is done, and not done when it cannot be recorded. An act that was refused or
//! failed has a second record with its status. Records are compact JSON of at most 4 KiB.

mod act;
mod record;
mod refusals;

pub(crate) use act::{Trail, begin, end};
pub(crate) use refusals::{Refusals, refused};
