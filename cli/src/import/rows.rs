//! The rows of a CSV file, each with the line on which it begins.
//!
//! The csv parser reports its position before it looks for a row. After CRLF, that position is on the previous line, and empty
//! lines count as part of the next row. The parser's position after a row is exact, so this module counts lines back from there.

use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use crate::formula;

/// How to split a file into cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CsvFormat {
    /// The byte between fields.
    pub(crate) delimiter: u8,
    /// Whether to trim white space around cells.
    pub(crate) trim: bool,
}

/// One row: its line (from 1), and its cells, or the reason why the row cannot be read. Reading continues with the next row.
pub(crate) type CsvRow = (u64, Result<StringRecord, String>);

/// Reads row after row.
pub(crate) struct CsvRows<R> {
    reader: Reader<TailReader<R>>,
    form: CsvFormat,
    columns: usize,
    bytes: ByteRecord,
}

impl<R: Read> CsvRows<R> {
    /// Reads the header line; `None` when the file has no lines.
    ///
    /// # Errors
    /// The file cannot be read, or its header is not UTF-8.
    pub(crate) fn new(input: R, form: CsvFormat) -> Result<Option<(Self, StringRecord)>, csv::Error> {
        let mut reader = ReaderBuilder::new()
            .delimiter(form.delimiter)
            .flexible(true)
            .from_reader(TailReader::new(input));
        let mut header = reader.headers()?.clone();
        if header.is_empty() {
            return Ok(None);
        }
        if form.trim {
            header.trim();
        }
        let rows = Self {
            reader,
            form,
            columns: header.len(),
            bytes: ByteRecord::new(),
        };
        Ok(Some((rows, header)))
    }

    /// Returns the next row; `None` at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read any further.
    pub(crate) fn next(&mut self) -> Result<Option<CsvRow>, csv::Error> {
        if !self.reader.read_byte_record(&mut self.bytes)? {
            return Ok(None);
        }
        let line = self.line();
        Ok(Some((line, self.cells())))
    }

    /// Returns the line on which the row begins that was read last.
    fn line(&self) -> u64 {
        let end = self.reader.position();
        let is_ended = self.reader.get_ref().byte_before(end.byte()) == Some(b'\n');
        let inside = self.bytes.as_slice().iter().filter(|byte| **byte == b'\n');
        let lines = inside.count() as u64 + u64::from(is_ended);
        end.line().saturating_sub(lines).max(1)
    }

    fn cells(&self) -> Result<StringRecord, String> {
        if self.bytes.len() != self.columns {
            return Err(format!("{} of {} fields", self.bytes.len(), self.columns));
        }
        let mut record =
            StringRecord::from_byte_record(self.bytes.clone()).map_err(|_error| "not UTF-8".to_owned())?;
        if self.form.trim {
            record.trim();
        }
        if record.iter().any(|cell| formula::unescape(cell) != cell) {
            record = record.iter().map(formula::unescape).collect();
        }
        Ok(record)
    }
}

/// A reader that keeps the last bytes it returned, so that the end of a row can be inspected.
#[derive(Debug)]
struct TailReader<R> {
    inner: R,
    /// The bytes of the last read.
    given: Vec<u8>,
    /// The number of bytes that were read before the last read.
    before: u64,
    /// The last byte before the bytes of the last read.
    last_before: Option<u8>,
}

impl<R> TailReader<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            given: Vec::new(),
            before: 0,
            last_before: None,
        }
    }

    /// Returns the byte before `offset`; `None` if that byte is not kept any more.
    fn byte_before(&self, offset: u64) -> Option<u8> {
        if offset == self.before {
            return self.last_before;
        }
        let position = offset.checked_sub(self.before)?.checked_sub(1)?;
        self.given.get(usize::try_from(position).ok()?).copied()
    }
}

impl<R: Read> Read for TailReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if length > 0 {
            self.last_before = self.given.last().copied().or(self.last_before);
            self.before += self.given.len() as u64;
            self.given.clear();
            self.given
                .extend_from_slice(buffer.get(..length).unwrap_or_default());
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: CsvFormat = CsvFormat {
        delimiter: b',',
        trim: false,
    };

