//! Accepts and serves the connections of clients, and closes them without losing a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderValue, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::WasiBody;

use super::body::Stream;
use super::dispatch;
use crate::worker::Worker;

/// The most open streams of one HTTP/2 connection.
const MAX_STREAMS_PER_CONNECTION: u32 = 256;
/// How long connections without a request stay open during a stop. A request that is already on its way gets
/// a response with `connection: close`, so that the client sends no more requests.
const LINGER: Duration = Duration::from_millis(500);
/// The pause after a failure to accept, for example because there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The interval at which a stop checks whether instances still run after their responses.
const BUSY_POLL: Duration = Duration::from_millis(10);
/// How long a stop waits for instances that run after their responses.
const AFTER_RESPONSES: Duration = Duration::from_secs(3);
/// The smallest buffer that hyper accepts.
const MIN_BUFFER_BYTES: usize = 8192;
/// The first bytes of a connection of HTTP/2 (RFC 9113, section 3.4).
const HTTP2_PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves connections until the host stops. Requests that have begun by then may take up to the drain limit.
pub(crate) async fn serve(worker: Arc<Worker>, listener: TcpListener, workers: usize) {
    let connections = Arc::new(Semaphore::new(
        (worker.host.limits.max_connections / workers.max(1)).max(1),
    ));
    let server = Server {
        builder: builder(&worker),
        stopping: worker.host.stopping.clone(),
        closing: CancellationToken::new(),
        tracker: TaskTracker::new(),
        worker,
    };
    loop {
        let permit = tokio::select! {
            biased;
            () = server.stopping.cancelled() => break,
            permit = connections.clone().acquire_owned() => permit,
        };
        let Ok(permit) = permit else {
            break;
        };
        tokio::select! {
            biased;
            () = server.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => server.spawn_connection(stream, client, permit),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    // The kernel has already accepted these connections, so their clients expect a response.
    while let Some(Ok((stream, client))) = listener.accept().now_or_never() {
        match connections.clone().try_acquire_owned() {
            Ok(permit) => server.spawn_connection(stream, client, permit),
            Err(_) => break,
        }
    }
    drop(listener);
    server.drain().await;
}

fn builder(worker: &Worker) -> Builder<TokioExecutor> {
    let limits = &worker.host.limits;
    let header_bytes = u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(limits.max_headers)
        .max_buf_size(limits.max_header_bytes.max(MIN_BUFFER_BYTES));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .max_header_list_size(header_bytes);
    builder
}

struct Server {
    worker: Arc<Worker>,
    builder: Builder<TokioExecutor>,
    /// Is cancelled when the host accepts no more connections.
    stopping: CancellationToken,
    /// Is cancelled when the host closes connections without a request.
    closing: CancellationToken,
    tracker: TaskTracker,
}

impl Server {
    fn spawn_connection(&self, stream: TcpStream, client: SocketAddr, permit: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(!self.worker.host.like_spin) {
            tracing::debug!(%error, "a connection was gone before it began");
            return;
        }
        let (builder, closing) = (self.builder.clone(), self.closing.clone());
        let (worker, stopping) = (self.worker.clone(), self.stopping.clone());
        let ends_streams = closing.clone();
        let header_timeout = self.worker.host.limits.header_timeout;
        self.tracker.spawn(async move {
            let begins_like_http2 = tokio::select! {
                begins = tokio::time::timeout(header_timeout, begins_like_http2(&stream)) => begins,
                () = closing.cancelled() => return,
            };
            let builder = match begins_like_http2 {
                Ok(true) => builder,
                // The builder for both versions reads the first 24 bytes on its own, so that hyper reads the rest of the headers into a
                // buffer of 16 KiB. This buffer has 8 KiB, which counts for a connection that stays open as a stream.
                Ok(false) => builder.http1_only(),
                Err(_) => {
                    tracing::debug!(%client, "a connection was closed because no byte came");
                    return;
                }
            };
            let service = service_fn(move |request| {
                let (worker, stopping) = (worker.clone(), stopping.clone());
                let ends_streams = ends_streams.clone();
                async move {
                    let response = respond(&worker, &stopping, request, client).await;
                    Ok::<_, Infallible>(end_with(ends_streams, response))
                }
            });
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            let result = tokio::select! {
                result = connection.as_mut() => result,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = result {
                tracing::debug!(%client, %error, "a connection ended with an error");
            }
            drop(permit);
        });
    }

    /// Waits until connections and instances have ended, at most for the drain limit.
    async fn drain(self) {
        self.tracker.close();
        let all = async {
            if tokio::time::timeout(LINGER, self.tracker.wait()).await.is_err() {
                self.closing.cancel();
                self.tracker.wait().await;
            }
            let work = async {
                while self.worker.is_busy() {
                    tokio::time::sleep(BUSY_POLL).await;
                }
            };
            // The guest of a stream that was closed goes on until its next write.
            _ = tokio::time::timeout(AFTER_RESPONSES, work).await;
        };
        let limit = self.worker.host.limits.drain_limit;
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!(
                ?limit,
                connections = self.tracker.len(),
                "not everything in flight ended within the limit"
            );
        }
    }
}

/// Waits for the first bytes of a connection, and returns whether they can be those of HTTP/2. Leaves them in the stream. Returns false
/// at the end of the stream and after an error: hyper then finds no request.
async fn begins_like_http2(stream: &TcpStream) -> bool {
    let mut first = [0; HTTP2_PREFACE.len()];
    let length = stream.peek(&mut first).await.unwrap_or(0);
    length > 0 && first.get(..length) == HTTP2_PREFACE.get(..length)
}

/// Returns the response to a request. During a stop, a response of HTTP/1 tells the client to close the
/// connection.
async fn respond(
    worker: &Worker,
    stopping: &CancellationToken,
    request: http::Request<Incoming>,
    client: SocketAddr,
) -> http::Response<WasiBody> {
    let is_http1 = request.version() < Version::HTTP_2;
    let mut response = dispatch::handle_request(worker, request, client).await;
    if is_http1 && stopping.is_cancelled() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Returns a response whose body ends when connections are closed during a stop, if the response does not say how long its body is.
fn end_with(closing: CancellationToken, response: http::Response<WasiBody>) -> http::Response<WasiBody> {
    if response.headers().contains_key(CONTENT_LENGTH) {
        return response;
    }
    response.map(|body| Stream::new(body, closing).boxed_unsync())
}
