//! Reading a flattened answer from front to back.

use leaderboard_core::StoreError;
use leaderboard_core::ports::VersionMismatch;

use crate::connection::Reply;

/// The values of an answer that have not been read yet.
#[derive(Debug)]
pub(crate) struct Answer(std::vec::IntoIter<Reply>);

/// The store answered something that this program does not write.
pub(crate) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

impl Answer {
    pub(crate) fn new(replies: Vec<Reply>) -> Self {
        Self(replies.into_iter())
    }

    /// Whether all has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// How many values are left.
    pub(crate) fn left(&self) -> usize {
        self.0.as_slice().len()
    }

    /// A string of bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Reply::Bytes(bytes)) => Ok(bytes),
            other => Err(corrupt(format_args!(
                "expected bytes, not {}",
                kind(other.as_ref())
            ))),
        }
    }

    /// A string of bytes, or nothing.
    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Reply::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Reply::Nil) => Ok(None),
            other => Err(corrupt(format_args!(
                "expected bytes, not {}",
                kind(other.as_ref())
            ))),
        }
    }

    /// A count.
    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        match self.0.next() {
            Some(Reply::Integer(number)) => u64::try_from(number).map_err(corrupt),
            other => Err(corrupt(format_args!(
                "expected a count, not {}",
                kind(other.as_ref())
            ))),
        }
    }

    /// A 64-bit number in decimal.
    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        decimal(&self.bytes()?)
    }

    /// The version that is there instead of the one expected; empty for none.
    pub(crate) fn mismatch(&mut self) -> Result<VersionMismatch, StoreError> {
        let version = self.bytes()?;
        let current = if version.is_empty() {
            None
        } else {
            Some(decimal(&version)?)
        };
        Ok(VersionMismatch { current })
    }
}

/// A 64-bit number in decimal.
pub(crate) fn decimal(bytes: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    text.parse().map_err(corrupt)
}

fn kind(reply: Option<&Reply>) -> &'static str {
    match reply {
        None => "the end",
        Some(Reply::Nil) => "nil",
        Some(Reply::Status(_)) => "a status",
        Some(Reply::Integer(_)) => "an integer",
        Some(Reply::Bytes(_)) => "bytes",
    }
}
