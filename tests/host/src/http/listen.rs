//! Listening sockets: one for each worker, on the same port, so that the kernel distributes the connections.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::StartError;

/// The number of connections that can wait to be accepted, for each socket.
const BACKLOG: i32 = 1024;

/// Opens `count` sockets that listen on `address`. Returns them and the actual address.
///
/// # Errors
/// The port is in use, or the host cannot listen on the address.
pub(crate) fn bind(address: SocketAddr, count: usize) -> Result<(Vec<TcpListener>, SocketAddr), StartError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Listen {
            address,
            reason: error.to_string(),
        },
    };
    // A socket that shares its port does not notice another host on the same port. So first try one that does
    // not share.
    let probe = open_socket(address, false).map_err(failed)?;
    let address = probe.local_addr().map_err(failed)?;
    drop(probe);
    let listeners = (0..count.max(1))
        .map(|_| open_socket(address, true))
        .collect::<io::Result<Vec<_>>>()
        .map_err(failed)?;
    Ok((listeners, address))
}

fn open_socket(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
