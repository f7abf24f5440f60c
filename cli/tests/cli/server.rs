//! A mock HTTP server: a function of the test decides each answer, and the server records the requests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A request that the server received.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRequest {
    /// The method, the path and the query, such as `GET /api/v1/leaderboards?limit=100`.
    pub(crate) line: String,
    /// The headers by lower-case name.
    pub(crate) headers: HashMap<String, String>,
    /// The body as JSON; `null` if the request has no body.
    pub(crate) body: Value,
}

/// How the server reacts to a request.
#[derive(Clone, Debug)]
pub(crate) enum MockAnswer {
    /// The server answers with a status, further headers, and a JSON body (none for `null`).
    Json(u16, &'static str, Value),
    /// The server closes the connection without an answer.
    Close,
    /// The server keeps the connection open and never answers.
    Hang,
}

/// A running server. It ends with the test process.
pub(crate) struct MockServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
    connections: Arc<AtomicUsize>,
}

impl MockServer {
    /// Starts a server on a free port. `answer` decides the answer to each request.
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
                thread::spawn(move || serve_connection(stream.unwrap(), &kept, &*answer));
            }
        });
        Self {
            address,
            requests,
            connections,
        }
    }

    /// Returns the base address, `http://127.0.0.1:` and the port.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns the requests since the last call of this function.
    pub(crate) fn take_requests(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

/// Answers the requests of one connection, one after the other.
fn serve_connection(
    stream: TcpStream,
    kept: &Mutex<Vec<RecordedRequest>>,
    answer: &dyn Fn(&RecordedRequest) -> MockAnswer,
) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read_request(&mut reader) {
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
                // Writing fails if a test has killed the client.
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

/// Reads a request; `None` when the client has closed the connection.
fn read_request(reader: &mut impl BufRead) -> Option<RecordedRequest> {
    let line = read_text_line(reader)?;
    let mut headers = HashMap::new();
    while let Some((name, value)) = read_text_line(reader)?.split_once(':') {
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

fn read_text_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}

/// Returns the submissions of a request.
pub(crate) fn read_submissions(request: &RecordedRequest) -> Vec<Value> {
    request.body["scores"].as_array().cloned().unwrap_or_default()
}

/// Creates an answer with status 207, and with the result that `outcome` returns for each submission.
pub(crate) fn answer_submissions(request: &RecordedRequest, outcome: impl Fn(&Value) -> Value) -> MockAnswer {
    let results: Vec<Value> = read_submissions(request).iter().map(outcome).collect();
    MockAnswer::Json(207, "", json!({ "results": results }))
}

/// Returns the result for a submission that all its leaderboards accept.
pub(crate) fn accept_submission(submission: &Value) -> Value {
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

/// Creates a problem document with one invalid field.
pub(crate) fn create_problem(status: u16, title: &str, pointer: &str) -> Value {
    json!({"type": "/problems/x", "title": title, "status": status, "instance": "trace-1",
        "errors": [{"pointer": pointer, "detail": "not like this"}]})
}
