//! Streams from the host to a guest. Another thread sends their items in batches.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

/// A stream of the batches that arrive on a channel. It ends with the channel.
pub(super) struct Batches<T> {
    first: Option<Vec<T>>,
    waiting: mpsc::Receiver<Vec<T>>,
}

impl<T> Batches<T> {
    /// Creates a stream of the batches that arrive on a channel.
    pub(super) fn new(waiting: mpsc::Receiver<Vec<T>>) -> Self {
        Self { first: None, waiting }
    }

    /// Creates a stream that begins with a batch.
    pub(super) fn after(first: Vec<T>, waiting: mpsc::Receiver<Vec<T>>) -> Self {
        Self {
            first: Some(first),
            waiting,
        }
    }
}

impl<T: Send + Sync + Unpin + 'static, D> StreamProducer<D> for Batches<T> {
    type Item = T;
    type Buffer = VecBuffer<T>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, T, VecBuffer<T>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let batches = self.get_mut();
        if let Some(first) = batches.first.take() {
            destination.set_buffer(first.into());
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match batches.waiting.poll_recv(cx) {
            Poll::Ready(Some(batch)) => {
                destination.set_buffer(batch.into());
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
