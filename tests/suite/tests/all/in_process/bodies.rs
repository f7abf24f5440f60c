//! Tests of which requests read their body, and of the cost of a slow body.

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

use crate::in_process::environment::{Instance, Region, assert_conforms, turn};

const SCORES: &str = "/api/v1/leaderboards/goals/scores";
/// A client address that the operator's limits deny.
const DENIED: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

/// A body that counts how often it is read and how often it is discarded.
struct WatchedBody {
    body: Body,
    reads: Rc<Cell<u32>>,
    discards: Rc<Cell<u32>>,
}

impl RequestBody for WatchedBody {
    async fn read(self) -> Body {
        self.reads.set(self.reads.get() + 1);
        self.body
    }

    fn discard(self) {
        self.discards.set(self.discards.get() + 1);
    }
}

/// Sends a POST request. Returns the status, the type of the problem, and how often the body was read and
/// discarded.
fn post_watched<P: Endpoint<E>, E: ResponseEnvironment>(
    env: &E,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> (u16, Option<&'static str>, u32, u32) {
    let (reads, discards) = (Rc::default(), Rc::default());
    let watched = WatchedBody {
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
    assert_conforms(&method, path, &handled.response);
    let status = handled.response.status().as_u16();
    (status, handled.log.problem, reads.get(), discards.get())
}

/// Returns a body with one score.
fn build_score() -> Body {
    Body::Bytes(Bytes::from_static(br#"{"player":"p","score":1}"#))
}

/// The headers and the path of a request, and the status and the problem type of its refusal.
type RefusedRequest<'a> = (&'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[test]
fn a_request_refused_by_its_head_is_answered_before_its_body_is_read() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let limits = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    service.call("PUT", "/operator/limits", limits).expect_status(201);
    let (key, guess) = (("x-api-key", ADMIN_KEY), ("x-api-key", "guess"));
    let text = "a".repeat(9000);
    let long = text.as_str();
    let long_headers = [
        ("x-api-key", ADMIN_KEY),
        ("x-long", long),
        ("x-longer", long),
        ("x-longest", long),
        ("x-", long),
    ];
    let cases: [RefusedRequest<'_>; 9] = [
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
        (&long_headers, SCORES, 431, "/problems/headers-too-large"),
        (
            &[key, ("content-length", "24"), ("transfer-encoding", "chunked")],
            SCORES,
            400,
            "/problems/invalid-header",
        ),
    ];
    for (headers, path, status, problem) in cases {
        let answer = post_watched::<ScoresFunction, _>(&service, path, headers, build_score());
        assert_eq!(answer, (status, Some(problem), 0, 1), "{path} {headers:?}");
    }
    let accepted = post_watched::<ScoresFunction, _>(&service, SCORES, &[key], build_score());
    assert_eq!(accepted, (200, None, 1, 0));
    let wrong_method = post_watched::<LeaderboardsFunction, _>(
        &service,
        "/api/v1/leaderboards/goals",
        &[key],
        build_score(),
    );
    assert_eq!(wrong_method, (405, Some("/problems/method-not-allowed"), 0, 1));
}

#[test]
fn a_request_over_its_limit_is_answered_before_its_body_is_read() {
    let instance = Region::of_acme().instance();
    let limits = json!({"policies": {"key": {"quota": 1, "window_s": 60, "burst": 1}}});
    instance
        .call("PUT", "/operator/limits", &limits)
        .expect_status(201);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    let submit =
        || post_watched::<ScoresFunction, _>(&instance, SCORES, &[("x-api-key", &key)], build_score());
    assert_eq!(submit(), (404, Some("/problems/leaderboard-not-found"), 1, 0));
    let (status, _, reads, discards) = submit();
    assert_eq!((status, reads, discards), (429, 0, 1));
}

#[test]
fn a_slow_body_gets_408_a_large_body_413_and_a_broken_body_400() {
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
        let answer = post_watched::<ScoresFunction, _>(&service, SCORES, &[("x-api-key", ADMIN_KEY)], body);
        assert_eq!(answer, (status, Some(problem), 1, 0));
    }
    assert_eq!(
        service.call("GET", "/leaderboards/goals/entries", "").json()["count"],
        0
    );
}

/// A body that arrives when the test says so. The clock moves while a request waits for the body.
struct HeldBody {
    region: Region,
    arrives: Rc<Cell<bool>>,
    body: Body,
}

impl RequestBody for HeldBody {
    async fn read(self) -> Body {
        poll_fn(|context| {
            if self.arrives.get() {
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

/// Creates a region whose keys can make `burst` requests at once, and then one per minute. Returns the
/// region, an instance, and an API key of a server.
fn create_limited_region(burst: u32) -> (Region, Instance, String) {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let limits = json!({"policies": {"key": {"quota": 1, "window_s": 60, "burst": burst}}});
    instance
        .call("PUT", "/operator/limits", &limits)
        .expect_status(201);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    (region, instance, key)
}

/// Submits a score whose body arrives when `arrives` is true. Returns the status, and the `RateLimit` header.
async fn submit_held(
    region: &Region,
    instance: &Instance,
    key: &str,
    arrives: &Rc<Cell<bool>>,
    body: Body,
) -> (u16, String) {
    let held = HeldBody {
        region: region.clone(),
        arrives: Rc::clone(arrives),
        body,
    };
    let request = Request::post("/api/v1/leaderboards/b/scores").header("x-api-key", key);
    let request = request.header("content-type", "application/json").body(held);
    let handled = handle::<ScoresFunction, _, _>(instance, request.unwrap()).await;
    let limit = handled.response.headers().get("ratelimit");
    let limit = limit.map(|limit| limit.to_str().unwrap().to_owned());
    (handled.response.status().as_u16(), limit.unwrap_or_default())
}

#[test]
fn a_caller_has_at_most_as_many_open_bodies_as_its_limit_allows() {
    let (region, instance, key) = create_limited_region(3);
    let arrives = Rc::new(Cell::new(false));
    let submissions =
        join_all((0..6).map(|_| submit_held(&region, &instance, &key, &arrives, build_score())));
    let release = async {
        for _ in 0..200 {
            turn().await;
        }
        arrives.set(true);
    };
    let (answers, ()) = block_on(join(submissions, release));
    let mut statuses: Vec<u16> = answers.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    // A request that waits for its body costs as much as a request that is answered at once.
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429]);
    let now = Rc::new(Cell::new(true));
    let next = |instance: &Instance| block_on(submit_held(&region, instance, &key, &now, build_score())).0;
    assert_eq!(next(&region.instance()), 429);
    region.pass_ms(60_000);
    assert_eq!((next(&region.instance()), next(&region.instance())), (200, 429));
}

#[test]
fn the_reported_cost_of_an_open_body_is_subtracted_from_its_charge() {
    let (region, instance, key) = create_limited_region(1);
    let arrives = Rc::new(Cell::new(false));
    let reports = region.store.reports.get();
    let meanwhile = async {
        while region.store.reports.get() == reports {
            for work in instance.take_later_work() {
                work.await;
            }
            turn().await;
        }
        // The report tells the other instances that the key has no requests left.
        let now = Rc::new(Cell::new(true));
        let other = region.instance();
        assert_eq!(
            submit_held(&region, &other, &key, &now, build_score()).await.0,
            429
        );
        arrives.set(true);
    };
    let held = submit_held(&region, &instance, &key, &arrives, build_score());
    let (answer, ()) = block_on(join(held, meanwhile));
    assert_eq!(answer, (200, r#""key";r=0;t=60"#.to_owned()));
    // The held request was charged only once, so a minute later the key can be used again.
    region.pass_ms(60_000);
    let again = block_on(submit_held(
        &region,
        &region.instance(),
        &key,
        &arrives,
        build_score(),
    ));
    assert_eq!(again.0, 200);
}

#[test]
fn a_slow_or_large_body_is_charged_like_any_refused_write() {
    for (path, method) in [
        ("/api/v1/leaderboards/b/scores", "POST"),
        ("/api/v1/leaderboards/b/scores/p", "DELETE"),
    ] {
        for (body, status) in [(Body::TooSlow, 408), (Body::TooLarge, 413)] {
            for is_late in [false, true] {
                let (region, instance, key) = create_limited_region(2);
                let arrives = Rc::new(Cell::new(!is_late));
                let send = || {
                    let held = HeldBody {
                        region: region.clone(),
                        arrives: Rc::clone(&arrives),
                        body: body.clone(),
                    };
                    let request = Request::builder().method(method).uri(path);
                    let request = request.header("x-api-key", &key);
                    let request = request.header("content-type", "application/json").body(held);
                    let answer = handle::<ScoresFunction, _, _>(&instance, request.unwrap());
                    let release = async {
                        for _ in 0..100 {
                            turn().await;
                        }
                        arrives.set(true);
                    };
                    let (answer, ()) = block_on(join(answer, release));
                    answer.response.status().as_u16()
                };
                let statuses = [send(), send(), send()];
                assert_eq!(statuses, [status, status, 429], "{method} late: {is_late}");
            }
        }
    }
}
