//! Runs cases of the API in process. Each case has a region of its own, with the clock of the computer.

use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{HeaderValue, Request, Response};
use leaderboard_pipeline::{Body, MAX_BODY_BYTES};
use leaderboard_test_support::{ApiClient, Transport, block_on};
use serde_json::json;

use super::instance::Instance;
use super::region::{Region, RegionOptions};

/// Sends requests to an instance, like the host of a component.
struct InProcessTransport(Instance);

impl Transport for InProcessTransport {
    fn url(&self) -> &str {
        "http://in-process.example"
    }

    fn send(&self, request: Request<Bytes>) -> LocalBoxFuture<'_, Result<Response<Bytes>, String>> {
        async {
            // Other clients of the case run in the meantime, as they do over a network.
            tokio::task::yield_now().await;
            let (mut head, body) = request.into_parts();
            let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
            head.uri = path.parse().map_err(|error| format!("{error}"))?;
            // An HTTP server removes the white space around a header's value.
            for value in head.headers.values_mut() {
                *value = HeaderValue::from_bytes(value.as_bytes().trim_ascii())
                    .map_err(|error| error.to_string())?;
            }
            head.headers
                .append("spin-client-addr", HeaderValue::from_static("127.0.0.1:4711"));
            let body = if body.len() > MAX_BODY_BYTES {
                Body::TooLarge
            } else {
                Body::Bytes(body)
            };
            let answer = self.0.respond(Request::from_parts(head, body)).await;
            spawn_later_work(&self.0);
            let mut response = Response::new(answer.bytes);
            *response.status_mut() = answer.status.try_into().map_err(|error| format!("{error}"))?;
            *response.headers_mut() = answer.headers;
            Ok(response)
        }
        .boxed_local()
    }
}

/// Starts the work that an instance has deferred until after the response. The work runs concurrently with
/// the requests that follow.
fn spawn_later_work(instance: &Instance) {
    for work in instance.take_later_work() {
        let instance = instance.clone();
        tokio::task::spawn_local(async move {
            work.await;
            spawn_later_work(&instance);
        });
    }
}

/// Runs a case in a new region without rate limits for its callers.
pub(crate) fn run_case(case: impl AsyncFnOnce(&ApiClient)) {
    let options = RegionOptions {
        has_real_clock: true,
        reads_wait_for_changes: false,
        ..Region::with_options()
    };
    let api = ApiClient::new(Rc::new(InProcessTransport(options.instance())));
    block_on(async {
        let off = json!({"client": "off", "credentials": "off", "key": "off", "player": "off"});
        api.put("/operator/limits", &json!({"policies": off}))
            .await
            .expect_status(201);
        case(&api).await;
    });
}
