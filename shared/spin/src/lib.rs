//! The composition root of Edgeboard's components: it reads the settings, opens the stores, and passes both to the pipeline. It
//! is the only crate that calls the Spin SDK.
//!
//! Spin reuses an instance for up to 128 requests, of which up to 16 run interleaved on one thread. The requests share an
//! [`Instance`]: connections, settings and caches. An `Instance` contains no data about a user.

mod after_response;
mod body;
mod changes;
mod fetch;
mod function;
mod incoming;
mod instance;
mod key_value;
mod log;
mod outgoing;
mod redis;
mod serve;
mod settings;
mod signal;
mod sqlite;
mod store;
mod store_choice;
mod subscribe;
mod timeout;
mod trace_ids;

pub use changes::{UnappliedChange, apply_changes};
pub use instance::{Instance, RequestEnvironment};
pub use serve::{serve, serve_files};
pub use store::Store;
pub use subscribe::{Unapplied, subscribe};
