//! The address of a Redis, taken apart: the application's `redis_url` is also what its components are granted,
//! and a grant has no room for credentials, which are variables of their own.

use anyhow::{Context, Result, ensure};
use percent_encoding::percent_decode_str;
use url::Url;

const PORT: u16 = 6379;
const EVENTS_VARIABLE: &str = "SPIN_VARIABLE_EVENTS_URL";

/// An address such as `redis://user:password@host:6379/0`.
#[derive(Debug)]
pub(super) struct Redis {
    /// With the port, without the database.
    url: Url,
    database: Option<u32>,
}

impl Redis {
    /// # Errors
    /// When it is not the address of one Redis. The error does not repeat it, as it may hold a password.
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

    /// Which data it means, in words that hold no password.
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

    /// What the servers get in their environment, as a command line is visible to everybody on the machine.
    ///
    /// # Errors
    /// When the credentials are not UTF-8.
    pub(super) fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        let mut variables = vec![("SPIN_VARIABLE_REDIS_URL", self.url_without_credentials())];
        // Messages come from the same Redis unless the environment already names another. They belong to no
        // database, and this address carries its credentials, as only the host reads it.
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

    fn variables(url: &str) -> Vec<String> {
        let variables = Redis::parse(url).unwrap().variables().unwrap();
        let lines = variables.iter().map(|(name, value)| format!("{name}={value}"));
        lines.map(|line| line.replace("SPIN_VARIABLE_", "")).collect()
    }

    #[test]
    fn credentials_and_database_become_variables_of_their_own() {
        assert_eq!(
            variables("rediss://me:p%40ss@cache.example:6380/2"),
            [
                "REDIS_URL=rediss://cache.example:6380",
                "EVENTS_URL=rediss://me:p%40ss@cache.example:6380",
                "REDIS_USERNAME=me",
                "REDIS_PASSWORD=p@ss",
                "REDIS_DATABASE=2",
            ]
        );
        let plain = ["REDIS_URL=redis://[::1]:6379", "EVENTS_URL=redis://[::1]:6379"];
        assert_eq!(variables("redis://[::1]"), plain);
    }

    #[test]
    fn the_store_is_named_without_its_password() {
        let redis = Redis::parse("redis://u:p%40ss@host/1").unwrap();
        assert_eq!(redis.store(), "redis://host:6379/1");
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
