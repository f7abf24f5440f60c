//! An HTTP client for benchmarks: one connection, as little work as possible for each request.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for an answer at first; it grows when one is larger.
const BUFFER_BYTES: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const LENGTH: &[u8] = b"content-length:";

/// A connection that stays open from one request to the next. It understands answers of HTTP/1.1 that state
/// their length, as all of Edgeboard's do.
#[derive(Debug)]
pub struct KeepAlive {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl KeepAlive {
    /// Connects, without Nagle's delay.
    ///
    /// # Errors
    /// When no server listens.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Self { stream, buffer })
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is none that this client understands.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let (status, body) = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(free).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some(whole) = parse(self.buffer.get(..filled).unwrap_or_default())? {
                break whole;
            }
        };
        let body = self.buffer.get(body).unwrap_or_default();
        Ok(Answer { status, body })
    }
}

/// The status and where the body is, once all of it is there.
fn parse(answer: &[u8]) -> io::Result<Option<(u16, std::ops::Range<usize>)>> {
    let Some(end) = answer
        .windows(END_OF_HEAD.len())
        .position(|four| four == END_OF_HEAD)
    else {
        return Ok(None);
    };
    let head = answer.get(..end).unwrap_or_default();
    let status = head.get(9..12).and_then(number);
    let mut fields = head.split(|byte| *byte == b'\n');
    let length = fields.find_map(|field| {
        let (name, value) = field.split_at_checked(LENGTH.len())?;
        name.eq_ignore_ascii_case(LENGTH).then(|| number(value))?
    });
    let (Some(status), Some(length)) = (status, length) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "an answer without a status or a length",
        ));
    };
    let body = end + END_OF_HEAD.len();
    let status = u16::try_from(status).unwrap_or(u16::MAX);
    Ok((answer.len() >= body + length).then_some((status, body..body + length)))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_when_its_body_is_whole() {
        let text = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 3\r\na: b\r\n\r\nabc";
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]).unwrap(), None);
        }
        assert_eq!(parse(text).unwrap(), Some((207, text.len() - 3..text.len())));
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
