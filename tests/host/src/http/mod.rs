//! The HTTP side: listening, connections, routing.

mod body;
mod connection;
mod dispatch;
mod headers;
mod listen;

pub(crate) use connection::serve;
pub(crate) use listen::bind;
