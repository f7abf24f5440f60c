//! The audit log: the administrative actions in a tenant or in the installation, with the caller, the time and the address;
//! refused credentials; and issued tokens. A record does not change after it is written (docs/decisions/0017).
//!
//! An administrative action is recorded after its request was found valid and before the action is done. If it cannot be
//! recorded, it is not done. If it is refused or fails, it has a second record with its status.

mod act;
mod ban;
mod corrections;
mod issued;
mod record;
mod refusals;

pub use act::{AuditContext, end, record_audit_event};
pub use ban::{record_ban, record_ban_again};
pub use corrections::{begin_corrections, end_corrections};
pub use issued::{IssuedTokens, issued};
#[cfg(feature = "schema")]
pub use record::add_schemas;
pub use refusals::{Refusals, refused};
