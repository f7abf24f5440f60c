//! The audit log: what was done in a tenant or in the installation, by whom, when and from where; which credentials
//! were refused, and which issued tokens. Nothing changes a record once it is written (docs/decisions/0017).
//!
//! An administrative act is recorded when its request was found valid and before it is done, and not done when it cannot be
//! recorded. An act that was refused or failed has a second record with its status. Records are compact JSON of at most 4 KiB.

mod act;
mod ban;
mod corrections;
mod issued;
mod record;
mod refusals;

pub use act::{AuditContext, end, record_act};
pub use ban::{record_ban, record_ban_again};
pub use corrections::{begin_corrections, end_corrections};
pub use issued::{IssuedTokens, issued};
pub use refusals::{Refusals, refused};
