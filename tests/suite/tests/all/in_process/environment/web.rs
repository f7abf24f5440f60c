//! Other services, from which the service fetches documents.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use leaderboard_environment::{Fetch, FetchError, PostRequest, PostResponse};
use serde_json::Value;

/// The text of a document that stands for the response 410 Gone.
pub(crate) const GONE: &str = "gone";

/// Other services: the document at each address, and the number of requests.
pub(crate) struct Web {
    pub(crate) documents: RefCell<BTreeMap<String, String>>,
    pub(crate) requests: Cell<u32>,
    /// The prefixes of addresses to which the manifest does not allow requests.
    pub(crate) denied: RefCell<Vec<String>>,
    /// How long a response takes, in milliseconds.
    pub(crate) takes_ms: Cell<i64>,
    /// What the receivers of posted bodies answer, in order. Without an answer, the manifest does not allow the request.
    pub(crate) answers: RefCell<VecDeque<Result<PostResponse, FetchError>>>,
    /// The posted requests.
    pub(crate) posted: RefCell<Vec<Posted>>,
    clock_ms: Rc<Cell<i64>>,
}

/// A posted request.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) body: String,
}

impl Web {
    pub(super) fn new(clock_ms: Rc<Cell<i64>>) -> Self {
        Self {
            documents: RefCell::default(),
            requests: Cell::default(),
            denied: RefCell::default(),
            takes_ms: Cell::default(),
            answers: RefCell::default(),
            posted: RefCell::default(),
            clock_ms,
        }
    }

    /// Puts a document at an address.
    pub(crate) fn publish(&self, url: &str, document: &Value) {
        self.documents
            .borrow_mut()
            .insert(url.to_owned(), document.to_string());
    }
}

impl Fetch for Web {
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
        self.requests.set(self.requests.get() + 1);
        self.clock_ms.set(self.clock_ms.get() + self.takes_ms.get());
        if self.denied.borrow().iter().any(|start| url.starts_with(start)) {
            return Err(FetchError::NotGranted);
        }
        let found = self.documents.borrow().get(url).cloned();
        match found.filter(|text| text.len() <= max_bytes) {
            Some(text) if text == GONE => Err(FetchError::Unusable("answered with 410 Gone".to_owned())),
            Some(text) => Ok(Bytes::from(text)),
            None => Err(FetchError::Unreachable("nobody is at 10.0.0.7".to_owned())),
        }
    }

    async fn post(&self, request: &PostRequest<'_>) -> Result<PostResponse, FetchError> {
        self.clock_ms.set(self.clock_ms.get() + self.takes_ms.get());
        self.posted.borrow_mut().push(Posted {
            url: request.url.to_owned(),
            headers: request.headers.iter().cloned().collect(),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
        });
        let answer = self.answers.borrow_mut().pop_front();
        answer.unwrap_or(Err(FetchError::NotGranted))
    }
}
