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
mod value;
mod write;

pub(crate) use compact::compact;
pub(crate) use errors::Errors;
pub(crate) use field::{Field, Fields, IS_REQUIRED};
pub(crate) use integer::{Exact, ExactUnsigned, decimal};
pub(crate) use merge::{check_width, merge};
pub(crate) use parse::{parse, parse_within};
pub(crate) use pointer::{Pointer, fragment, has_place};
pub(crate) use value::{Json, Object};
pub use write::IntegerFormat;
#[cfg(test)]
pub(crate) use write::text;
pub(crate) use write::write;
