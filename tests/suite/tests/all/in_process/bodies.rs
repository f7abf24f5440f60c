//! Which requests read their body, and what a slow body costs.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use futures::executor::block_on;
use futures::future::{join, join_all, poll_fn};
use http::Request;
use leaderboard_leaderboards_function::LeaderboardsFunction;
use leaderboard_pipeline::{Body, Endpoint, RequestBody, handle};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_scores_function::ScoresFunction;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::json;

use crate::in_process::environment::{Instance, Region, assert_described, turn};

const SCORES: &str = "/api/v1/leaderboards/goals/scores";
const DENIED: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

/// A body that counts how often it is read and how often it is discarded.
struct Watched {
    body: Body,
    reads: Rc<Cell<u32>>,
    discards: Rc<Cell<u32>>,
}

impl RequestBody for Watched {
    async fn read(self) -> Body {
        self.reads.set(self.reads.get() + 1);
        self.body
    }

    fn discard(self) {
        self.discards.set(self.discards.get() + 1);
    }
}

/// The status and the problem of an answer, and how often the body was read and discarded.
fn post<P: Endpoint<E>, E: ResponseEnvironment>(
    env: &E,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> (u16, Option<&'static str>, u32, u32) {
    let (reads, discards) = (Rc::default(), Rc::default());
    let watched = Watched {
        body,
        reads: Rc::clone(&reads),
        discards: Rc::clone(&discards),
    };
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(watched).unwrap();
    let method = request.method().clone();
    let handled = block_on(handle::<P, _, _>(env, request));
    assert_described(&method, path, &handled.response);
    let status = handled.response.status().as_u16();
    (status, handled.log.problem, reads.get(), discards.get())
}

fn score() -> Body {
    Body::Bytes(Bytes::from_static(br#"{"player":"p","score":1}"#))
}

/// A request by its headers and its path, and how it is refused.
type Refused<'a> = (&'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[test]
fn a_request_that_is_refused_for_its_head_is_answered_before_its_body_is_read() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let limits = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    service.call("PUT", "/operator/limits", limits).expect_status(201);
    let (key, guess) = (("x-api-key", ADMIN_KEY), ("x-api-key", "guess"));
    let text = "a".repeat(9000);
    let long = text.as_str();
    let long = [
        ("x-api-key", ADMIN_KEY),
        ("x-long", long),
        ("x-longer", long),
        ("x-longest", long),
        ("x-", long),
    ];
    let cases: [Refused<'_>; 9] = [
        (&[], SCORES, 401, "/problems/unauthenticated"),
        (&[guess], SCORES, 401, "/problems/unauthenticated"),
        (
            &[guess, ("authorization", "Bearer x")],
            SCORES,
            400,
            "/problems/invalid-header",
        ),
        (&[DENIED], SCORES, 403, "/problems/address-denied"),
        (&[DENIED, guess], SCORES, 403, "/problems/address-denied"),
        (&[key], "/api/v1/nothing", 404, "/problems/not-found"),
        (&[key], "/api/v9/scores", 404, "/problems/unknown-version"),
        (&long, SCORES, 431, "/problems/headers-too-large"),
        (
            &[key, ("content-length", "24"), ("transfer-encoding", "chunked")],
            SCORES,
            400,
            "/problems/invalid-header",
        ),
    ];
    for (headers, path, status, problem) in cases {
        let answer = post::<ScoresFunction, _>(&service, path, headers, score());
        assert_eq!(answer, (status, Some(problem), 0, 1), "{path} {headers:?}");
    }
    let taken = post::<ScoresFunction, _>(&service, SCORES, &[key], score());
    assert_eq!(taken, (200, None, 1, 0));
    let other = post::<LeaderboardsFunction, _>(&service, "/api/v1/leaderboards/goals", &[key], score());
    assert_eq!(other, (405, Some("/problems/method-not-allowed"), 0, 1));
}

#[test]
fn a_request_over_its_limit_is_answered_before_its_body_is_read() {
    let instance = Region::of_acme().instance();
    let limits = json!({"policies": {"key": {"quota": 1, "window_s": 60, "burst": 1}}});
    instance
        .call("PUT", "/operator/limits", &limits)
        .expect_status(201);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    let submit = || post::<ScoresFunction, _>(&instance, SCORES, &[("x-api-key", &key)], score());
    assert_eq!(submit(), (404, Some("/problems/leaderboard-not-found"), 1, 0));
    let (status, _, reads, discards) = submit();
    assert_eq!((status, reads, discards), (429, 0, 1));
}

#[test]
fn a_body_that_does_not_come_is_408_and_one_that_breaks_off_is_400() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    for (body, status, problem) in [
        (Body::TooSlow, 408, "/problems/body-too-slow"),
        (Body::TooLarge, 413, "/problems/body-too-large"),
        (
            Body::Broken("reset by 10.0.0.7".to_owned()),
            400,
            "/problems/malformed",
        ),
    ] {
        let answer = post::<ScoresFunction, _>(&service, SCORES, &[("x-api-key", ADMIN_KEY)], body);
        assert_eq!(answer, (status, Some(problem), 1, 0));
    }
    assert_eq!(
        service.call("GET", "/leaderboards/goals/entries", "").json()["count"],
        0
    );
}

/// A body that comes when its caller says so. Time goes by while it is waited for.
struct Held {
    region: Region,
    comes: Rc<Cell<bool>>,
    body: Body,
}

impl RequestBody for Held {
    async fn read(self) -> Body {
        poll_fn(|context| {
            if self.comes.get() {
                return Poll::Ready(());
            }
            self.region.pass_ms(1);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.body
    }

    fn discard(self) {}
}

/// A region whose keys may do so much, and a server's key.
fn with_limit(burst: u32) -> (Region, Instance, String) {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.make_board();
    let limits = json!({"policies": {"key": {"quota": 1, "window_s": 60, "burst": burst}}});
    instance
        .call("PUT", "/operator/limits", &limits)
        .expect_status(201);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    (region, instance, key)
}

/// Submits a score whose body comes when `comes` says so: the status, and what is left of the limit.
async fn submit(
    region: &Region,
    instance: &Instance,
    key: &str,
    comes: &Rc<Cell<bool>>,
    body: Body,
) -> (u16, String) {
    let held = Held {
        region: region.clone(),
        comes: Rc::clone(comes),
        body,
    };
    let request = Request::post("/api/v1/leaderboards/b/scores").header("x-api-key", key);
    let request = request.header("content-type", "application/json").body(held);
    let handled = handle::<ScoresFunction, _, _>(instance, request.unwrap()).await;
    let told = handled.response.headers().get("ratelimit");
    let told = told.map(|told| told.to_str().unwrap().to_owned());
    (handled.response.status().as_u16(), told.unwrap_or_default())
}

#[test]
fn a_caller_has_no_more_open_bodies_than_its_limit_lets_through() {
    let (region, instance, key) = with_limit(3);
    let comes = Rc::new(Cell::new(false));
    let tries = join_all((0..6).map(|_| submit(&region, &instance, &key, &comes, score())));
    let then = async {
        for _ in 0..200 {
            turn().await;
        }
        comes.set(true);
    };
    let (answers, ()) = block_on(join(tries, then));
    let mut statuses: Vec<u16> = answers.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    // Those that were held cost what they would have cost at once.
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429]);
    let now = Rc::new(Cell::new(true));
    let next = |instance: &Instance| block_on(submit(&region, instance, &key, &now, score())).0;
    assert_eq!(next(&region.instance()), 429);
    region.pass_ms(60_000);
    assert_eq!((next(&region.instance()), next(&region.instance())), (200, 429));
}

#[test]
fn the_cost_of_an_open_body_is_reported_and_subtracted_from_the_later_charge() {
    let (region, instance, key) = with_limit(1);
    let comes = Rc::new(Cell::new(false));
    let reports = region.store.reports.get();
    let meanwhile = async {
        while region.store.reports.get() == reports {
            for work in instance.take_later_work() {
                work.await;
            }
            turn().await;
        }
        // Everybody knows that the key has no room.
        let now = Rc::new(Cell::new(true));
        let other = region.instance();
        assert_eq!(submit(&region, &other, &key, &now, score()).await.0, 429);
        comes.set(true);
    };
    let held = submit(&region, &instance, &key, &comes, score());
    let (answer, ()) = block_on(join(held, meanwhile));
    assert_eq!(answer, (200, r#""key";r=0;t=60"#.to_owned()));
    // It was charged once.
    region.pass_ms(60_000);
    let again = block_on(submit(&region, &region.instance(), &key, &comes, score()));
    assert_eq!(again.0, 200);
}

#[test]
fn a_body_that_does_not_come_is_charged_like_any_other_refused_write() {
    for (path, method) in [
        ("/api/v1/leaderboards/b/scores", "POST"),
        ("/api/v1/leaderboards/b/scores/p", "DELETE"),
    ] {
        for (body, status) in [(Body::TooSlow, 408), (Body::TooLarge, 413)] {
            for is_late in [false, true] {
                let (region, instance, key) = with_limit(2);
                let comes = Rc::new(Cell::new(!is_late));
                let ask = || {
                    let held = Held {
                        region: region.clone(),
                        comes: Rc::clone(&comes),
                        body: body.clone(),
                    };
                    let request = Request::builder().method(method).uri(path);
                    let request = request.header("x-api-key", &key);
                    let request = request.header("content-type", "application/json").body(held);
                    let answer = handle::<ScoresFunction, _, _>(&instance, request.unwrap());
                    let then = async {
                        for _ in 0..100 {
                            turn().await;
                        }
                        comes.set(true);
                    };
                    let (answer, ()) = block_on(join(answer, then));
                    answer.response.status().as_u16()
                };
                let statuses = [ask(), ask(), ask()];
                assert_eq!(statuses, [status, status, 429], "{method} late: {is_late}");
            }
        }
    }
}
