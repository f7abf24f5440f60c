//! The server to call, the key and the tenant: from flags, environment variables, and profiles in a configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Deserialize;

use crate::address::ApiAddress;
use crate::error::CliError;
use crate::suggest;

/// The names of the environment variables.
const ADDRESS: &str = "EDGEBOARD_ADDRESS";
const KEY: &str = "EDGEBOARD_KEY";
const TENANT: &str = "EDGEBOARD_TENANT";
const PROFILE: &str = "EDGEBOARD_PROFILE";
const CONFIGURATION: &str = "EDGEBOARD_CONFIG";
/// The address of the default server.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:3000";

/// The server to call, and the credentials.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    /// The base address of the API.
    pub(crate) address: ApiAddress,
    /// The API key to send.
    pub(crate) key: Option<String>,
    /// The tenant to act for.
    pub(crate) tenant: Option<String>,
}

// This module reads the environment variables. Clap would show the variables that are set as required options
// in every usage line.
/// The settings of the server in one source: the flags, the environment variables, or a profile.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServerOptions {
    /// The address of the server, with or without `/api/v1`. [env: EDGEBOARD_ADDRESS] [default:
    /// http://127.0.0.1:3000]
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) address: Option<ApiAddress>,
    /// The API key. [env: EDGEBOARD_KEY]
    ///
    /// Prefer the variable or a profile: other users of the machine can see the arguments of a command.
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The tenant, if the key does not name one: with the key of the operator, or without a key. [env:
    /// EDGEBOARD_TENANT]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

/// The flags that choose the server.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ProfileFlags {
    #[command(flatten)]
    given: ServerOptions,
    /// The profile of the configuration file with the address, the key and the tenant. [env:
    /// EDGEBOARD_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The value of `--config`.
    #[arg(skip)]
    pub(crate) configuration: Option<PathBuf>,
}

/// Reads an environment variable; tests pass their own function.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The configuration file: profiles by name, and the name of the default profile.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigurationFile {
    profile: Option<String>,
    profiles: BTreeMap<String, ServerProfile>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServerProfile {
    address: Option<String>,
    key: Option<String>,
    tenant: Option<String>,
}

impl ServerConfig {
    /// Merges the flags, the variables and the chosen profile. A flag has precedence over a variable, and a variable over the
    /// profile; but a profile that `--profile` names has precedence over the variables. The key of a profile is only used with
    /// the profile's own address. Calls `warn` if other users of the machine can read a configuration file that contains a key.
    ///
    /// # Errors
    /// An address, the file or the profile is wrong or missing.
    pub(crate) fn resolve(
        flags: ProfileFlags,
        variables: Variables<'_>,
        warn: &mut dyn FnMut(&str),
    ) -> Result<Self, CliError> {
        let variable = |name| variables(name).filter(|value| !value.trim().is_empty());
        let named = flags.profile.clone().or_else(|| variable(PROFILE));
        let explicit = flags
            .configuration
            .or_else(|| variable(CONFIGURATION).map(PathBuf::from));
        let mut profile = load_profile(explicit.as_deref(), named.as_deref(), variables, warn)?;
        let environment = ServerOptions {
            address: variable(ADDRESS)
                .map(|text| parse_address(ADDRESS, &text))
                .transpose()?,
            key: variable(KEY),
            tenant: variable(TENANT),
        };
        let is_profile_named = flags.profile.is_some();
        let address = first_given(
            is_profile_named,
            [&flags.given, &environment, &profile],
            |given| given.address.clone(),
        )
        .map_or_else(|| parse_address(DEFAULT_ADDRESS, DEFAULT_ADDRESS), Ok)?;
        if profile.address.as_ref().is_some_and(|own| *own != address) {
            profile.key = None;
        }
        let sources = [&flags.given, &environment, &profile];
        let key = first_given(is_profile_named, sources, |given| given.key.clone());
        Ok(Self {
            key: key.filter(|key| !key.trim().is_empty()),
            tenant: first_given(is_profile_named, sources, |given| given.tenant.clone()),
            address,
        })
    }
}

/// Returns the first value that is set, in the order: flags, variables, profile. A profile that `--profile` names comes before
/// the variables.
fn first_given<T>(
    is_profile_named: bool,
    [flags, environment, profile]: [&ServerOptions; 3],
    value: impl Fn(&ServerOptions) -> Option<T>,
) -> Option<T> {
    let (second, third) = if is_profile_named {
        (profile, environment)
    } else {
        (environment, profile)
    };
    value(flags).or_else(|| value(second)).or_else(|| value(third))
}

