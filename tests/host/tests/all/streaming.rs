//! Tests of responses that arrive while the guest still writes them.

use http_body_util::BodyExt;

use crate::http_client::Connection;
use crate::setup::TestHost;

#[tokio::test]
async fn the_first_line_arrives_before_the_last_line_is_written() {
    let host = TestHost::start().await;
    let mut connection = Connection::open(host.address).await;
    let request = connection.get("/probe/stream?chunks=20&ms=50");
    let mut response = connection.send(request).await.unwrap();
    let first = response
        .body_mut()
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert!(first.starts_with(b"0\n") && first.len() < 40, "{first:?}");
    let rest = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        first.len() + rest.len(),
        (0..20).map(|n: i32| format!("{n}\n").len()).sum::<usize>()
    );
}

#[tokio::test]
async fn an_instance_that_streams_a_response_takes_other_requests() {
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        config.reuse.max_instance_concurrent_reuse_count = leaderboard_host::OneOf::Value(1);
    })
    .await;
    let mut streaming = Connection::open(host.address).await;
    let born = host.probe("/instance").await;
    let request = streaming.get("/probe/stream?chunks=1000&ms=20");
    let response = streaming.send(request).await.unwrap();
    let again = host.probe("/instance").await;
    assert_eq!(born.split(' ').next(), again.split(' ').next());
    drop(response);
}
