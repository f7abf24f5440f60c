//! Bad input: each row names a request, and the problem it is answered with. Afterwards nothing has changed.

mod configurations;
mod cursors;
mod questions;
mod requests;
mod submissions;

use serde_json::{Value, json};

use crate::edgeboard::{Call, Edgeboard};

/// What a problem names as being at fault.
#[derive(Clone, Debug)]
enum At {
    /// A place in the body, as a JSON pointer.
    Body(&'static str),
    Parameter(&'static str),
    Header(&'static str),
    /// The request as a whole.
    Nothing,
}

/// One row.
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

    fn call(&self, edgeboard: &Edgeboard) -> Call {
        let mut call = edgeboard.call(self.verb, &self.path);
        if !self.body.is_empty() {
            call = call.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            call = call.instead(name, value);
        }
        call.body(self.body.clone())
    }

    /// Sends it and compares the answer.
    async fn check(&self, edgeboard: &Edgeboard) {
        let shown = String::from_utf8_lossy(&self.body)
            .chars()
            .take(100)
            .collect::<String>();
        let said = format!("{} {} {:?} {shown}", self.verb, self.path, self.headers);
        let answer = self.call(edgeboard).send().await;
        assert_eq!(answer.status, self.status, "{said}: {answer:?}");
        let document = answer.problem(self.status, self.problem);
        let (field, expected) = match self.at {
            At::Nothing => return,
            At::Body(pointer) => ("pointer", pointer),
            At::Parameter(name) => ("parameter", name),
            At::Header(name) => ("header", name),
        };
        assert_eq!(document["errors"][0][field], expected, "{said}: {document}");
        assert!(
            document["errors"][0]["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{said}"
        );
    }
}

/// A leaderboard `b` with entries, and one of two columns `two`.
async fn prepare(edgeboard: &Edgeboard) {
    edgeboard
        .board("b", &json!({"title": "as it was", "limits": {"max": 1_000_000}}))
        .await;
    let columns = json!([{"name": "points", "order": "desc"}, {"name": "time", "order": "asc"}]);
    edgeboard.board("two", &json!({"columns": columns})).await;
    for (player, score) in [("a", 3), ("b", 2), ("c", 1)] {
        edgeboard.score("b", player, score).await;
    }
}

/// All that could have changed.
async fn state(edgeboard: &Edgeboard) -> Vec<Value> {
    let mut state = Vec::new();
    for path in [
        "/leaderboards",
        "/leaderboards/b/entries",
        "/leaderboards/two/entries",
        "/leaderboards/b/periods",
    ] {
        state.push(edgeboard.get(path).await.is(200));
    }
    for board in ["b", "two"] {
        state.push(json!(
            edgeboard
                .get(&format!("/leaderboards/{board}"))
                .await
                .header("etag")
        ));
    }
    state
}

/// Sends every row, and looks that nothing has changed.
async fn refused(edgeboard: &Edgeboard, rows: Vec<Row>) {
    prepare(edgeboard).await;
    let before = state(edgeboard).await;
    for row in rows {
        row.check(edgeboard).await;
    }
    assert_eq!(state(edgeboard).await, before);
}
