//! Reads the values of a flattened reply from front to back.

use leaderboard_core::StoreError;
use leaderboard_core::ports::VersionMismatch;

use crate::connection::Reply;

/// The values of a reply that have not been read yet.
#[derive(Debug)]
pub(crate) struct ReplyReader(std::vec::IntoIter<Reply>);

/// The error for stored data or a reply that this crate cannot have written. `what` names the damaged part.
pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

impl ReplyReader {
    /// Reads the values that [`Connection::command`](crate::Connection::command) returned.
    pub(crate) fn new(replies: Vec<Reply>) -> Self {
        Self(replies.into_iter())
    }

    /// Returns whether every value has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// Returns the number of values that have not been read.
    pub(crate) fn remaining(&self) -> usize {
        self.0.as_slice().len()
    }

    /// Reads a string of bytes.
    pub(crate) fn read_bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Reply::Bytes(bytes)) => Ok(bytes),
            other => Err(corrupt(format_args!(
                "expected bytes, not {}",
                describe_kind(other.as_ref())
            ))),
        }
    }

    /// Reads a string of bytes, or `None` for nil.
    pub(crate) fn read_optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Reply::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Reply::Nil) => Ok(None),
            other => Err(corrupt(format_args!(
                "expected bytes, not {}",
                describe_kind(other.as_ref())
            ))),
        }
    }

    /// Reads an integer that is 0 or greater.
    pub(crate) fn read_count(&mut self) -> Result<u64, StoreError> {
        match self.0.next() {
            Some(Reply::Integer(number)) => u64::try_from(number).map_err(corrupt),
            other => Err(corrupt(format_args!(
                "expected a count, not {}",
                describe_kind(other.as_ref())
            ))),
        }
    }

    /// Reads a 64-bit number in decimal.
    pub(crate) fn read_number(&mut self) -> Result<u64, StoreError> {
        parse_decimal(&self.read_bytes()?)
    }

    /// Reads the current version after a failed expectation. An empty string stands for no version.
    pub(crate) fn read_mismatch(&mut self) -> Result<VersionMismatch, StoreError> {
        let version = self.read_bytes()?;
        let current = if version.is_empty() {
            None
        } else {
            Some(parse_decimal(&version)?)
        };
        Ok(VersionMismatch { current })
    }
}

/// Parses a 64-bit number in decimal.
pub(crate) fn parse_decimal(bytes: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    text.parse().map_err(corrupt)
}

fn describe_kind(reply: Option<&Reply>) -> &'static str {
    match reply {
        None => "the end",
        Some(Reply::Nil) => "nil",
        Some(Reply::Status(_)) => "a status",
        Some(Reply::Integer(_)) => "an integer",
        Some(Reply::Bytes(_)) => "bytes",
    }
}
