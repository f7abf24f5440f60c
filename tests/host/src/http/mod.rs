//! The HTTP side: listening, connections, routing, instances.

mod body;
mod connection;
mod dispatch;
mod headers;
mod listen;
mod pool;

pub(crate) use connection::serve;
pub(crate) use dispatch::chain;
pub(crate) use listen::bind;
pub(crate) use pool::Pool;
