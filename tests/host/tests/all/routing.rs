//! Tests of routes, parameters, static responses, well-known paths, and the headers that the host adds.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::http_client::{get_h2, send};
use crate::setup::TestHost;

/// Returns the values of a header in a response of the guest `probe`, in order. Each line of the response is
/// a header.
fn header_values<'a>(lines: &'a str, name: &str) -> Vec<&'a str> {
    let prefix = format!("{name}: ");
    lines
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect()
}

#[tokio::test]
async fn an_exact_route_beats_parameters_and_wildcards() {
    let host = TestHost::start().await;
    assert_eq!(host.get("/users/me").await.body, "hello");
    let lines = host.get("/users/7").await.body;
    assert_eq!(header_values(&lines, "spin-path-match-id"), ["7"]);
    assert_eq!(header_values(&lines, "spin-matched-route"), ["/users/:id"]);
    assert_eq!(header_values(&lines, "spin-path-info"), [""]);
    let lines = host.get("/users/7/scores/a/b?x=1").await.body;
    assert_eq!(header_values(&lines, "spin-path-info"), ["/a/b"]);
    assert_eq!(
        header_values(&lines, "spin-matched-route"),
        ["/users/:id/scores/..."]
    );
    assert_eq!(
        header_values(&lines, "spin-component-route"),
        ["/users/:id/scores"]
    );
    assert_eq!(
        header_values(&lines, "spin-raw-component-route"),
        ["/users/:id/scores/..."]
    );
    assert_eq!(header_values(&lines, "spin-base-path"), ["/"]);
    assert_eq!(
        header_values(&lines, "spin-full-url"),
        [format!("http://{}/users/7/scores/a/b?x=1", host.address)]
    );
    assert_eq!(
        header_values(&lines, "url"),
        [format!("http://{}/users/7/scores/a/b?x=1", host.address)]
    );
    assert_eq!(header_values(&lines, "host"), [host.address.to_string()]);
    let unknown = host.get("/nowhere").await;
    assert_eq!(
        (unknown.status, unknown.body.as_str()),
        (StatusCode::NOT_FOUND, "")
    );
}

#[tokio::test]
async fn the_true_client_address_comes_after_the_header_of_the_client() {
    let host = TestHost::start().await;
    let request = Request::get("/probe/x")
        .header("spin-client-addr", "6.6.6.6:6")
        .header("connection", "keep-alive, x-secret")
        .body(Full::<Bytes>::default())
        .unwrap();
    let lines = send(host.address, request).await.unwrap().body;
    let addresses = header_values(&lines, "spin-client-addr");
    assert_eq!(addresses.len(), 2);
    assert_eq!(addresses[0], "6.6.6.6:6");
    assert!(addresses[1].starts_with("127.0.0.1:"), "{addresses:?}");
    assert_eq!(header_values(&lines, "connection"), Vec::<&str>::new());
}

#[tokio::test]
async fn static_responses_and_well_known_paths_need_no_guest() {
    let host = TestHost::start().await;
    let answer = host.get("/static").await;
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers["x-pot"], "tea");
    assert_eq!(answer.body, "short and stout");
    assert_eq!(host.get("/.well-known/spin/health").await.body, "OK");
    let info: serde_json::Value =
        serde_json::from_str(&host.get("/.well-known/spin/info").await.body).unwrap();
    assert_eq!(info, serde_json::json!({"name": "guests", "version": "1.2.3"}));
    assert_eq!(
        host.get("/.well-known/spin/other").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn http_2_works_on_the_same_port() {
    let host = TestHost::start().await;
    let answer = get_h2(host.address, "/hello").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "hello"));
    assert_eq!(answer.headers["content-length"], "5");
    let lines = get_h2(host.address, "/probe/x").await.body;
    assert_eq!(
        header_values(&lines, "url"),
        [format!("http://{}/probe/x", host.address)]
    );
}

#[tokio::test]
async fn malformed_host_headers_are_refused() {
    let host = TestHost::start().await;
    for bad in ["a b", "http://x"] {
        let request = Request::get("/hello")
            .header("host", bad)
            .body(Full::<Bytes>::default())
            .unwrap();
        assert_eq!(
            send(host.address, request).await.unwrap().status,
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
}
