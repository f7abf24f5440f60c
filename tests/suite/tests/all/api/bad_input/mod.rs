//! Tests of invalid requests. Each row has a request and the problem that the service must answer with. No
//! request may change any data.

mod configurations;
mod cursors;
mod documents;
mod queries;
mod requests;
mod submissions;

use leaderboard_test_support::{ApiClient, ApiRequest};
use serde_json::{Value, json};

/// The part of a request that the first error of a problem points at.
#[derive(Clone, Debug)]
enum At {
    /// A value in the body, as a JSON pointer.
    Body(&'static str),
    Parameter(&'static str),
    Header(&'static str),
    /// No particular part. The errors of the problem are not compared.
    Nothing,
}

/// A request, and the problem that the service must answer with.
struct Row {
    verb: &'static str,
    path: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    status: u16,
    problem: &'static str,
    at: At,
}

impl Row {
    fn new(verb: &'static str, path: impl Into<String>, status: u16, problem: &'static str, at: At) -> Self {
        Self {
            verb,
            path: path.into(),
            body: Vec::new(),
            headers: Vec::new(),
            status,
            problem,
            at,
        }
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the request of this row.
    fn to_request(&self, api: &ApiClient) -> ApiRequest {
        let mut call = api.request(self.verb, &self.path);
        if !self.body.is_empty() {
            call = call.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            call = call.replace_header(name, value);
        }
        call.body(self.body.clone())
    }

    /// Sends the request and compares the response with the expected problem.
    async fn check(&self, api: &ApiClient) {
        let body_start = String::from_utf8_lossy(&self.body)
            .chars()
            .take(100)
            .collect::<String>();
        let request_line = format!("{} {} {:?} {body_start}", self.verb, self.path, self.headers);
        let answer = self.to_request(api).send().await;
        assert_eq!(answer.status, self.status, "{request_line}: {answer:?}");
        let document = answer.expect_problem(self.status, self.problem);
        let (field, expected) = match self.at {
            At::Nothing => return,
            At::Body(pointer) => ("pointer", pointer),
            At::Parameter(name) => ("parameter", name),
            At::Header(name) => ("header", name),
        };
        assert_eq!(
            document["errors"][0][field], expected,
            "{request_line}: {document}"
        );
        assert!(
            document["errors"][0]["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{request_line}"
        );
    }
}

/// Creates the leaderboard `b` with three entries, and the empty leaderboard `two` with two columns.
async fn create_leaderboards(api: &ApiClient) {
    api.create_leaderboard("b", &json!({"title": "as it was", "limits": {"max": 1_000_000}}))
        .await;
    let columns = json!([{"name": "points", "order": "desc"}, {"name": "time", "order": "asc"}]);
    api.create_leaderboard("two", &json!({"columns": columns})).await;
    for (player, score) in [("a", 3), ("b", 2), ("c", 1)] {
        api.submit_score("b", player, score).await;
    }
}

/// Returns the data that a request of these tests could have changed.
async fn read_state(api: &ApiClient) -> Vec<Value> {
    let mut state = Vec::new();
    for path in [
        "/leaderboards",
        "/leaderboards/b/entries",
        "/leaderboards/two/entries",
        "/leaderboards/b/periods",
    ] {
        state.push(api.get(path).await.expect_status(200));
    }
    for board in ["b", "two"] {
        state.push(json!(
            api.get(&format!("/leaderboards/{board}")).await.header("etag")
        ));
    }
    state
}

/// Sends the request of every row. Checks that each is refused as expected, and that no data has changed.
async fn assert_all_refused(api: &ApiClient, rows: Vec<Row>) {
    create_leaderboards(api).await;
    let before = read_state(api).await;
    for row in rows {
        row.check(api).await;
    }
    assert_eq!(read_state(api).await, before);
}
