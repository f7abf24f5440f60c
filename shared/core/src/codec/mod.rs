//! The bytes in which both stores keep configurations, events and outcomes.
//!
//! Compact, exact and the same for every store: a log copied from one store to another stays equal, byte
//! for byte. Each kind begins with a code; a changed shape gets a new code and the old one stays readable.
//! Integers are LEB128 varints, signed ones zigzag-coded before that; text is its length in bytes and UTF-8.

mod event;
mod leaderboard;
mod outcome;
mod wire;

pub use event::{
    BANNED_FLAG, KEPT_FLAG, METADATA_FLAG, RECORDED_AT_BYTES, SUBMITTED_FLAGS_AT, SUBMITTED_V2, decode_event,
    encode_event, read_recorded_at,
};
pub use leaderboard::{decode_layout, decode_leaderboard, encode_layout, encode_leaderboard};
pub use outcome::{decode_outcome, encode_outcome};
pub use wire::{Malformed, Reader, Writer};
