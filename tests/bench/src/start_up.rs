//! Measures how long the host takes until it answers its first request, on the embedded default and with only
//! the components of the service.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http::Method;
use serde::Serialize;

use crate::edgeboard::{ADMIN_KEY, HostStart, READY_PATH};
use crate::http_client::HttpClient;
use crate::progress::Progress;

/// The most first starts. Each compiles all components, which takes many seconds.
const MAX_FIRST_STARTS: u32 = 3;
/// The longest time until the first answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(5);

/// The times of one kind of start.
#[derive(Debug, Serialize)]
pub(crate) struct StartUp {
    pub(crate) start: &'static str,
    /// The seconds of each round.
    pub(crate) seconds: Vec<f64>,
}

/// Measures first starts, which have no compiled components and no store, and second starts, which find those
/// of a first start.
pub(crate) async fn measure(build: &Path, rounds: u32, progress: Progress) -> Result<[StartUp; 2]> {
    let kind = |start| StartUp {
        start,
        seconds: Vec::new(),
    };
    let mut kinds = [kind("first"), kind("second")];
    let [first, second] = &mut kinds;
    let mut directory = tempfile::tempdir()?;
    for round in 0..rounds {
        if round < MAX_FIRST_STARTS {
            progress.say("start-up: first start");
            directory = tempfile::tempdir()?;
            first.seconds.push(start(build, directory.path()).await?);
        }
        progress.say("start-up: second start");
        second.seconds.push(start(build, directory.path()).await?);
    }
    Ok(kinds)
}

/// Starts the host, and returns the seconds until it has answered that it is ready.
async fn start(build: &Path, directory: &Path) -> Result<f64> {
    let host = HostStart {
        build,
        guests: &[],
        directory,
        compiled: &directory.join("compiled"),
    };
    let started_at = Instant::now();
    let (_program, address) = host.start("", &[])?;
    let client = HttpClient::new(&address, ADMIN_KEY);
    let answer = async {
        while let Err(_not_ready) = client
            .send(Method::GET, READY_PATH, "default", String::new())
            .await
        {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let answered = tokio::time::timeout(TIMEOUT, answer).await;
    answered.context("the host is not ready")?;
    Ok(started_at.elapsed().as_secs_f64())
}
