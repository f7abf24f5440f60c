//! Tests that a component reaches only what the manifest grants to it.

use leaderboard_test_support::RedisServer;

use crate::http_client::encode;
use crate::setup::TestHost;

/// Returns the body of the response of the component `refused`, which is the guest `probe` without grants.
async fn probe_without_grants(host: &TestHost, path: &str) -> String {
    host.get(&format!("/refused{path}")).await.body
}

#[tokio::test]
async fn a_component_without_grants_is_refused_all_resources() {
    let server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    let redis = format!("/redis?address={}&command=PING", encode(&server.url()));
    assert_eq!(host.probe(&redis).await, "[RedisResult::Status(\"PONG\")]");
    assert_eq!(
        probe_without_grants(&host, &redis).await,
        "error: Error::InvalidAddress"
    );
    assert_eq!(
        probe_without_grants(&host, "/kv/open?label=default").await,
        "error: Error::AccessDenied"
    );
    assert_eq!(
        probe_without_grants(&host, "/sqlite/open?label=default").await,
        "error: Error::AccessDenied"
    );
    for url in [
        format!("http://{}/hello", host.address),
        "http://self.alt/hello".to_owned(),
    ] {
        let answer = probe_without_grants(&host, &format!("/fetch?url={}", encode(&url))).await;
        assert!(answer.contains("HttpRequestDenied"), "{url}: {answer}");
    }
    let undefined = probe_without_grants(&host, "/variable?name=greeting").await;
    assert!(undefined.starts_with("error: Error::Undefined("), "{undefined}");
    assert_eq!(
        probe_without_grants(&host, "/environment?name=COLOUR").await,
        "environment variable not found"
    );
}

#[tokio::test]
async fn a_component_with_grants_reaches_only_the_granted_resources() {
    let host = TestHost::start().await;
    assert_eq!(host.probe("/kv/open?label=default").await, "\"open\"");
    assert_eq!(
        host.probe("/kv/open?label=other").await,
        "error: Error::AccessDenied"
    );
    assert_eq!(host.probe("/sqlite/open?label=default").await, "\"open\"");
    assert_eq!(
        host.probe("/sqlite/open?label=other").await,
        "error: Error::AccessDenied"
    );
    let elsewhere = host
        .probe("/redis?address=redis://127.0.0.1:1&command=PING")
        .await;
    assert_eq!(elsewhere, "error: Error::InvalidAddress");
    let fetch = async |url: &str| host.probe(&format!("/fetch?url={}", encode(url))).await;
    assert!(fetch("http://example.com/").await.contains("HttpRequestDenied"));
    assert!(fetch("https://127.0.0.1:1/").await.contains("HttpRequestDenied"));
}

#[tokio::test]
async fn components_reach_granted_hosts_their_application_and_each_other() {
    let host = TestHost::start().await;
    let fetch = async |url: &str| host.probe(&format!("/fetch?url={}", encode(url))).await;
    assert_eq!(
        fetch(&format!("http://{}/hello", host.address)).await,
        "200 hello"
    );
    assert_eq!(fetch("http://self.alt/hello").await, "200 hello");
    let chained = fetch("http://inner.spin.internal/some/path?x=1").await;
    assert!(
        chained.starts_with("200 url: http://inner.spin.internal/some/path?x=1\n"),
        "{chained}"
    );
    assert!(chained.contains("spin-path-info: /some/path\n"), "{chained}");
    assert!(chained.contains("spin-client-addr: 0.0.0.0:0\n"), "{chained}");
    assert!(
        fetch("http://hello.spin.internal/")
            .await
            .contains("HttpRequestDenied")
    );
}

#[tokio::test]
async fn variables_and_environment_are_those_of_the_component() {
    let host = TestHost::start_with(|config| *config = config.clone().variable("greeting", "good day")).await;
    assert_eq!(host.probe("/variable?name=greeting").await, "\"good day, world\"");
    assert_eq!(host.probe("/environment?name=COLOUR").await, "blue");
    assert_eq!(
        host.probe("/environment?name=PATH").await,
        "environment variable not found"
    );
    let unknown = host.probe("/variable?name=redis_address").await;
    assert!(unknown.starts_with("error: Error::Undefined("), "{unknown}");
    let invalid = host.probe("/variable?name=Greeting").await;
    assert!(invalid.starts_with("error: Error::InvalidName("), "{invalid}");
}
