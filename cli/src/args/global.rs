//! The options of every command.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint, value_parser};
use tokio_util::sync::CancellationToken;

use crate::client::{ApiClient, ClientOptions, Notify};
use crate::error::CliError;
use crate::profile::{ProfileFlags, ServerConfig};

/// The default number of retries: enough for a short outage, few enough that a person does not wait long.
const DEFAULT_RETRIES: u32 = 3;
/// How long one attempt may take, in seconds.
const DEFAULT_TIMEOUT_S: u64 = 60;
/// The id of the argument for the configuration file.
const CONFIGURATION: &str = "configuration";
/// The command that has another option `--config`: for its mapping file.
const HAS_ITS_OWN: &str = "import";

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    server: ProfileFlags,
    /// Print JSON, for programs.
    ///
    /// The JSON is the response of the server, or one document that sums up several responses. If the
    /// server refuses the request, its problem document is printed on standard error.
    #[arg(long, global = true)]
    json: bool,
    /// How often a failed request is tried again. [default: 3; import: 8]
    ///
    /// A request is tried again if the server is unreachable or answers 429, 502, 503 or 504. The waits
    /// double from 0.25 s to 15 s, with jitter, and are never shorter than `Retry-After`.
    #[arg(long, global = true, value_name = "N", value_parser = value_parser!(u32).range(..=100))]
    retries: Option<u32>,
    /// How long one attempt of a request may take, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_S,
        value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// The options of every command, with the server resolved.
#[derive(Debug)]
pub(crate) struct Global {
    server: ServerConfig,
    /// Whether to print JSON.
    pub(crate) json: bool,
    retries: Option<u32>,
    timeout: Duration,
}

/// Adds `--config` to every command except `import`, whose `--config` names the mapping file. The user gives
/// the configuration file of `import` before the command's name.
pub(crate) fn with_configuration(command: Command) -> Command {
    let argument = Arg::new(CONFIGURATION)
        .long("config")
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(PathBuf))
        .help_heading("Server and output")
        .help(
            "The configuration file that has the profiles. [env: EDGEBOARD_CONFIG] [default: edgeboard/config.toml in \
             $XDG_CONFIG_HOME or ~/.config]",
        );
    command.arg(argument).mut_subcommands(|command| {
        if command.get_name() == HAS_ITS_OWN {
            command
        } else {
            with_configuration(command)
        }
    })
}

/// Returns the `--config` of the innermost command that has this option.
fn configuration(matches: &ArgMatches) -> Option<PathBuf> {
    let deeper = matches
        .subcommand()
        .and_then(|(_name, matches)| configuration(matches));
    deeper.or_else(|| matches.try_get_one(CONFIGURATION).ok().flatten().cloned())
}

/// Returns whether `--json` is given, even if other options are invalid.
pub(crate) fn is_json_requested(matches: &ArgMatches) -> bool {
    matches.get_flag("json")
}

impl Global {
    /// Reads the options, the environment and the configuration file.
    ///
    /// # Errors
    /// An option, a variable or the file is invalid.
    pub(crate) fn new(matches: &ArgMatches) -> Result<Self, CliError> {
        let mut args =
            GlobalArgs::from_arg_matches(matches).map_err(|error| CliError::Usage(error.to_string()))?;
        args.server.configuration = configuration(matches);
        let variables = |name: &str| std::env::var(name).ok();
        let mut warn = |line: &str| eprintln!("edgeboard: {line}");
        Ok(Self {
            server: ServerConfig::resolve(args.server, &variables, &mut warn)?,
            json: args.json,
            retries: args.retries,
            timeout: Duration::from_secs(args.timeout),
        })
    }

    /// Creates a client for a command that makes a few calls. It announces retries on standard error.
    ///
    /// # Errors
    /// The key or the tenant cannot be sent in a header.
    pub(crate) fn create_client(&self) -> Result<ApiClient, CliError> {
        let notify: Notify = Arc::new(|line: &str| eprintln!("edgeboard: {line}"));
        ApiClient::new(self.client_options(None), notify, CancellationToken::new())
    }

    /// Returns the options of a client. `retries` is the command's default, which `--retries` overrides.
    pub(crate) fn client_options(&self, retries: Option<u32>) -> ClientOptions {
        ClientOptions {
            server: self.server.clone(),
            retries: self.retries.or(retries).unwrap_or(DEFAULT_RETRIES),
            timeout: self.timeout,
        }
    }

    /// Returns the server and the tenant in one line, because a checkpoint belongs to both.
    pub(crate) fn checkpoint_scope(&self) -> String {
        match &self.server.tenant {
            None => self.server.address.to_string(),
            Some(tenant) => format!("{} as {tenant}", self.server.address),
        }
    }
}
