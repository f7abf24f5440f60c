//! Tests of streams of live updates while the clock moves: their silence, their end, and the polls that they share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use leaderboard_api::{BodyWriter, PartWrite};
use leaderboard_test_support::ADMIN_KEY;

use crate::in_process::environment::{Instance, request};

const LIVE: &str = "/leaderboards/b/live";
const SECOND_MS: i64 = 1_000;

/// The parts of a stream, each with the time at which it was sent.
#[derive(Default)]
struct Received {
    parts: RefCell<Vec<(i64, String)>>,
    ended_at: Cell<Option<i64>>,
}

/// The writer of a stream, which keeps what is written.
struct Recorder {
    service: Instance,
    received: Rc<Received>,
}

impl BodyWriter for Recorder {
    fn write(&mut self, part: Bytes) -> PartWrite<'_> {
        let text = String::from_utf8(part.to_vec()).unwrap();
        self.received
            .parts
            .borrow_mut()
            .push((self.service.now_ms(), text));
        Box::pin(async { true })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.received.ended_at.set(Some(self.service.now_ms()));
    }
}

/// Creates a service whose clock moves when it pauses, with the leaderboard `b`.
fn create_service(document: &str) -> Instance {
    let service = Instance::new();
    service
        .call("PUT", "/leaderboards/b", document)
        .expect_status(201);
    service.pauses_take_time.set(true);
    service
}

/// Opens a stream of the leaderboard `b`. Returns what it sends after its first part.
fn open(service: &Instance, query: &str) -> Rc<Received> {
    // The operator has no rate limit, so a test can open many streams.
    let key = ("x-api-key", ADMIN_KEY);
    let answer = service.answer(request("GET", &format!("{LIVE}{query}"), "", &[key]));
    answer.expect_status(200);
    assert!(answer.text.starts_with("retry: 1000\nid: "), "{}", answer.text);
    let received = Rc::new(Received::default());
    let recorder = Recorder {
        service: service.clone(),
        received: Rc::clone(&received),
    };
    service.take_later_body().unwrap().begin(Box::new(recorder));
    received
}

#[test]
fn a_silent_stream_has_heartbeats_and_ends_after_five_minutes() {
    let service = create_service("{}");
    let began_at = service.now_ms();
    let received = open(&service, "");
    service.settle();
    let lived_ms = received.ended_at.get().unwrap() - began_at;
    assert!(
        (270 * SECOND_MS..=301 * SECOND_MS).contains(&lived_ms),
        "{lived_ms}"
    );
    let mut sent_at = began_at;
    for (at, part) in received.parts.borrow().iter() {
        assert_eq!(part, ": \n\n");
        assert!(at - sent_at < 16 * SECOND_MS, "{}", at - sent_at);
        sent_at = *at;
    }
    assert!(received.parts.borrow().len() >= 17);
    // The next stream of the topic has a hub of its own.
    let next = open(&service, "");
    service.settle();
    assert!(next.parts.borrow().len() >= 17);
}

#[test]
fn a_stream_of_the_current_period_goes_on_with_the_next_one() {
    let service = create_service(r#"{"reset":{"cron":"0 0 * * 1","time_zone":"UTC"}}"#);
    // Tests begin on Sunday at 21:04.
    service.pass_ms(2 * 3600 * SECOND_MS + 54 * 60 * SECOND_MS);
    service
        .call("POST", "/leaderboards/b/scores", r#"{"player":"ann","score":5}"#)
        .expect_status(200);
    service.settle();
    let received = open(&service, "");
    service.settle();
    let parts = received.parts.borrow();
    let events: Vec<&String> = parts
        .iter()
        .map(|(_, part)| part)
        .filter(|part| part.contains("event: "))
        .collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].contains("\nevent: period\n"), "{}", events[0]);
    assert!(
        events[0].contains(r#""period":{"id":"2026-07-20T00:00:00Z""#),
        "{}",
        events[0]
    );
    assert!(events[0].contains(r#""count":0,"entries":[]"#), "{}", events[0]);
}

#[test]
fn streams_of_one_topic_share_the_reads_of_the_store() {
    let reads_of_streams = |streams: usize| {
        let service = create_service("{}");
        let open: Vec<_> = (0..streams)
            .map(|n| open(&service, &format!("?player=p{n}")))
            .collect();
        service.store.reads.set(0);
        service.settle();
        assert!(open.iter().all(|stream| stream.ended_at.get().is_some()));
        service.store.reads.get()
    };
    let (one, fifty) = (reads_of_streams(1), reads_of_streams(50));
    // Lives differ by up to half a minute, and the entries of players are read once more when a stream ends or begins.
    assert!(fifty < one + one / 5, "{fifty} reads, {one} with one stream");
}
