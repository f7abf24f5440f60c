//! Key-value stores: `spin:key-value/key-value@3.0.0` on SQLite, in the file and form that Spin uses.

mod database;
mod host;

pub(crate) use database::{Database, Reader};

use std::sync::Arc;

/// Stores that one instance may hold open, as on Spin.
const MAX_OPEN_STORES: usize = 256;
/// The largest value or key a guest gets, as on Spin.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// A store that a guest has opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenStore {
    label: Arc<str>,
}
