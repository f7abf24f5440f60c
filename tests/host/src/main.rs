//! The program of the local host. `leaderboard-host --help` describes it.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use leaderboard_host::cli::Cli;
use leaderboard_host::{Host, HostConfig, Running, StartError, logging};
use tokio::signal::unix::{SignalKind, signal};

// SQLite's allocations come here as well (feature `override`), because those of the C library took a tenth of the time of a write.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.log_format();
    logging::init(format);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.into())),
        Err(error) => Err(StartError::System(error.to_string())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::failure(format, &error);
            ExitCode::FAILURE
        }
    }
}

/// Serves until the first SIGTERM or SIGINT, then stops gracefully; a second one ends the process at once.
async fn run(config: HostConfig) -> Result<(), StartError> {
    let system = |error: std::io::Error| StartError::System(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(system)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system)?;
    let running = Host::start(config).await?;
    print_routes(&running);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        _ = terminate.recv() => tracing::warn!("stopped at once"),
        _ = interrupt.recv() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// Prints a line for programs and a table for people. A closed output is not an error.
fn print_routes(running: &Running) {
    let mut text = String::new();
    if running.address().is_none() {
        text.push_str("Serving no HTTP\n");
    } else {
        text.push_str(&format!("Serving {}\nAvailable Routes:\n", running.url()));
    }
    for line in running.routes() {
        let component = line.component.as_deref().unwrap_or("(static response)");
        let path = line.route.strip_suffix("/...").unwrap_or(&line.route);
        let wildcard = if line.wildcard { " (wildcard)" } else { "" };
        text.push_str(&format!("  {component}: {}{path}{wildcard}\n", running.url()));
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads the routes");
    }
}
