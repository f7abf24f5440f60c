//! The output of guests. Each line becomes a line of the log, with the name of the component.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::logging::GUEST_TARGET;

/// The most bytes of a line. A longer line is logged in parts.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// The stream of an output.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Out,
    Err,
}

/// A guest's standard output or error.
#[derive(Clone)]
pub(super) struct GuestOutput {
    component: Arc<str>,
    stream: Stream,
    /// The line that is not finished yet. All handles of the stream share it.
    line: Arc<Mutex<Vec<u8>>>,
}

impl GuestOutput {
    pub(super) fn new(component: Arc<str>, stream: Stream) -> Self {
        Self {
            component,
            stream,
            line: Arc::default(),
        }
    }

    fn push(&self, mut bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (head, tail) = bytes.split_at(end);
            line.extend_from_slice(head);
            self.emit(&mut line);
            bytes = tail.get(1..).unwrap_or(&[]);
        }
        line.extend_from_slice(bytes);
        if line.len() >= MAX_LINE_BYTES {
            self.emit(&mut line);
        }
    }

    fn emit(&self, line: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(line);
        match self.stream {
            Stream::Out => {
                tracing::info!(target: GUEST_TARGET, component = &*self.component, stream = "stdout", "{text}");
            }
            Stream::Err => {
                // A guest writes its log to standard error. Each line contains its own level, so the level
                // here is fixed.
                tracing::info!(target: GUEST_TARGET, component = &*self.component, stream = "stderr", "{text}");
            }
        }
        line.clear();
    }
}

/// Logs the last line, even if it has no line end. The last handle is dropped with the instance.
impl Drop for GuestOutput {
    fn drop(&mut self) {
        if Arc::strong_count(&self.line) == 1 {
            let mut line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
            if !line.is_empty() {
                self.emit(&mut line);
            }
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
