//! Reads a row from left to right. An unexpected value is [`StoreError::Corrupt`].

use leaderboard_core::codec::Malformed;
use leaderboard_core::{StoreError, Timestamp};

use crate::connection::{Cell, Row};

/// Returns the error for an unexpected value; `what` names the value.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("unexpected {what}"))
}

/// Returns the error of bytes that the codec cannot read.
pub(crate) fn malformed(error: Malformed) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Converts an unsigned number for storage. Stored positions and counts are far below `i64::MAX`. A request can name a larger
/// number, which no row has; it becomes `i64::MAX`.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The cells of a row that have not been read yet.
#[derive(Debug, Default)]
pub(crate) struct Cells(std::vec::IntoIter<Cell>);

impl From<Row> for Cells {
    fn from(row: Row) -> Self {
        Self(row.into_iter())
    }
}

impl Cells {
    fn next(&mut self, what: &str) -> Result<Cell, StoreError> {
        self.0.next().ok_or_else(|| corrupt(what))
    }

    /// Reads an integer or NULL.
    pub(crate) fn integer_or_null(&mut self, what: &str) -> Result<Option<i64>, StoreError> {
        match self.next(what)? {
            Cell::Null => Ok(None),
            Cell::Integer(number) => Ok(Some(number)),
            _ => Err(corrupt(what)),
        }
    }

    pub(crate) fn integer(&mut self, what: &str) -> Result<i64, StoreError> {
        self.integer_or_null(what)?.ok_or_else(|| corrupt(what))
    }

    /// Reads a number that is never negative.
    pub(crate) fn unsigned(&mut self, what: &str) -> Result<u64, StoreError> {
        u64::try_from(self.integer(what)?).map_err(|_| corrupt(what))
    }

    /// Reads a number that is never negative, or NULL.
    pub(crate) fn unsigned_or_null(&mut self, what: &str) -> Result<Option<u64>, StoreError> {
        let number = self.integer_or_null(what)?.map(u64::try_from);
        number.transpose().map_err(|_| corrupt(what))
    }

    /// Reads 0 (false) or 1 (true).
    pub(crate) fn flag(&mut self, what: &str) -> Result<bool, StoreError> {
        match self.integer(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(corrupt(what)),
        }
    }

    pub(crate) fn instant_or_null(&mut self, what: &str) -> Result<Option<Timestamp>, StoreError> {
        self.integer_or_null(what)?
            .map(|ms| Timestamp::from_unix_ms(ms).ok_or_else(|| corrupt(what)))
            .transpose()
    }

    pub(crate) fn instant(&mut self, what: &str) -> Result<Timestamp, StoreError> {
        self.instant_or_null(what)?.ok_or_else(|| corrupt(what))
    }

    pub(crate) fn text_or_null(&mut self, what: &str) -> Result<Option<String>, StoreError> {
        match self.next(what)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            _ => Err(corrupt(what)),
        }
    }

    pub(crate) fn text(&mut self, what: &str) -> Result<String, StoreError> {
        self.text_or_null(what)?.ok_or_else(|| corrupt(what))
    }

    pub(crate) fn blob_or_null(&mut self, what: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next(what)? {
            Cell::Null => Ok(None),
            Cell::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(corrupt(what)),
        }
    }

    pub(crate) fn blob(&mut self, what: &str) -> Result<Vec<u8>, StoreError> {
        self.blob_or_null(what)?.ok_or_else(|| corrupt(what))
    }
}