fn parse_address(place: &str, text: &str) -> Result<ApiAddress, CliError> {
    text.parse()
        .map_err(|error| CliError::Usage(format!("{place}: {error}")))
}

/// Returns the default path of the configuration file.
fn default_path(variables: Variables<'_>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let configurations = variables("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(absolute)
        .or_else(|| {
            let home = variables("HOME").map(PathBuf::from).filter(absolute)?;
            Some(home.join(".config"))
        })?;
    Some(configurations.join("edgeboard").join("config.toml"))
}

/// Reads the profile with this name from the named file, or from the default file if it exists. Without a name, reads the file's
/// default profile; if there is none, returns empty options.
fn load_profile(
    explicit: Option<&Path>,
    named: Option<&str>,
    variables: Variables<'_>,
    warn: &mut dyn FnMut(&str),
) -> Result<ServerOptions, CliError> {
    let path = explicit.map(Path::to_owned).or_else(|| default_path(variables));
    let path = path.unwrap_or_default();
    let configuration = load_file(&path, explicit.is_none(), warn)?;
    let Some(name) = named.or(configuration.profile.as_deref()) else {
        return Ok(ServerOptions::default());
    };
    let Some(profile) = configuration.profiles.get(name) else {
        let known = configuration.profiles.keys().map(String::as_str);
        return Err(CliError::Usage(format!(
            "there is no profile `{name}` in {}{}",
            path.display(),
            suggest::format_suggestion(name, "the profiles are", known)
        )));
    };
    let place = format!("the profile `{name}` in {}", path.display());
    let address = profile.address.as_deref().map(|text| parse_address(&place, text));
    Ok(ServerOptions {
        address: address.transpose()?,
        key: profile.key.clone(),
        tenant: profile.tenant.clone(),
    })
}

/// Reads a configuration file; an empty configuration if the file is optional and does not exist.
fn load_file(
    path: &Path,
    is_optional: bool,
    warn: &mut dyn FnMut(&str),
) -> Result<ConfigurationFile, CliError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if is_optional && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(ConfigurationFile::default());
        }
        Err(error) => return Err(CliError::file(path, error)),
    };
    let configuration: ConfigurationFile =
        toml::from_str(&text).map_err(|error| CliError::Usage(describe_toml_error(path, &text, &error)))?;
    let has_key = configuration
        .profiles
        .values()
        .any(|profile| profile.key.is_some());
    if has_key && is_readable_by_others(path) {
        warn(&format!(
            "warning: {path} holds a key, and other users of the machine can read it; chmod 600 {path}",
            path = path.display()
        ));
    }
    Ok(configuration)
}

/// Describes a syntax error without quoting the line, which may contain a key.
fn describe_toml_error(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map_or_else(String::new, |before| {
            format!(" line {}:", before.matches('\n').count() + 1)
        });
    format!("{}:{line} {}", path.display(), error.message())
}

fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        const FOR_OTHERS: u32 = 0o077;
        std::fs::metadata(path).is_ok_and(|metadata| {
            std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & FOR_OTHERS != 0
        })
    }
    #[cfg(not(unix))]
    {
        let _unknown = path;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration file with two profiles.
    const FILE: &str = "profile = 'local'\n[profiles.local]\naddress = 'http://127.0.0.1:3000'\nkey = 'local-key'\n\
                        [profiles.live]\naddress = 'https://example.org'\nkey = 'live-key'\ntenant = 'acme'\n";

    /// The flags, the variables and the configuration directory of one test.
    struct Fixture {
        directory: tempfile::TempDir,
        variables: BTreeMap<String, String>,
        flags: ProfileFlags,
        warnings: Vec<String>,
    }

    impl Fixture {
        fn new(file: Option<&str>) -> Self {
            let directory = tempfile::tempdir().unwrap();
            if let Some(text) = file {
                let path = directory.path().join("edgeboard");
                std::fs::create_dir(&path).unwrap();
                std::fs::write(path.join("config.toml"), text).unwrap();
            }
            let home = directory.path().to_str().unwrap().to_owned();
            Self {
                directory,
                variables: [("XDG_CONFIG_HOME".to_owned(), home)].into(),
                flags: ProfileFlags::default(),
                warnings: Vec::new(),
            }
        }

        fn set(mut self, variable: &str, value: &str) -> Self {
            self.variables.insert(variable.to_owned(), value.to_owned());
            self
        }

        /// Returns the address, the key and the tenant.
        fn resolve(&mut self) -> Result<(String, Option<String>, Option<String>), CliError> {
            let variables = &self.variables;
            let read = |name: &str| variables.get(name).cloned();
            let warnings = &mut self.warnings;
            let mut warn = |line: &str| warnings.push(line.to_owned());
            let server = ServerConfig::resolve(self.flags.clone(), &read, &mut warn)?;
            Ok((server.address.to_string(), server.key, server.tenant))
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_default_is_the_local_server_without_a_key() {
        assert_eq!(
            Fixture::new(None).resolve().unwrap(),
            ("http://127.0.0.1:3000".into(), None, None)
        );
    }

    #[test]
    fn flags_override_variables_and_variables_override_the_default_profile() {
        let mut fixture = Fixture::new(Some(FILE));
        assert_eq!(
            fixture.resolve().unwrap(),
            ("http://127.0.0.1:3000".into(), some("local-key"), None)
        );
        let mut fixture = fixture.set(KEY, "mine").set(TENANT, "t");
        assert_eq!(
            fixture.resolve().unwrap(),
            ("http://127.0.0.1:3000".into(), some("mine"), some("t"))
        );
        fixture.flags.given.key = some("flag");
        assert_eq!(fixture.resolve().unwrap().1, some("flag"));
    }

    #[test]
    fn a_requested_profile_overrides_the_variables() {
        let mut fixture = Fixture::new(Some(FILE))
            .set(ADDRESS, "http://localhost:1")
            .set(KEY, "mine");
        fixture.flags.profile = some("live");
        let live = ("https://example.org".to_owned(), some("live-key"), some("acme"));
        assert_eq!(fixture.resolve().unwrap(), live);
        let mut fixture = Fixture::new(Some(FILE)).set(PROFILE, "live");
        assert_eq!(fixture.resolve().unwrap(), live);
    }

    #[test]
    fn the_key_of_a_profile_is_only_sent_to_its_address() {
        let mut fixture = Fixture::new(Some(FILE)).set(ADDRESS, "http://elsewhere.example");
        assert_eq!(
            fixture.resolve().unwrap(),
            ("http://elsewhere.example".into(), None, None)
        );
        let mut fixture = Fixture::new(Some(FILE)).set(ADDRESS, "http://127.0.0.1:3000/");
        assert_eq!(
            fixture.resolve().unwrap().1,
            some("local-key"),
            "the same address"
        );
    }

    #[test]
    fn an_invalid_configuration_file_is_reported_without_its_lines() {
        let mut fixture = Fixture::new(Some("[profiles.a]\nkey = secret-without-quotes\n"));
        let error = fixture.resolve().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains("line 2") && !error.to_string().contains("secret-"),
            "{error}"
        );
        let error = Fixture::new(Some("adress = 1"))
            .resolve()
            .unwrap_err()
            .to_string();
        assert!(error.contains("unknown field `adress`"), "{error}");
        let mut fixture = Fixture::new(Some(FILE));
        fixture.flags.profile = some("life");
        let error = fixture.resolve().unwrap_err().to_string();
        assert!(error.ends_with("did you mean `live`?"), "{error}");
        let mut fixture = Fixture::new(None);
        fixture.flags.configuration = Some(fixture.directory.path().join("none.toml"));
        assert_eq!(fixture.resolve().unwrap_err().exit_code(), 5);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_a_key_that_other_users_can_read_causes_a_warning() {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt;
        let mut fixture = Fixture::new(Some(FILE));
        let path = fixture.directory.path().join("edgeboard/config.toml");
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        fixture.resolve().unwrap();
        assert!(
            fixture.warnings[0].contains("chmod 600"),
            "{:?}",
            fixture.warnings
        );
        fixture.warnings.clear();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fixture.resolve().unwrap();
        std::fs::write(&path, "[profiles.a]\ntenant = 'x'\n").unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        fixture.resolve().unwrap();
        assert_eq!(fixture.warnings, [""; 0]);
    }
}
