//! `scripts/up`: builds everything, starts the server, prints its address, loads the sample data, prints
//! example requests, and runs until it is stopped.

mod greeting;
mod key;
mod programs;
mod redis;
mod supervisor;
mod ticker;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use self::redis::Redis;
use self::supervisor::{End, Supervisor};
use crate::workspace::{Kind, Workspace};
use crate::{Profile, functions, process, steps};

/// The longest time until the first answer. It is long, because a first start compiles the components (on
/// Spin all of them).
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The interval at which `up` reports that the server is not ready yet.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// The environment variable with the folder from which the user called the script. The script changes to the
/// root before it starts this program.
const CALLED_FROM: &str = "EDGEBOARD_CALLED_FROM";
/// The default state directory, relative to the root.
const STATE_DIR: &str = ".edgeboard";
/// The arguments of the command-line tool that load the sample data. The file of the checkpoint follows them.
const IMPORT: [&str; 5] = [
    "import",
    "--config",
    "tests/data/goalscorers.toml",
    "tests/data/goalscorers.csv",
    "--checkpoint",
];

/// The options of `scripts/up`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keep the data in this Redis, such as redis://user:password@127.0.0.1:6379/0, instead of the embedded
    /// store
    #[arg(
        long,
        value_name = "URL",
        env = "SPIN_VARIABLE_REDIS_URL",
        hide_env_values = true
    )]
    redis: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where the embedded store and the generated admin key are kept [default: .edgeboard in the project]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Leave an empty store empty
    #[arg(long)]
    no_sample: bool,
    /// After how many seconds the queue is drained again, in addition to the drains after requests and messages;
    /// 0 is never
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    tick_interval: u64,
    /// Run on the Spin CLI of the PATH (4.1 or newer) instead of the local host
    #[arg(long)]
    spin: bool,
}

/// The options, with all defaults filled in, and the keys.
struct Settings {
    listen: SocketAddr,
    state_dir: PathBuf,
    redis: Option<Redis>,
    sample: bool,
    tick_interval: Duration,
    spin: bool,
    key: key::Key,
    token_secret: String,
}

impl Settings {
    fn new(workspace: &Workspace, options: &Options) -> Result<Self> {
        let called_from = env::var_os(CALLED_FROM).map_or_else(|| workspace.root.clone(), PathBuf::from);
        let state_dir = resolve_state_dir(&workspace.root, &called_from, options.state_dir.as_deref());
        fs::create_dir_all(&state_dir).with_context(|| format!("cannot create {}", state_dir.display()))?;
        let redis = options.redis.as_deref().filter(|url| !url.is_empty());
        let redis = redis.map(Redis::parse).transpose();
        Ok(Self {
            listen: options.listen,
            redis: redis.context("--redis is not an address such as redis://127.0.0.1:6379/0")?,
            sample: !options.no_sample,
            tick_interval: Duration::from_secs(options.tick_interval),
            spin: options.spin,
            key: key::admin_key(&state_dir)?,
            token_secret: key::token_secret(&state_dir)?,
            state_dir,
        })
    }

    /// Returns a name of the store without a password.
    fn store(&self) -> String {
        self.redis
            .as_ref()
            .map_or_else(|| "embedded".to_owned(), Redis::store)
    }

    /// Returns the URL of the server ([`Settings::reachable_address`]).
    fn address(&self) -> String {
        format!("http://{}", self.reachable_address())
    }

    /// Returns an address of the server. If it listens on all addresses, this is the loopback address.
    fn reachable_address(&self) -> SocketAddr {
        let mut address = self.listen;
        match address {
            SocketAddr::V4(any) if any.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(any) if any.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    }
}

/// Returns the state directory. A relative path is relative to the folder from which the user called the
/// script.
fn resolve_state_dir(root: &Path, called_from: &Path, given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| root.join(STATE_DIR), |folder| called_from.join(folder))
}

/// Builds and starts everything, and runs until a signal or the end of a program stops it. Returns the exit
/// code of the program that ended.
///
/// # Errors
/// A program cannot be built or started, or the server does not become ready.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let settings = Settings::new(workspace, options)?;
    if settings.spin {
        programs::check_spin()?;
    }
    check_address_is_free(settings.listen)?;
    build(workspace, settings.spin)?;
    let mut supervisor = Supervisor::new()?;
    match serve(workspace, &settings, &mut supervisor) {
        Ok(end) => {
            if !settings.spin && matches!(end, End::Died(_)) {
                eprintln!("{}", programs::end_of_log(&settings));
            }
            Ok(ExitCode::from(supervisor.stop_all(end)))
        }
        Err(error) => {
            supervisor.stop_all(End::Died(1));
            Err(error)
        }
    }
}

/// Checks that no other server uses the address. So this is reported before the build, which takes minutes,
/// and another server is never mistaken for the new one.
fn check_address_is_free(address: SocketAddr) -> Result<()> {
    ensure!(address.port() != 0, "--listen needs a port other than 0");
    let bound = TcpListener::bind(address);
    bound
        .map(drop)
        .with_context(|| format!("cannot listen on {address}"))
}

