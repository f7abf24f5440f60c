//! How long verifying a token takes in a component as shipped, from its text to its claims, by algorithm.

use std::error::Error;

use leaderboard_suite::HostProcess;
use leaderboard_suite::keep_alive::KeepAlive;
use leaderboard_suite::measure::{print_row, rounded};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error>>;

const MANIFEST: &str = "tests/suite/benches/tokens/spin.toml";
const ALGORITHMS: [&str; 4] = ["HS256", "EdDSA", "ES256", "RS256"];
/// Verifications in one request.
const COUNT: usize = 100;
/// Requests for each algorithm, by turns, so that whatever else the machine does hits all of them alike.
const ROUNDS: usize = 21;
/// What the middle of the rounds must stay below, in microseconds.
const MAX_EDDSA_US: f64 = 150.0;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let host = HostProcess::start_with(MANIFEST, None)?;
    let mut client = KeepAlive::connect(host.address()).await?;
    let mut times = ALGORITHMS.map(|name| (name, Vec::with_capacity(ROUNDS)));
    for _ in 0..ROUNDS {
        for (name, times) in &mut times {
            times.push(verify(&host, &mut client, name).await?);
        }
    }
    for (name, mut times) in times {
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
        let least = times.first().copied().unwrap_or(f64::NAN);
        let mut row = json!({
            "measured": format!("{name} token in Wasm"),
            "median_us": rounded(median, 1),
            "least_us": rounded(least, 1),
        });
        if let ("EdDSA", Some(fields)) = (name, row.as_object_mut()) {
            fields.insert("target".into(), format!("median < {MAX_EDDSA_US} µs").into());
            fields.insert("reached".into(), (median < MAX_EDDSA_US).into());
        }
        print_row(&row);
    }
    Ok(())
}

/// Microseconds that one verification took in the guest.
async fn verify(host: &HostProcess, client: &mut KeepAlive, algorithm: &str) -> Outcome<f64> {
    let address = host.address();
    let request = format!("GET /?algorithm={algorithm}&count={COUNT} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let answer = client.send(request.as_bytes()).await?;
    let text = std::str::from_utf8(answer.body)?;
    if answer.status == 200 {
        Ok(text.parse()?)
    } else {
        Err(format!("{algorithm}: {text}").into())
    }
}
