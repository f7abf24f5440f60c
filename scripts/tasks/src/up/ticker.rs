//! Sends ticks to the server at intervals, so that it applies what is left in its queue, and delivers messages to webhooks.

use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::Settings;

/// How long a tick may take. A drain of the queue ends after 5 seconds, and a delivery run after 15.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The paths of the ticks. Each has a thread of its own, so that a receiver of webhooks that hangs does not delay the queue.
const PATHS: [&str; 2] = ["/internal/tick", "/internal/webhooks/tick"];
/// The most bytes of a response that are read.
const MAX_RESPONSE_BYTES: u64 = 64 * 1024;

/// Sends a tick after each interval until this program ends. With an interval of zero, sends none.
pub(super) fn start(settings: &Settings) {
    let (interval, address) = (settings.tick_interval, settings.reachable_address());
    if interval.is_zero() {
        return;
    }
    for path in PATHS {
        let key = settings.key.secret.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(interval);
                // The server's own log has the failure, and the next tick makes up for a lost one.
                let _ = send_tick(address, path, &key);
            }
        });
    }
}

/// Sends a tick, and returns the first line of the response.
///
/// # Errors
/// The server does not answer in time.
fn send_tick(address: SocketAddr, path: &str, key: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_end(&mut response)?;
    let response = String::from_utf8_lossy(&response);
    Ok(response.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_tick_is_a_complete_request_with_the_key() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .map(Result::unwrap)
                .take_while(|line| !line.is_empty())
                .collect();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            head
        });
        assert_eq!(send_tick(address, PATHS[0], "secret").unwrap(), "HTTP/1.1 200 OK");
        let head = server.join().unwrap();
        assert_eq!(head[0], "POST /internal/tick HTTP/1.1");
        assert!(head.contains(&"X-API-Key: secret".to_owned()), "{head:?}");
    }
}
