//! One run of a load.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use leaderboard_suite::keep_alive::KeepAlive;
use leaderboard_suite::measure::Times;

use super::Outcome;

/// How hard and how long.
pub(super) struct Load {
    pub(super) connections: usize,
    /// Before anything is counted.
    pub(super) warm_up: Duration,
    pub(super) measured: Duration,
}

/// What a run found.
#[derive(Default)]
pub(super) struct Measured {
    /// Successful requests.
    pub(super) per_second: f64,
    /// Of successful requests.
    pub(super) times: Times,
    /// Requests that did not succeed.
    pub(super) errors: u64,
}

/// Sends these requests over and over; each connection begins at another one.
pub(super) async fn run(address: SocketAddr, requests: &[Vec<u8>], load: &Load) -> Outcome<Measured> {
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
