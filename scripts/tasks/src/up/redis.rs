//! The address of a Redis, taken apart: the application's `redis_url` is also what its components are granted,
//! and a grant has no room for credentials, which are variables of their own.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// `redis_url`, from the environment too when `--redis` is not given.
pub(super) const URL_VARIABLE: &str = "SPIN_VARIABLE_REDIS_URL";
const USERNAME_VARIABLE: &str = "SPIN_VARIABLE_REDIS_USERNAME";
const PASSWORD_VARIABLE: &str = "SPIN_VARIABLE_REDIS_PASSWORD";
const DATABASE_VARIABLE: &str = "SPIN_VARIABLE_REDIS_DATABASE";
const EVENTS_VARIABLE: &str = "SPIN_VARIABLE_EVENTS_URL";

const PORT: u16 = 6379;

/// An address such as `redis://user:password@host:6379/0`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redis {
    scheme: String,
    credentials: Option<Credentials>,
    host: String,
    port: u16,
    database: Option<u32>,
}

#[derive(Debug, PartialEq, Eq)]
struct Credentials {
    /// As in the address, that is percent-encoded.
    written: String,
    username: String,
    password: String,
}

impl Redis {
    /// # Errors
    /// When it is not the address of one Redis. The error does not repeat it, as it may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .context("it must start with redis:// or rediss://")?;
        ensure!(
            matches!(scheme, "redis" | "rediss"),
            "it must start with redis:// or rediss://"
        );
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(Credentials::parse(credentials)?), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place)?;
        let known = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        ensure!(
            !host.is_empty() && host.chars().all(known),
            "its host is not a name or an address"
        );
        let database = match database {
            "" => None,
            number => Some(number.parse().context("its database is not a number")?),
        };
        Ok(Self {
            scheme: scheme.to_owned(),
            credentials,
            host: host.to_owned(),
            port,
            database,
        })
    }

    /// Scheme, host and port.
    pub(super) fn url(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }

    /// Which data it means, in words that hold no password.
    pub(super) fn store(&self) -> String {
        self.database
            .map_or_else(|| self.url(), |database| format!("{}/{database}", self.url()))
    }

    /// Messages belong to no database; this address carries its credentials, as only the host reads it.
    fn events(&self) -> String {
        match &self.credentials {
            Some(Credentials { written, .. }) => {
                format!("{}://{written}@{}:{}", self.scheme, self.host, self.port)
            }
            None => self.url(),
        }
    }

    /// Hands the address over in the environment, as a command line is visible to everybody on the machine.
    /// Messages come from the same Redis unless the environment already names another.
    pub(super) fn set_variables(&self, command: &mut Command) {
        command.env(URL_VARIABLE, self.url());
        if std::env::var_os(EVENTS_VARIABLE).is_none_or(|given| given.is_empty()) {
            command.env(EVENTS_VARIABLE, self.events());
        }
        if let Some(Credentials {
            username, password, ..
        }) = &self.credentials
        {
            command
                .env(USERNAME_VARIABLE, username)
                .env(PASSWORD_VARIABLE, password);
        }
        if let Some(database) = self.database {
            command.env(DATABASE_VARIABLE, database.to_string());
        }
    }
}

impl Credentials {
    fn parse(written: &str) -> Result<Self> {
        let (username, password) = written.split_once(':').unwrap_or((written, ""));
        Ok(Self {
            username: percent_decode(username)?,
            password: percent_decode(password)?,
            written: written.to_owned(),
        })
    }
}

/// Host and port of `host`, `host:port`, `[::1]` or `[::1]:port`.
fn split_port(place: &str) -> Result<(&str, u16)> {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Ok((
            host,
            port.parse().context("its port is not a number up to 65535")?,
        )),
        _ => Ok((place, PORT)),
    }
}

/// The text behind `%41` and the like (RFC 3986, section 2.1).
fn percent_decode(text: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            bail!("its credentials have a % that no two hexadecimal digits follow");
        };
        bytes.push(u8::try_from(high * 16 + low)?);
    }
    String::from_utf8(bytes).context("its credentials are not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(url: &str) -> Vec<String> {
        let mut command = Command::new("true");
        Redis::parse(url).unwrap().set_variables(&mut command);
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        command
            .get_envs()
            .filter_map(|(name, value)| Some(format!("{}={}", text(name), text(value?))))
            .map(|line| line.trim_start_matches("SPIN_VARIABLE_").to_owned())
            .collect()
    }

    #[test]
    fn credentials_and_database_become_variables_of_their_own() {
        assert_eq!(
            variables("rediss://me:p%40ss@cache.example:6380/2"),
            [
                "EVENTS_URL=rediss://me:p%40ss@cache.example:6380",
                "REDIS_DATABASE=2",
                "REDIS_PASSWORD=p@ss",
                "REDIS_URL=rediss://cache.example:6380",
                "REDIS_USERNAME=me",
            ]
        );
    }

    #[test]
    fn what_is_not_written_is_not_set() {
        assert_eq!(
            variables("redis://127.0.0.1"),
            [
                "EVENTS_URL=redis://127.0.0.1:6379",
                "REDIS_URL=redis://127.0.0.1:6379"
            ]
        );
        assert_eq!(Redis::parse("redis://[::1]").unwrap().url(), "redis://[::1]:6379");
        assert_eq!(
            Redis::parse("redis://[::1]:7000/").unwrap().url(),
            "redis://[::1]:7000"
        );
    }

    #[test]
    fn the_store_is_named_without_its_password() {
        assert_eq!(
            Redis::parse("redis://u:p@ss@host/1").unwrap().store(),
            "redis://host:6379/1"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        let urls = [
            "secret",
            "http://secret",
            "redis://",
            "redis://secret:99999",
            "redis://secret/x",
            "redis://secret:1,redis://b:2",
        ];
        for url in urls {
            let error = format!("{:#}", Redis::parse(url).unwrap_err());
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
