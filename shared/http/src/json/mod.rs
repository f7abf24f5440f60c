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

pub(crate) use compact::compact;
pub(crate) use errors::Errors;
pub(crate) use field::{Field, Fields};
pub(crate) use integer::{Exact, ExactUnsigned, decimal};
pub(crate) use merge::{check_width, merge};
pub(crate) use parse::{parse, parse_within};
pub(crate) use pointer::{Pointer, fragment};
pub(crate) use value::{Json, Object};
