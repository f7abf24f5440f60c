//! The load: connections that send the same request again as soon as they have its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;

/// Bytes of a response that are read at once; the responses here are far smaller.
const BUFFER_BYTES: usize = 16 * 1024;

/// How to load a target.
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What was measured.
pub(crate) struct Report {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Loads `path` at `address`. Every answer must have status 200 and a length.
pub(crate) fn measure(address: SocketAddr, path: &str, load: &Load) -> Result<Report, Error> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut times = runtime.block_on(async {
        let begin = Instant::now() + load.warm_up;
        let end = begin + load.measured;
        let connections = (0..load.connections).map(|_| connection(address, request.as_bytes(), begin, end));
        let times = futures::future::try_join_all(connections).await?;
        Ok::<_, Error>(times.into_iter().flatten().collect::<Vec<_>>())
    })?;
    times.sort_unstable();
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index within the list"
        )]
        let index = (times.len() as f64 * part) as usize;
        times
            .get(index)
            .map_or(f64::NAN, |time| (time.as_secs_f64() * 100_000.0).round() / 100.0)
    };
    let per_second = times.len() as f64 / load.measured.as_secs_f64();
    Ok(Report {
        per_second,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
    })
}

/// The times of the requests that one connection sent between `begin` and `end`.
async fn connection(
    address: SocketAddr,
    request: &[u8],
    begin: Instant,
    end: Instant,
) -> Result<Vec<Duration>, Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut times = Vec::new();
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(times);
        }
        stream.write_all(request).await?;
        let mut filled = 0;
        while !is_whole(buffer.get(..filled).unwrap_or(&[]))? {
            let read = stream.read(buffer.get_mut(filled..).unwrap_or(&mut [])).await?;
            if read == 0 {
                return Err("the server closed a connection".into());
            }
            filled += read;
        }
        if sent >= begin {
            times.push(sent.elapsed());
        }
    }
}

/// Whether `response` has arrived with all of its body.
fn is_whole(response: &[u8]) -> Result<bool, Error> {
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = std::str::from_utf8(response.get(..end).unwrap_or(&[]))?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("an answer that is not 200: {head}").into());
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.ok_or("an answer without a length")?.parse()?;
    Ok(response.len() >= end + 4 + length)
}
