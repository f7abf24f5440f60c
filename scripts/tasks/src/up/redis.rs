//! Splits the address of a Redis server into variables of the application. The components are granted access
//! to `redis_url`, and a grant cannot contain credentials, so the credentials are separate variables.

use anyhow::{Context, Result, ensure};
use percent_encoding::percent_decode_str;
use url::Url;

/// The default port of Redis.
const PORT: u16 = 6379;
/// The environment variable with the address of the Redis server whose messages trigger components.
const EVENTS_VARIABLE: &str = "SPIN_VARIABLE_EVENTS_URL";

/// An address such as `redis://user:password@host:6379/0`.
#[derive(Debug)]
pub(super) struct Redis {
    /// The address with the port and the credentials, without the database.
    url: Url,
    database: Option<u32>,
}

impl Redis {
    /// Parses an address.
    ///
    /// # Errors
    /// The text is not the address of one Redis server. The error does not contain the text, which can
    /// contain a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut url = Url::parse(text).context("it must be such as redis://127.0.0.1:6379/0")?;
        ensure!(
            matches!(url.scheme(), "redis" | "rediss") && url.host_str().is_some_and(|host| !host.is_empty()),
            "it must start with redis:// or rediss:// and a host"
        );
        let database = match url.path().trim_start_matches('/') {
            "" => None,
            number => Some(number.parse().context("its database is not a number")?),
        };
        let port = url.port().unwrap_or(PORT);
        url.set_path("");
        ensure!(url.set_port(Some(port)).is_ok(), "it has no room for a port");
        Ok(Self { url, database })
    }

    /// Returns the address with the database and without credentials.
    pub(super) fn store(&self) -> String {
        let database = self.database.map(|number| format!("/{number}"));
        format!(
            "{}{}",
            self.url_without_credentials(),
            database.unwrap_or_default()
        )
    }

    fn url_without_credentials(&self) -> String {
        let (host, port) = (
            self.url.host_str().unwrap_or_default(),
            self.url.port().unwrap_or(PORT),
        );
        format!("{}://{host}:{port}", self.url.scheme())
    }

    /// Returns the variables for the environment of the servers. They do not go on the command line, because
    /// every user of the machine can see it.
    ///
    /// # Errors
    /// The credentials are not UTF-8.
    pub(super) fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        let mut variables = vec![("SPIN_VARIABLE_REDIS_URL", self.url_without_credentials())];
        // Messages come from the same Redis server, unless the environment names another. The address has no
        // database, because messages do not belong to one. It has the credentials, because only the host
        // reads it.
        if std::env::var_os(EVENTS_VARIABLE).is_none_or(|given| given.is_empty()) {
            variables.push((EVENTS_VARIABLE, self.url.to_string()));
        }
        let password = self.url.password();
        if password.is_some() || !self.url.username().is_empty() {
            variables.push(("SPIN_VARIABLE_REDIS_USERNAME", decode(self.url.username())?));
            variables.push((
                "SPIN_VARIABLE_REDIS_PASSWORD",
                decode(password.unwrap_or_default())?,
            ));
        }
        variables.extend(
            self.database
                .map(|number| ("SPIN_VARIABLE_REDIS_DATABASE", number.to_string())),
        );
        Ok(variables)
    }
}

fn decode(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.context("its credentials are not UTF-8")?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the variables of an address as `name=value`, without the prefix of their names.
    fn variable_lines(url: &str) -> Vec<String> {
        let variables = Redis::parse(url).unwrap().variables().unwrap();
        let lines = variables.iter().map(|(name, value)| format!("{name}={value}"));
        lines.map(|line| line.replace("SPIN_VARIABLE_", "")).collect()
    }

    #[test]
    fn credentials_and_database_become_separate_variables() {
        assert_eq!(
            variable_lines("rediss://me:p%40ss@cache.example:6380/2"),
            [
                "REDIS_URL=rediss://cache.example:6380",
                "EVENTS_URL=rediss://me:p%40ss@cache.example:6380",
                "REDIS_USERNAME=me",
                "REDIS_PASSWORD=p@ss",
                "REDIS_DATABASE=2",
            ]
        );
        let plain = ["REDIS_URL=redis://[::1]:6379", "EVENTS_URL=redis://[::1]:6379"];
        assert_eq!(variable_lines("redis://[::1]"), plain);
    }

    #[test]
    fn the_store_is_named_without_its_password() {
        let redis = Redis::parse("redis://u:p%40ss@host/1").unwrap();
        assert_eq!(redis.store(), "redis://host:6379/1");
    }

    #[test]
    fn a_malformed_address_is_refused_and_not_shown_in_the_error() {
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
