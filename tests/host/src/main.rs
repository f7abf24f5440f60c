//! The local host's program: see `leaderboard-host --help`.

use std::process::ExitCode;

use clap::Parser;
use leaderboard_host::cli::Cli;
use leaderboard_host::{Host, HostConfig, Running, StartError, logging};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(cli.log_format());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.into())),
        Err(error) => Err(StartError::System(error.to_string())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
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

/// The first line is for programs, the table for people.
fn print_routes(running: &Running) {
    if running.address().is_none() {
        println!("Serving no HTTP");
        return;
    }
    println!("Serving {}", running.url());
    println!("Available Routes:");
    for line in running.routes() {
        let component = line.component.as_deref().unwrap_or("(static response)");
        let path = line.route.strip_suffix("/...").unwrap_or(&line.route);
        let wildcard = if line.wildcard { " (wildcard)" } else { "" };
        println!("  {component}: {}{path}{wildcard}", running.url());
    }
}
