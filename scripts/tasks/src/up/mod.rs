//! `scripts/up`: builds everything, starts it, says where it is, loads the sample data, shows what to try, and stays.

mod build;
mod client;
mod greeting;
mod key;
mod programs;
mod redis;
mod sample;
mod settings;
mod spin;
mod supervisor;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::client::Client;
use self::settings::Settings;
use self::supervisor::{End, Supervisor};
use crate::cli::UpOptions;
use crate::progress;
use crate::workspace::Workspace;

/// How long the first answer may take: a first start compiles the components, on Spin all of them.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How often a start that takes long says so.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs until it is asked to stop or a program ends; the exit code is that program's.
///
/// # Errors
/// When something cannot be built, started, or does not become ready.
pub(crate) fn run(workspace: &Workspace, options: &UpOptions) -> Result<ExitCode> {
    let settings = Settings::new(workspace, options)?;
    if settings.spin {
        spin::check_version()?;
    }
    check_free(settings.listen)?;
    build::all(workspace, settings.spin)?;
    let mut supervisor = Supervisor::new()?;
    let end = serve(workspace, &settings, &mut supervisor);
    if !settings.spin && matches!(end, Ok(End::Died { .. })) {
        eprintln!("{}", programs::end_of_log(&settings));
    }
    match end {
        Ok(end) => Ok(supervisor.finish(&end)),
        Err(error) => {
            supervisor.stop_all();
            Err(error)
        }
    }
}

/// A port in use is found out before minutes of building, and no other server is taken for ours.
fn check_free(address: SocketAddr) -> Result<()> {
    if address.port() == 0 {
        bail!("--listen needs a port other than 0");
    }
    TcpListener::bind(address)
        .map(drop)
        .with_context(|| format!("cannot listen on {address}"))
}

fn serve(workspace: &Workspace, settings: &Settings, supervisor: &mut Supervisor) -> Result<End> {
    for program in programs::servers(workspace, settings)? {
        supervisor.start(program)?;
    }
    let client = Client::new(settings.listen, &settings.key.secret);
    if let Some(end) = wait_until_ready(&client, supervisor)? {
        return Ok(end);
    }
    println!("{}", greeting::head(settings));
    if settings.sample
        && let Some(end) = sample::load(workspace, settings, &client, supervisor)?
    {
        return Ok(end);
    }
    println!(
        "{}",
        greeting::what_to_try(
            settings,
            client.leaderboards()?.iter().any(|id| id == sample::LEADERBOARD)
        )
    );
    loop {
        if let Some(end) = supervisor.turn()? {
            return Ok(end);
        }
    }
}

fn wait_until_ready(client: &Client, supervisor: &mut Supervisor) -> Result<Option<End>> {
    eprintln!("==> starting on {}", client.address());
    let started = Instant::now();
    let mut told = started;
    loop {
        if let Some(end) = supervisor.turn()? {
            return Ok(Some(end));
        }
        let Err(reason) = client.ready() else {
            eprintln!("    ready after {}", progress::display(started.elapsed()));
            return Ok(None);
        };
        if started.elapsed() > READY_WITHIN {
            return Err(reason.context(format!("not ready within {}", progress::display(READY_WITHIN))));
        }
        if told.elapsed() > PATIENCE {
            told = Instant::now();
            eprintln!("    not ready yet: {reason:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_found_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = format!("{:#}", check_free(address).unwrap_err());
        assert!(
            error.starts_with(&format!("cannot listen on {address}: ")),
            "{error}"
        );
        assert!(check_free("127.0.0.1:0".parse().unwrap()).is_err());
    }
}
