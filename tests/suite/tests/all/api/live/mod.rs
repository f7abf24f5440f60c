//! Tests of live updates: streams, how clients resume, and tickets.

mod ends;
mod event_stream;
mod refusals;
mod streams;

use event_stream::EventStream;
use leaderboard_test_support::ApiClient;

/// Opens a stream of the leaderboard `b` without a credential. `query` begins with `&` or is empty.
async fn open(api: &ApiClient, query: &str) -> EventStream {
    open_with(api, query, &[]).await
}

/// Does the same as [`open`], with header lines.
async fn open_with(api: &ApiClient, query: &str, headers: &[(&str, &str)]) -> EventStream {
    let path = format!("/api/v1/leaderboards/b/live?tenant={}{query}", api.tenant);
    EventStream::open(api.url(), &path, headers).await
}