/// Builds the components, the command-line tool, and, unless Spin runs the components, the local host.
fn build(workspace: &Workspace, spin: bool) -> Result<()> {
    eprintln!("==> building 1 of 2: the components (profile edge)");
    if !workspace.target.join("release/edgeboard").exists() {
        eprintln!("    the first build takes about 10 minutes on two cores, later ones take seconds");
    }
    functions::build(workspace, Kind::Function, Profile::Edge)?;
    let mut arguments = vec!["build", "--release", "--package=edgeboard"];
    if spin {
        eprintln!("==> building 2 of 2: the command-line tool");
    } else {
        eprintln!("==> building 2 of 2: the local host and the command-line tool");
        arguments.push("--package=leaderboard-host");
    }
    process::run(process::cargo(&workspace.root, arguments))
}

/// Starts the server, waits until it is ready, loads the sample data, and then waits for the end.
fn serve(workspace: &Workspace, settings: &Settings, supervisor: &mut Supervisor) -> Result<End> {
    for program in programs::servers(workspace, settings)? {
        supervisor.start(program)?;
    }
    if let Some(end) = wait_until_ready(workspace, settings, supervisor)? {
        return Ok(end);
    }
    println!("{}", greeting::describe_server(settings));
    ticker::start(settings);
    if settings.sample
        && let Some(end) = load_sample(workspace, settings, supervisor)?
    {
        return Ok(end);
    }
    let has_sample = list_leaderboards(workspace, settings)?
        .iter()
        .any(|id| id == greeting::LEADERBOARD);
    println!("{}", greeting::describe_requests(settings, has_sample));
    loop {
        if let Some(end) = supervisor.poll_once()? {
            return Ok(end);
        }
    }
}

/// Waits until the server answers. Returns the end if a signal or a program ends the wait.
///
/// # Errors
/// The server is not ready within [`READY_WITHIN`].
fn wait_until_ready(
    workspace: &Workspace,
    settings: &Settings,
    supervisor: &mut Supervisor,
) -> Result<Option<End>> {
    eprintln!("==> starting on {}", settings.address());
    let started = Instant::now();
    let mut last_report = started;
    loop {
        if let Some(end) = supervisor.poll_once()? {
            return Ok(Some(end));
        }
        let Err(reason) = list_leaderboards(workspace, settings) else {
            eprintln!("    ready after {}", steps::format_duration(started.elapsed()));
            return Ok(None);
        };
        if started.elapsed() > READY_WITHIN {
            return Err(reason.context(format!(
                "not ready within {}",
                steps::format_duration(READY_WITHIN)
            )));
        }
        if last_report.elapsed() > REPORT_INTERVAL {
            last_report = Instant::now();
            eprintln!("    not ready yet: {reason:#}");
        }
    }
}

/// Returns the ids of the first hundred leaderboards.
///
/// # Errors
/// The server or its store does not answer.
fn list_leaderboards(workspace: &Workspace, settings: &Settings) -> Result<Vec<String>> {
    let mut command = programs::edgeboard_command(workspace, settings);
    command.args(["leaderboards", "list", "--json", "--retries", "0"]);
    let list: Value =
        serde_json::from_str(&process::output(command)?).context("cannot read the leaderboards")?;
    let list = list
        .get("leaderboards")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(list
        .filter_map(|one| Some(one.get("id")?.as_str()?.to_owned()))
        .collect())
}

/// Loads the sample data into an empty store. Each store has its own checkpoint file, which exists until the
/// import is complete, so that the next start continues an interrupted import.
fn load_sample(
    workspace: &Workspace,
    settings: &Settings,
    supervisor: &mut Supervisor,
) -> Result<Option<End>> {
    let store = settings
        .store()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let checkpoint = settings.state_dir.join(format!("sample-{store}"));
    if !checkpoint.exists() && !list_leaderboards(workspace, settings)?.is_empty() {
        return Ok(None);
    }
    eprintln!("==> loading the sample, while requests are answered (--no-sample leaves the store empty)");
    let mut import = programs::edgeboard_command(workspace, settings);
    import.args(IMPORT).arg(&checkpoint);
    let end = supervisor.run("the import of the sample", import)?;
    if end.is_none() && checkpoint.exists() {
        fs::remove_file(&checkpoint).with_context(|| format!("cannot remove {}", checkpoint.display()))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Settings {
        /// Returns settings for the embedded store, with a key from the environment.
        pub(super) fn example() -> Self {
            Self {
                listen: "127.0.0.1:3000".parse().unwrap(),
                state_dir: "/state".into(),
                redis: None,
                sample: true,
                tick_interval: Duration::ZERO,
                spin: false,
                key: key::Key {
                    secret: "hidden".to_owned(),
                    kept_in: None,
                },
                token_secret: "a secret".to_owned(),
            }
        }
    }

    #[test]
    fn a_port_in_use_and_port_0_are_refused() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = format!("{:#}", check_address_is_free(address).unwrap_err());
        assert!(
            error.starts_with(&format!("cannot listen on {address}: ")),
            "{error}"
        );
        assert!(check_address_is_free("127.0.0.1:0".parse().unwrap()).is_err());
    }

    #[test]
    fn a_relative_state_directory_is_below_the_folder_of_the_caller() {
        let resolve = |given: Option<&str>| {
            resolve_state_dir("/project".as_ref(), "/home/me".as_ref(), given.map(Path::new))
        };
        assert_eq!(resolve(None), Path::new("/project/.edgeboard"));
        assert_eq!(resolve(Some("state")), Path::new("/home/me/state"));
        assert_eq!(resolve(Some("/var/state")), Path::new("/var/state"));
    }
}
