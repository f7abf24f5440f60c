//! The HTTP server: listening, connections and dispatch.

mod body;
mod connection;
mod dispatch;
mod headers;
mod listen;

pub(crate) use connection::serve;
pub(crate) use listen::bind;
