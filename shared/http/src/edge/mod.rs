//! What the edge knows without asking the store each time: the tenant, its limits and flags, keys and issuers.
//!
//! Documents are read through copies: instance memory, then the region's key-value store, then the store. A copy
//! carries when it was read from the store itself. Until [`Trust::refresh_after_ms`] it is used as it is; after that it is
//! used and refreshed after the response; after [`Trust::ask_after_ms`] the store is asked first. While the store is out of
//! reach, a copy that was good holds for [`Trust::forgive_ms`]: no change can be made then that it would miss, except by
//! regions that still reach the store. After a change the store is asked anew, and an older answer takes no newer one's place;
//! where [`Trust::until_changed`] says so, copies from before the change are used nowhere in the region ([`generations`]).

mod banned;
mod copies;
mod flags;
mod generations;
mod knowledge;
mod own_flags;

pub(crate) use banned::Banned;
pub(crate) use copies::{Bodies, CLOCK_MARGIN_MS, Copies, Trust, documents, renew};
pub(crate) use flags::{Flags, ReadSets, Subject};
pub(crate) use generations::Generations;
pub(crate) use knowledge::{Knowledge, KnownTenants, only, record as record_name};
pub(crate) use own_flags::{V2_DEFAULT, WRITES, check_own};
