//! A client of event streams.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for an event that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub(super) struct EventStream {
    connection: TcpStream,
    /// What was received and is not read yet: chunks of HTTP/1.1.
    received: Vec<u8>,
    /// What the chunks had and is not read yet.
    text: String,
    pub(super) status: u16,
    pub(super) head: String,
}

/// An event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) data: Value,
}

impl EventStream {
    /// Opens a stream at a path of the service, with these header lines.
    pub(super) async fn open(url: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self {
            connection,
            received: Vec::new(),
            text: String::new(),
            status: 0,
            head: String::new(),
        };
        let head = loop {
            if let Some(end) = find(&stream.received, b"\r\n\r\n") {
                let rest = stream.received.split_off(end + 4);
                break String::from_utf8(std::mem::replace(&mut stream.received, rest)).unwrap();
            }
            assert!(stream.receive().await, "the service closed the connection");
        };
        stream.status = head[9..12].parse().unwrap();
        stream.head = head.to_lowercase();
        stream
    }

    /// Receives more bytes. Returns whether there were any.
    async fn receive(&mut self) -> bool {
        let mut part = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.connection.read(&mut part));
        let length = read.await.expect("nothing came").unwrap_or(0);
        self.received.extend_from_slice(&part[..length]);
        length > 0
    }

    /// Returns the next block of lines; `None` if the stream has ended.
    pub(super) async fn next_block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                return Some(std::mem::replace(&mut self.text, rest));
            }
            if !self.take_chunk() && !self.receive().await {
                return None;
            }
            if self.received.starts_with(b"0\r\n") {
                return None;
            }
        }
    }

    /// Returns whether the last chunk was received, after the end of the stream.
    pub(super) fn has_ended_cleanly(&self) -> bool {
        self.received.starts_with(b"0\r\n")
    }

    /// Takes the text of a whole chunk. Returns whether there was one.
    fn take_chunk(&mut self) -> bool {
        let Some(line) = find(&self.received, b"\r\n") else {
            return false;
        };
        let size = std::str::from_utf8(&self.received[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (start, end) = (line + 2, line + 2 + size);
        if size == 0 || self.received.len() < end + 2 {
            return false;
        }
        self.text
            .push_str(std::str::from_utf8(&self.received[start..end]).unwrap());
        self.received.drain(..end + 2);
        true
    }

    /// Returns the next event; `None` if the stream has ended. Comments are left out.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.next_block().await?;
            let field = |name: &str| {
                let mut lines = block.lines();
                lines.find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            if let Some(data) = field("data: ") {
                return Some(Event {
                    id: field("id: ").unwrap(),
                    name: field("event: ").unwrap(),
                    data: serde_json::from_str(&data).unwrap(),
                });
            }
        }
    }

    /// Returns the next event, which must have this name.
    pub(super) async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("the stream has ended");
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
