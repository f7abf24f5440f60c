//! JSON in: a tree with exact numbers, and helpers that take it apart and know where they are.
//!
//! Numbers stay as they were written, because scores are exact 64-bit integers and metadata is the client's
//! own; a field that is there twice is refused, because two programs may read it differently.

mod compact;
mod errors;
mod field;
mod integer;
mod merge;
mod parse;
mod pointer;
mod request;
mod value;
mod write;

pub use compact::compact;
pub use errors::Errors;
pub use field::{Field, Fields, IS_REQUIRED};
pub use integer::{Exact, ExactUnsigned, decimal};
pub use merge::{check_width, merge};
pub use parse::{parse, parse_within};
pub use pointer::{Pointer, fragment, has_place};
pub use request::RequestFields;
pub use value::{Json, Object};
pub use write::IntegerFormat;
#[cfg(test)]
pub use write::text;
pub use write::write;
