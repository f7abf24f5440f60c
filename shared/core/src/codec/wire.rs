//! Writes and reads the parts of a stored value: varints, texts and optional values.

use crate::{PeriodId, PlayerId, Timestamp, Values};

/// The longest varint of 64 bits, in bytes.
const MAX_VARINT_BYTES: u32 = 10;

/// The bytes do not have the expected format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(
    /// The kind of value that was being read.
    pub &'static str,
);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Appends values to a byte string.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Returns the bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Writes one byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Writes an unsigned varint.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low seven bits are what is wanted"
    )]
    pub fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Writes a signed integer as a zigzag varint.
    pub fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// Writes the length of the bytes, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Writes the length of the text in bytes, then its UTF-8 bytes.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes 0 for `None`, or 1 and then the value, by `write`.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.byte(0),
            Some(value) => {
                self.byte(1);
                write(self, value);
            }
        }
    }

    /// Writes the number of values, then each value.
    pub fn values(&mut self, values: &Values) {
        self.unsigned(values.as_slice().len() as u64);
        for value in values.as_slice() {
            self.signed(*value);
        }
    }

    /// Writes an instant.
    pub fn timestamp(&mut self, at: Timestamp) {
        self.signed(at.as_unix_ms());
    }
}

/// Takes values from the front of a byte string.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns how many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Checks that all bytes were read.
    ///
    /// # Errors
    /// [`Malformed`] if bytes are left.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed("end"))
        }
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`Malformed`] at the end of the bytes. All methods below fail in the same way.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed("byte"))?;
        self.0 = rest;
        Ok(*first)
    }

    /// Reads an unsigned varint.
    ///
    /// # Errors
    /// [`Malformed`].
    #[inline]
    pub fn unsigned(&mut self) -> Result<u64, Malformed> {
        // Most numbers are small.
        match self.0.split_first() {
            Some((first, rest)) if *first < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*first))
            }
            _ => self.long_unsigned(),
        }
    }

    fn long_unsigned(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for at in 0..MAX_VARINT_BYTES {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * at);
            if shifted >> (7 * at) != bits {
                break;
            }
            value |= shifted;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("varint"))
    }

    /// Reads a signed integer from a zigzag varint.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn signed(&mut self) -> Result<i64, Malformed> {
        let coded = self.unsigned()?;
        Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
    }

    /// Reads a length and that many bytes, without a copy.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| Malformed("length"))?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed("bytes"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Reads a length and that many bytes of UTF-8, without a copy.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("text"))
    }

    /// Reads a byte that is 0 (false) or 1 (true).
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("flag")),
        }
    }

    /// Reads 0 as `None`, or 1 and then a value.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed("option")),
        }
    }

    /// Reads the values of a tuple.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn values(&mut self) -> Result<Values, Malformed> {
        let count = self.unsigned()?;
        if count == 0 || count > crate::MAX_COLUMNS as u64 {
            return Err(Malformed("values"));
        }
        (0..count)
            .map(|_| self.signed())
            .collect::<Result<Vec<_>, _>>()
            .map(Values::new)
    }

    /// Reads an instant.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        Timestamp::from_unix_ms(self.signed()?).ok_or(Malformed("instant"))
    }

    /// Reads a player id.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn player(&mut self) -> Result<PlayerId, Malformed> {
        PlayerId::new(self.text()?).map_err(|_| Malformed("player"))
    }

    /// Reads a period id.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn period(&mut self) -> Result<PeriodId, Malformed> {
        PeriodId::parse(self.text()?).map_err(|_| Malformed("period"))
    }
}