    fn read_rows(input: impl Read, form: CsvFormat) -> Vec<(u64, Result<Vec<String>, String>)> {
        let (mut rows, _header) = CsvRows::new(input, form).unwrap().unwrap();
        std::iter::from_fn(|| rows.next().unwrap())
            .map(|(line, row)| (line, row.map(|row| row.iter().map(str::to_owned).collect())))
            .collect()
    }

    /// Returns the line number of each row.
    fn list_line_numbers(text: &str) -> Vec<u64> {
        read_rows(text.as_bytes(), FORMAT)
            .into_iter()
            .map(|(line, _row)| line)
            .collect()
    }

    #[test]
    fn the_line_of_a_row_is_the_line_in_an_editor() {
        let rows = [
            "h,i", "a,1", "", "", "b,2", "\"c", "c\",3", "", "d,4", "e,\"5", "", "\"", "f,6",
        ];
        for (end, last) in [("\n", ""), ("\n", "\n"), ("\r\n", ""), ("\r\n", "\r\n\r\n")] {
            let text = rows.join(end) + last;
            assert_eq!(list_line_numbers(&text), [2, 5, 6, 9, 10, 13], "{text:?}");
            assert_eq!(
                list_line_numbers(&format!("\u{feff}{end}{text}")),
                [3, 6, 7, 10, 11, 14],
                "{text:?}"
            );
        }
        assert_eq!(
            list_line_numbers("h,i\r\na,1\nb,2\r\n\nc,3"),
            [2, 3, 5],
            "mixed line ends"
        );
    }

    #[test]
    fn line_numbers_are_right_over_many_small_reads() {
        /// A reader that returns at most three bytes at a time.
        struct SlowReader<'a>(&'a [u8]);
        impl Read for SlowReader<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = 3.min(self.0.len()).min(buffer.len());
                let (now, later) = self.0.split_at(length);
                buffer[..length].copy_from_slice(now);
                self.0 = later;
                Ok(length)
            }
        }
        let text = "h,i\r\n".to_owned() + &"a,1\r\n\r\n".repeat(5000);
        let expected: Vec<u64> = (0..5000).map(|row| 2 + 2 * row).collect();
        assert_eq!(list_line_numbers(&text), expected);
        let slow_lines: Vec<u64> = read_rows(SlowReader(text.as_bytes()), FORMAT)
            .into_iter()
            .map(|(line, _row)| line)
            .collect();
        assert_eq!(slow_lines, expected);
    }

    #[test]
    fn an_unreadable_row_gives_the_reason_and_reading_continues() {
        let rows = read_rows(&b"h,i\r\na\r\n\xff,1\r\nb,2,3\r\nc,4\r\n"[..], FORMAT);
        let cells = |cells: [&str; 2]| Ok(cells.map(str::to_owned).to_vec());
        assert_eq!(
            rows,
            [
                (2, Err("1 of 2 fields".to_owned())),
                (3, Err("not UTF-8".to_owned())),
                (4, Err("3 of 2 fields".to_owned())),
                (5, cells(["c", "4"]))
            ]
        );
    }

    #[test]
    fn cells_are_trimmed_on_request_and_escaped_formulas_are_unescaped() {
        let text = " h ,i\n a\u{a0}, 1 \n'=b,'c\n";
        let exact = read_rows(text.as_bytes(), FORMAT);
        assert_eq!(exact[0].1.as_ref().unwrap(), &[" a\u{a0}", " 1 "]);
        assert_eq!(exact[1].1.as_ref().unwrap(), &["=b", "'c"]);
        let form = CsvFormat { trim: true, ..FORMAT };
        assert_eq!(
            read_rows(text.as_bytes(), form)[0].1.as_ref().unwrap(),
            &["a", "1"]
        );
        let (_rows, header) = CsvRows::new(text.as_bytes(), form).unwrap().unwrap();
        assert_eq!(header, vec!["h", "i"]);
    }

    #[test]
    fn an_empty_file_has_no_header() {
        for empty in ["", "\n\r\n", "\u{feff}"] {
            assert!(
                CsvRows::new(empty.as_bytes(), FORMAT).unwrap().is_none(),
                "{empty:?}"
            );
        }
    }
}
