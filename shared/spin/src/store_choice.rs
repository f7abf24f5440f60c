//! Which store the variables select.

use leaderboard_sqlite::Synchronous;

use crate::settings::{InvalidVariable, Variables};

/// The store that the variables select. It is not `Debug`, because an address can contain a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// The built-in SQLite, if `redis_url` is not set.
    Embedded(Synchronous),
    /// Redis.
    Redis {
        /// The address of the primary, which is the first shard.
        primary: String,
        /// The addresses of further shards, in the order of their numbers.
        further: Vec<String>,
        /// The address of the region's replica, if it has one.
        replica: Option<String>,
    },
}

/// The variables of the shards after the first one. Their number is the maximum of shards: each one is a grant of every component. Spin
/// grants one host for each template, and no word of a variable's name begins with a digit.
const FURTHER_SHARDS: [&str; 3] = ["redis_url2", "redis_url3", "redis_url4"];

/// Returns which store this instance uses.
pub(crate) fn store_choice(variables: &mut Variables) -> Result<StoreChoice, InvalidVariable> {
    let url = variables.take("redis_url");
    let further = FURTHER_SHARDS.map(|variable| (variable, variables.take(variable)));
    let read_url = variables.take("redis_read_url");
    let synchronous = synchronous(variables)?;
    let credentials = Credentials::take(variables);
    let primary = credentials.address("redis_url", &url)?;
    let replica = credentials.address("redis_read_url", &read_url)?;
    let further = further_shards(&credentials, &further)?;
    match (primary, replica) {
        (Some(_), Some(_)) if !further.is_empty() => Err(invalid(
            "redis_read_url",
            "cannot be used with several shards (redis_url2)",
        )),
        (Some(primary), replica) => Ok(StoreChoice::Redis {
            primary,
            further,
            replica,
        }),
        (None, _) if !further.is_empty() => Err(invalid(
            "redis_url2",
            "needs redis_url, the address of the first shard",
        )),
        (None, None) => Ok(StoreChoice::Embedded(synchronous)),
        (None, Some(_)) => Err(invalid(
            "redis_read_url",
            "needs redis_url, the address of the primary",
        )),
    }
}

fn synchronous(variables: &mut Variables) -> Result<Synchronous, InvalidVariable> {
    match variables.take("sqlite_synchronous").as_str() {
        "" | "full" => Ok(Synchronous::Full),
        "normal" => Ok(Synchronous::Normal),
        _ => Err(invalid("sqlite_synchronous", "must be full or normal")),
    }
}

/// Returns the addresses of the shards after the first one.
///
/// # Errors
/// A variable is empty while a later one is set: a shard keeps its number, so the number of an absent shard is not given to another.
fn further_shards(
    credentials: &Credentials,
    urls: &[(&str, String)],
) -> Result<Vec<String>, InvalidVariable> {
    let mut further = Vec::new();
    let mut missing = None;
    for (variable, url) in urls {
        match (credentials.address(variable, url)?, missing) {
            (None, _) => missing = missing.or(Some(*variable)),
            (Some(address), None) => further.push(address),
            (Some(_), Some(missing)) => {
                return Err(invalid(missing, &format!("is empty, but {variable} is set")));
            }
        }
    }
    Ok(further)
}

/// The credentials and the database number, which all servers share.
struct Credentials {
    /// The user and the password as in a URL, with the sign behind them; empty for none.
    userinfo: String,
    database: String,
}

impl Credentials {
    fn take(variables: &mut Variables) -> Self {
        let user = encoded(&variables.take("redis_username"));
        let password = encoded(&variables.take("redis_password"));
        let userinfo = if user.is_empty() && password.is_empty() {
            String::new()
        } else {
            format!("{user}:{password}@")
        };
        Self {
            userinfo,
            database: variables.take("redis_database"),
        }
    }

    /// Returns the address of the server that a variable names; `None` if the variable is empty.
    fn address(&self, variable: &str, url: &str) -> Result<Option<String>, InvalidVariable> {
        redis_address(variable, url, &self.userinfo, &self.database)
    }
}

/// Returns the address of a server with credentials and database number; `None` if the variable is empty.
fn redis_address(
    variable: &str,
    url: &str,
    credentials: &str,
    database: &str,
) -> Result<Option<String>, InvalidVariable> {
    let url = url.trim().trim_end_matches('/');
    if url.is_empty() {
        return Ok(None);
    }
    let (scheme, host) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "redis" | "rediss"))
        .ok_or_else(|| invalid(variable, "must be redis://host:port or rediss://host:port"))?;
    if host.contains(',') {
        return Err(invalid(
            variable,
            "names several addresses; give one, and further shards in redis_url2, redis_url3, redis_url4",
        ));
    }
    if host.contains('@') {
        return Err(invalid(
            variable,
            "must not hold credentials; use redis_username and redis_password",
        ));
    }
    if host.contains('/') {
        return Err(invalid(
            variable,
            "must not hold a database number; use redis_database",
        ));
    }
    Ok(Some(format!("{scheme}://{credentials}{host}/{database}")))
}

fn invalid(variable: &str, what: &str) -> InvalidVariable {
    InvalidVariable(format!("variable {variable}: {what}"))
}

/// Percent-encodes a text for the userinfo part of a URL (RFC 3986, section 3.2.1).
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the addresses of the shards, or the error.
    fn shards_of(lines: &str) -> Result<Vec<String>, String> {
        let mut variables = Variables::parse(lines).unwrap_or_else(|_| panic!("malformed"));
        match store_choice(&mut variables) {
            Ok(StoreChoice::Redis { primary, further, .. }) => Ok([vec![primary], further].concat()),
            Ok(StoreChoice::Embedded(_)) => Ok(Vec::new()),
            Err(InvalidVariable(what)) => Err(what),
        }
    }

    #[test]
    fn each_variable_is_a_shard_and_all_share_the_credentials() {
        let lines = "redis_url=redis://a:1\nredis_url2=redis://b:2\nredis_url3=rediss://c:3\nredis_password=p@\nredis_database=4";
        let addresses = [
            "redis://:p%40@a:1/4",
            "redis://:p%40@b:2/4",
            "rediss://:p%40@c:3/4",
        ];
        assert_eq!(shards_of(lines), Ok(addresses.map(str::to_owned).to_vec()));
        assert_eq!(
            shards_of("redis_url=redis://a:1"),
            Ok(vec!["redis://a:1/".into()])
        );
        assert_eq!(shards_of(""), Ok(Vec::new()));
    }

    #[test]
    fn an_error_names_the_variable() {
        for (lines, named) in [
            ("redis_url=redis://a\nredis_url3=redis://c", "redis_url2"),
            (
                "redis_url=redis://a\nredis_url2=redis://b\nredis_url4=redis://d",
                "redis_url3",
            ),
            ("redis_url2=redis://b", "redis_url2"),
            ("redis_url=redis://a\nredis_url2=b", "redis_url2"),
            ("redis_url=redis://a,redis://b", "redis_url"),
            (
                "redis_url=redis://a\nredis_url2=redis://b\nredis_read_url=redis://r",
                "redis_read_url",
            ),
        ] {
            let error = shards_of(lines).err().unwrap_or_default();
            assert!(
                error.starts_with(&format!("variable {named}: ")),
                "{lines}: {error}"
            );
        }
    }
}
