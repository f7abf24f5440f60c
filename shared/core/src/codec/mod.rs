//! The binary format of configurations, events and outcomes in both stores. The format is the same for every store, so a copied
//! log stays equal byte for byte.
//!
//! Each value begins with a code. A changed format gets a new code, and the old formats stay readable. Integers are LEB128 varints;
//! signed integers are zigzag-coded first. A text is its length in bytes and its UTF-8 bytes.

mod event;
mod leaderboard;
mod outcome;
mod wire;

pub use event::{
    BANNED_FLAG, KEPT_FLAG, METADATA_FLAG, RECORDED_AT_BYTES, SUBMITTED_FLAGS_AT, SUBMITTED_V2, decode_event,
    decode_logged_event, encode_event, read_recorded_at,
};
pub use leaderboard::{decode_layout, decode_leaderboard, encode_layout, encode_leaderboard};
pub use outcome::{decode_outcome, encode_outcome};
pub use wire::{Malformed, Reader, Writer};
