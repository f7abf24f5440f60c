//! The audit log: the administrative actions in a tenant or in the installation, with the caller, the time and the address;
//! refused credentials; and issued tokens. A record does not change after it is written (docs/decisions/0017), except that an erased player gets a pseudonym
//! (docs/decisions/0052).
//!
//! An administrative action is recorded after its request was found valid and before the action is done. If it cannot be
//! recorded, it is not done. If it is refused or fails, it has a second record with its status.

mod action;
mod ban;
mod corrections;
mod erasure;
mod issued_tokens;
mod record;
mod refusals;

pub use action::{AuditContext, record_action_result, record_audit_event};
pub use ban::{record_ban, record_ban_again};
pub use corrections::{begin_corrections, end_corrections};
pub use erasure::{mention_of, pseudonymise};
pub use issued_tokens::{IssuedTokens, record_issued_token};
#[cfg(feature = "schema")]
pub use record::add_schemas;
pub use refusals::{Refusals, collect_refusal};
