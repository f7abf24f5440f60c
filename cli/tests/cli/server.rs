//! A small HTTP server that answers as the test says, and records the requests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRequest {
    /// `GET /api/v1/…?…`
    pub(crate) line: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    /// `null` without a body.
    pub(crate) body: Value,
}

/// How the server reacts to a request.
#[derive(Clone, Debug)]
pub(crate) enum MockAnswer {
    /// A status, further headers, and JSON.
    Json(u16, &'static str, Value),
    /// The connection is closed without an answer.
    Close,
    /// The server never answers.
    Hang,
}

/// A running server; it ends with the test process.
pub(crate) struct MockServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
    connections: Arc<AtomicUsize>,
}

impl MockServer {
    /// Starts on a free port.
    pub(crate) fn start(answer: impl Fn(&RecordedRequest) -> MockAnswer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(answer);
        let (kept, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(stream.unwrap(), &kept, &*answer));
            }
        });
        Self {
            address,
            requests,
            connections,
        }
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns the requests since the last call.
    pub(crate) fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn serve(
    stream: TcpStream,
    kept: &Mutex<Vec<RecordedRequest>>,
    answer: &dyn Fn(&RecordedRequest) -> MockAnswer,
) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read(&mut reader) {
        kept.lock().unwrap().push(request.clone());
        match answer(&request) {
            MockAnswer::Json(status, headers, body) => {
                let body = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n");
                // The client may have been killed.
                if stream.write_all((head + &body).as_bytes()).is_err() {
                    return;
                }
            }
            MockAnswer::Close => return,
            MockAnswer::Hang => loop {
                thread::park();
            },
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<RecordedRequest> {
    let line = text_line(reader)?;
    let mut headers = HashMap::new();
    while let Some((name, value)) = text_line(reader)?.split_once(':') {
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap()
    };
    Some(RecordedRequest {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body,
    })
}

fn text_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}

/// The submissions of a request.
pub(crate) fn submissions(request: &RecordedRequest) -> Vec<Value> {
    request.body["scores"].as_array().cloned().unwrap_or_default()
}

/// 207 with one result per submission, as `outcome` says.
pub(crate) fn results(request: &RecordedRequest, outcome: impl Fn(&Value) -> Value) -> MockAnswer {
    let results: Vec<Value> = submissions(request).iter().map(outcome).collect();
    MockAnswer::Json(207, "", json!({ "results": results }))
}

/// The result of a submission that all its leaderboards accepted.
pub(crate) fn accepted(submission: &Value) -> Value {
    let one =
        |leaderboard: &Value| json!({"leaderboard": leaderboard, "status": "changed", "replayed": false});
    let each: Vec<Value> = submission["leaderboards"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect();
    json!({"status_code": 200, "results": each})
}

/// A problem document.
pub(crate) fn problem(status: u16, title: &str, pointer: &str) -> Value {
    json!({"type": "/problems/x", "title": title, "status": status, "instance": "trace-1",
        "errors": [{"pointer": pointer, "detail": "not like this"}]})
}
