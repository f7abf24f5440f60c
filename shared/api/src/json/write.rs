//! Writes JSON, with 64-bit integers in the form that the client asked for.

use std::io;

use http::HeaderMap;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::integer::is_safe;
use crate::headers::{invalid_header, one_header};
use crate::problem::Problem;

/// The request header that asks for a form.
pub(super) const API_INTEGERS: &str = "API-Integers";

/// How 64-bit integers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntegerFormat {
    /// A number where every reader keeps it exact, otherwise a string.
    #[default]
    NumberOrString,
    /// Always a string: one type for clients in languages that have no union types.
    String,
}

impl IntegerFormat {
    /// Returns the form that a request asks for with `API-Integers: string`; the default when the header is missing.
    ///
    /// # Errors
    /// A 400 problem that names the header, for any other value.
    pub fn requested(headers: &HeaderMap) -> Result<Self, Problem> {
        match one_header(headers, API_INTEGERS)? {
            None => Ok(Self::NumberOrString),
            Some("string") => Ok(Self::String),
            Some(_) => Err(invalid_header(API_INTEGERS, "must be string, or left out")),
        }
    }
}

/// Writes a document without white space.
///
/// # Errors
/// When a part of it cannot be written as JSON.
pub fn write(document: &impl Serialize, integers: IntegerFormat) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(INITIAL_BYTES);
    document.serialize(&mut Serializer::with_formatter(
        &mut text,
        IntegerFormatter(integers),
    ))?;
    Ok(text)
}

/// Returns the text of a document in the default form.
#[cfg(test)]
pub fn text(document: &impl Serialize) -> String {
    String::from_utf8(write(document, IntegerFormat::default()).unwrap()).unwrap()
}

/// The initial capacity, enough for most documents.
const INITIAL_BYTES: usize = 512;

/// Writes 64-bit integers in a form. Only [`super::Exact`] and [`super::ExactUnsigned`] serialize as 128-bit integers, so the formatter
/// recognises them. With a wrapper type that knows the form, every body would have to carry the form.
struct IntegerFormatter(IntegerFormat);

impl IntegerFormatter {
    fn write<W: ?Sized + io::Write>(
        &self,
        writer: &mut W,
        value: impl itoa::Integer,
        safe: bool,
    ) -> io::Result<()> {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(value).as_bytes();
        if safe && self.0 == IntegerFormat::NumberOrString {
            writer.write_all(digits)
        } else {
            writer.write_all(b"\"")?;
            writer.write_all(digits)?;
            writer.write_all(b"\"")
        }
    }
}

impl Formatter for IntegerFormatter {
    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        self.write(writer, value, is_safe(value.unsigned_abs()))
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        self.write(writer, value, is_safe(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Exact, ExactUnsigned};

    #[test]
    fn integers_are_written_in_the_requested_format() {
        let values = (
            Exact(9_007_199_254_740_991),
            Exact(9_007_199_254_740_992),
            Exact(-9_007_199_254_740_991),
            Exact(i64::MIN),
            ExactUnsigned(7),
            ExactUnsigned(u64::MAX),
            8,
        );
        let text = |format| String::from_utf8(write(&values, format).unwrap()).unwrap();
        assert_eq!(
            text(IntegerFormat::NumberOrString),
            r#"[9007199254740991,"9007199254740992",-9007199254740991,"-9223372036854775808",7,"18446744073709551615",8]"#
        );
        assert_eq!(
            text(IntegerFormat::String),
            r#"["9007199254740991","9007199254740992","-9007199254740991","-9223372036854775808","7","18446744073709551615",8]"#
        );
    }
}
