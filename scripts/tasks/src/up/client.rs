//! The two questions that `up` asks the server it has started.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

pub(super) struct Client {
    address: SocketAddr,
    key: String,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    body: String,
}

#[derive(Deserialize)]
struct Leaderboards {
    leaderboards: Vec<Leaderboard>,
}

#[derive(Deserialize)]
struct Leaderboard {
    id: String,
}

impl Client {
    pub(super) fn new(listen: SocketAddr, key: &str) -> Self {
        Self {
            address: reachable(listen),
            key: key.to_owned(),
        }
    }

    /// Where the server is reached from this machine.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the server takes requests.
    ///
    /// # Errors
    /// When it does not, with what it says.
    pub(super) fn ready(&self) -> Result<()> {
        let answer = self.get("/api/v1/health/ready")?;
        if answer.status != 200 {
            bail!("it answers {}: {}", answer.status, answer.body);
        }
        Ok(())
    }

    /// The ids of (the first page of) its leaderboards.
    ///
    /// # Errors
    /// When it cannot be reached or answers something else.
    pub(super) fn leaderboards(&self) -> Result<Vec<String>> {
        let answer = self.get("/api/v1/leaderboards")?;
        if answer.status != 200 {
            bail!(
                "cannot list the leaderboards, the server answers {}: {}",
                answer.status,
                answer.body
            );
        }
        let list: Leaderboards =
            serde_json::from_str(&answer.body).context("cannot read the list of leaderboards")?;
        Ok(list
            .leaderboards
            .into_iter()
            .map(|leaderboard| leaderboard.id)
            .collect())
    }

    /// In HTTP/1.0, where an answer is never chunked and ends with its connection.
    fn get(&self, path: &str) -> Result<Answer> {
        let address = self.address;
        let mut stream = TcpStream::connect_timeout(&address, CONNECT_WITHIN)
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let key = &self.key;
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\nX-API-Key: {key}\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .with_context(|| format!("cannot ask {address}"))?;
        let mut bytes = Vec::new();
        stream
            .take(ANSWER_BYTES_MAX)
            .read_to_end(&mut bytes)
            .with_context(|| format!("no answer from {address}"))?;
        parse(&bytes).with_context(|| format!("{address} does not answer in HTTP"))
    }
}

/// An address that listens everywhere is reached on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    let _version = words.next().filter(|version| version.starts_with("HTTP/1."))?;
    Some(Answer {
        status: words.next()?.parse().ok()?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// A server that gives one answer and returns the request's head.
    fn answering(answer: &'static str) -> (Client, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(listener.local_addr().unwrap(), "the-key");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map(Result::unwrap);
            let head = lines.take_while(|line| !line.is_empty()).collect();
            stream.write_all(answer.as_bytes()).unwrap();
            head
        });
        (client, server)
    }

    #[test]
    fn the_leaderboards_are_listed_with_the_key() {
        let (client, server) = answering(
            "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"leaderboards\": [{\"id\": \"goals\", \
             \"title\": \"Goals\"}], \"next\": null}",
        );
        assert_eq!(client.leaderboards().unwrap(), ["goals"]);
        let head = server.join().unwrap();
        assert_eq!(head[0], "GET /api/v1/leaderboards HTTP/1.0");
        assert!(head.contains(&"X-API-Key: the-key".to_owned()));
    }

    #[test]
    fn a_server_that_is_not_ready_says_why() {
        let (client, _server) = answering("HTTP/1.1 503 Service Unavailable\r\n\r\nno store");
        assert_eq!(
            client.ready().unwrap_err().to_string(),
            "it answers 503: no store"
        );
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        let (client, _server) = answering("SSH-2.0-OpenSSH\r\n\r\n");
        assert!(
            client
                .ready()
                .unwrap_err()
                .to_string()
                .ends_with("does not answer in HTTP")
        );
    }

    #[test]
    fn everywhere_is_reached_on_the_loopback() {
        assert_eq!(
            reachable("0.0.0.0:80".parse().unwrap()).to_string(),
            "127.0.0.1:80"
        );
        assert_eq!(reachable("[::]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(
            reachable("10.0.0.1:80".parse().unwrap()).to_string(),
            "10.0.0.1:80"
        );
    }
}
