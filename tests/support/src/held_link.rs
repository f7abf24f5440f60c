//! A TCP link that holds back what a server sends, so that a replica falls behind its primary.

#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The pause between two checks whether the link is still held.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The size of the buffer of one direction, in bytes.
const BUFFER_BYTES: usize = 64 << 10;

/// A port that forwards connections to a server. While the link is held, nothing that the server sends arrives; it arrives when the link
/// is released.
#[derive(Debug)]
pub struct HeldLink {
    port: u16,
    is_held: Arc<AtomicBool>,
}

impl HeldLink {
    /// Opens a link to the server at this port.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn to_port(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let is_held = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&is_held);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else {
                    continue;
                };
                let streams = (server.try_clone(), client.try_clone());
                let (Ok(to_server), Ok(from_client)) = streams else {
                    continue;
                };
                let held = Arc::clone(&held);
                thread::spawn(move || forward(server, client, &held));
                thread::spawn(move || forward(from_client, to_server, &AtomicBool::new(false)));
            }
        });
        Self { port, is_held }
    }

    /// Returns the port of the link.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Holds back what the server sends from now on.
    pub fn hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    /// Lets everything through that was held back.
    pub fn release(&self) {
        self.is_held.store(false, Ordering::SeqCst);
    }
}

/// Copies bytes until one side closes. Waits before each write while the direction is held.
fn forward(mut from: TcpStream, mut to: TcpStream, is_held: &AtomicBool) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(length) = from.read(&mut buffer) {
        while is_held.load(Ordering::SeqCst) {
            thread::sleep(POLL_INTERVAL);
        }
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() || to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
