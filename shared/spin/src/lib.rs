//! The composition root of Edgeboard's components: it reads the settings, opens the stores and hands them to
//! the pipeline. The only crate that calls the Spin SDK.
//!
//! Spin reuses an instance for up to 128 requests, 16 of them interleaved on one thread. What they share is
//! in [`Instance`]: connections, settings and configurations, and nothing about a user.

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
mod sqlite;
mod store;
mod subscribe;
mod timeout;
mod trace_ids;

pub use changes::{Unheard, changed};
pub use instance::{Instance, RequestEnvironment};
pub use serve::{serve, serve_files};
pub use store::Store;
pub use subscribe::{Unapplied, subscribe};
