//! Reads JSON into a tree with exact numbers, reads values from the tree, and writes JSON.
//!
//! The tree keeps numbers as the client wrote them, because scores are exact 64-bit integers and metadata belongs to the client. A
//! field that comes twice is an error, because two programs can read it differently.

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
pub use field::{Field, Fields, IS_REQUIRED, read_document};
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
