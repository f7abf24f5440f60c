//! A receiver of webhooks: a server of its own that answers as a test says.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How many bytes a receiver tries to send with [`Reaction::Flood`]: 100 MB.
pub(super) const FLOOD_BYTES: usize = 100_000_000;

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub(super) enum Reaction {
    /// Answers with this status.
    Answer(u16),
    /// Answers with a redirect to this address.
    Redirect(String),
    /// Reads the request and never answers.
    Hang,
    /// Closes the connection in the middle of the request, so that the sender gets a reset.
    Reset,
    /// Answers 200 with a body of [`FLOOD_BYTES`].
    Flood,
}

/// A request that a receiver got.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    reactions: Mutex<VecDeque<Reaction>>,
    received: Mutex<Vec<Received>>,
    flooded: AtomicUsize,
}

/// A receiver. It listens until the process ends.
pub(super) struct Receiver {
    pub(super) url: String,
    state: Arc<State>,
}

impl Receiver {
    /// Starts a receiver with these reactions, one after another; then it answers 204.
    pub(super) fn start(reactions: &[Reaction]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        state.reactions.lock().unwrap().extend(reactions.iter().cloned());
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A sender may close the connection at any time.
                thread::spawn(move || {
                    let _ = shared.serve(stream);
                });
            }
        });
        Self { url, state }
    }

    /// Returns the requests so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Returns how many bytes of a body of [`FLOOD_BYTES`] could be sent.
    pub(super) fn flooded(&self) -> usize {
        self.state.flooded.load(Ordering::Relaxed)
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let reaction = self.reactions.lock().unwrap().pop_front();
        let reaction = reaction.unwrap_or(Reaction::Answer(204));
        if matches!(reaction, Reaction::Reset) {
            // Unread bytes make the close a reset.
            reader.fill_buf()?;
            return Ok(());
        }
        let received = read_request(&mut reader)?;
        self.received.lock().unwrap().push(received);
        let mut stream = stream;
        let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}\r\n");
        match reaction {
            Reaction::Answer(status) => {
                stream.write_all(head(&format!("{status} Status"), "content-length: 0\r\n").as_bytes())
            }
            Reaction::Redirect(url) => {
                let more = format!("location: {url}\r\ncontent-length: 0\r\n");
                stream.write_all(head("302 Found", &more).as_bytes())
            }
            Reaction::Hang | Reaction::Reset => {
                thread::sleep(Duration::from_secs(60));
                Ok(())
            }
            Reaction::Flood => {
                stream.write_all(head("200 OK", &format!("content-length: {FLOOD_BYTES}\r\n")).as_bytes())?;
                let block = [b'x'; 64 * 1024];
                while self.flooded.load(Ordering::Relaxed) < FLOOD_BYTES {
                    let written = stream.write(&block)?;
                    self.flooded.fetch_add(written, Ordering::Relaxed);
                }
                Ok(())
            }
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Received> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => break,
        }
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Received { headers, body })
}
