//! One run of a load.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::keep_alive::KeepAlive;
use crate::measure::Times;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections that stay open, each sending its next request when it has the answer to the last one.
    pub connections: usize,
    /// Before anything is counted.
    pub warm_up: Duration,
    /// How long requests are counted.
    pub measured: Duration,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Measured {
    /// Successful requests.
    pub per_second: f64,
    /// Of successful requests.
    pub times: Times,
    /// Requests that did not succeed.
    pub errors: u64,
}

/// Sends these requests over and over; each connection begins at another one.
///
/// # Errors
/// When a connection fails.
pub async fn run(address: SocketAddr, requests: &[Vec<u8>], load: &Load) -> Outcome<Measured> {
    let begin = Instant::now() + load.warm_up;
    let span = (begin, begin + load.measured);
    let connections = (0..load.connections).map(|number| {
        let first = number * requests.len() / load.connections;
        connection(address, requests.iter().cycle().skip(first), span)
    });
    let mut all = Measured::default();
    for one in futures::future::try_join_all(connections).await? {
        all.times.extend(one.times);
        all.errors += one.errors;
    }
    let count = f64::from(u32::try_from(all.times.count())?);
    all.per_second = count / load.measured.as_secs_f64();
    Ok(all)
}

async fn connection(
    address: SocketAddr,
    requests: impl Iterator<Item = &Vec<u8>>,
    (begin, end): (Instant, Instant),
) -> Outcome<Measured> {
    let mut client = KeepAlive::connect(address).await?;
    let mut measured = Measured::default();
    for request in requests {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        let succeeded = (200..300).contains(&client.send(request).await?.status);
        if sent < begin {
            continue;
        }
        if succeeded {
            measured.times.push(sent.elapsed());
        } else {
            measured.errors += 1;
        }
    }
    Ok(measured)
}
