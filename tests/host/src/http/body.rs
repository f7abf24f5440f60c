//! Bodies of requests, with a size limit, and bodies of the responses that the host itself creates.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::{Error, WasiBody};

/// Creates a body with this text.
pub(super) fn text_body(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(Error::from).boxed_unsync()
}

/// Creates an empty body.
pub(super) fn empty_body() -> WasiBody {
    Empty::new().map_err(Error::from).boxed_unsync()
}

/// The body of a client. It ends with an error if it is larger than the limit.
pub(super) struct Limited {
    body: Incoming,
    limit: u64,
    left: u64,
    exceeded: Arc<AtomicBool>,
}

impl Limited {
    /// Limits a body to `limit` bytes. Sets `exceeded` if the body is larger.
    pub(super) fn new(body: Incoming, limit: u64, exceeded: Arc<AtomicBool>) -> Self {
        Self {
            body,
            limit,
            left: limit,
            exceeded,
        }
    }
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => {
                self.exceeded.store(true, Relaxed);
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a stream. It ends when connections are closed during a stop, because a stream has no end of its own that a stop could
/// wait for.
pub(super) struct Stream {
    body: WasiBody,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream {
    pub(super) fn new(body: WasiBody, closing: CancellationToken) -> Self {
        Self {
            body,
            closing: Box::pin(closing.cancelled_owned()),
        }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
