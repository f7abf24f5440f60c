//! Bodies whose further parts are sent after the response began.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;

/// A write of a part of a body. Completes with whether the client still takes the body.
pub type PartWrite<'w> = Pin<Box<dyn Future<Output = bool> + 'w>>;

/// Sends further parts of a body. The body ends when the writer is dropped.
pub trait BodyWriter {
    /// Sends a part. Completes when the host has taken the part; with `false` if the client closed the connection.
    fn write(&mut self, part: Bytes) -> PartWrite<'_>;
}

/// What sends the further parts of a body. The host calls it with a writer after it has sent the first part.
pub struct LaterBody(Box<dyn FnOnce(Box<dyn BodyWriter>)>);

impl LaterBody {
    /// Creates a later body. `begin` must not wait; it hands the writer to a task.
    pub fn new(begin: impl FnOnce(Box<dyn BodyWriter>) + 'static) -> Self {
        Self(Box::new(begin))
    }

    /// Begins to send the further parts.
    pub fn begin(self, writer: Box<dyn BodyWriter>) {
        (self.0)(writer);
    }
}

impl fmt::Debug for LaterBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LaterBody")
    }
}
