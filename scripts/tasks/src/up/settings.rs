//! What `up` was asked to do, with every default filled in.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::key::AdminKey;
use crate::cli::UpOptions;
use crate::workspace::Workspace;

/// The folder from which a person called the script, which goes to the root before it becomes this program.
const CALLED_FROM: &str = "EDGEBOARD_CALLED_FROM";
const STATE_DIR: &str = ".edgeboard";
/// The environment variables through which Spin and the local host take the addresses of Redis.
pub(super) const REDIS_VARIABLE: &str = "SPIN_VARIABLE_REDIS_URL";
pub(super) const EVENTS_VARIABLE: &str = "SPIN_VARIABLE_EVENTS_URL";

pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) state_dir: PathBuf,
    pub(super) redis: Option<String>,
    /// The Redis whose messages are listened to; none without a `redis`.
    pub(super) events: Option<String>,
    pub(super) sample: bool,
    pub(super) spin: bool,
    pub(super) key: AdminKey,
}

impl Settings {
    /// # Errors
    /// When the state folder or the key in it cannot be made.
    pub(super) fn new(workspace: &Workspace, options: &UpOptions) -> Result<Self> {
        let state_dir = state_dir(
            workspace,
            options,
            env::var_os(CALLED_FROM).as_deref().map(Path::new),
        );
        fs::create_dir_all(&state_dir).with_context(|| format!("cannot create {}", state_dir.display()))?;
        let key = AdminKey::obtain(&state_dir, env::var(super::key::VARIABLE).ok())?;
        let redis = options.redis.clone().filter(|url| !url.is_empty());
        let events = events(redis.as_deref(), env::var(EVENTS_VARIABLE).ok());
        Ok(Self {
            listen: options.listen,
            state_dir,
            redis,
            events,
            sample: !options.no_sample,
            spin: options.spin,
            key,
        })
    }

    /// The store in words that hold no password.
    pub(super) fn store(&self) -> String {
        self.redis
            .as_deref()
            .map_or_else(|| "embedded".to_owned(), without_credentials)
    }
}

/// A relative folder is meant from where the person is.
fn state_dir(workspace: &Workspace, options: &UpOptions, called_from: Option<&Path>) -> PathBuf {
    match &options.state_dir {
        None => workspace.root.join(STATE_DIR),
        Some(folder) => called_from.unwrap_or(&workspace.root).join(folder),
    }
}

/// Messages come from where they are said to; else from the store, whose first address it is when it has
/// several (its shards).
fn events(redis: Option<&str>, given: Option<String>) -> Option<String> {
    let first = redis?.split(',').next()?;
    Some(
        given
            .filter(|url| !url.is_empty())
            .unwrap_or_else(|| first.to_owned()),
    )
}

/// An address without user and password.
fn without_credentials(url: &str) -> String {
    let one = |url: &str| match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => "redis".to_owned(),
    };
    url.split(',').map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_what_is_shown() {
        assert_eq!(
            without_credentials("redis://u:p@ss@host:6379/1"),
            "redis://host:6379/1"
        );
        assert_eq!(
            without_credentials("redis://a:1,redis://:p@b:2"),
            "redis://a:1,redis://b:2"
        );
        assert_eq!(without_credentials("secret"), "redis");
    }

    #[test]
    fn messages_come_from_the_first_address_of_the_store() {
        assert_eq!(events(None, None), None);
        assert_eq!(
            events(Some("redis://a:1,redis://b:2"), None).as_deref(),
            Some("redis://a:1")
        );
        assert_eq!(
            events(Some("redis://a:1"), Some("redis://c:3".to_owned())).as_deref(),
            Some("redis://c:3")
        );
    }

    #[test]
    fn a_relative_state_folder_is_meant_from_where_one_is() {
        let workspace = Workspace {
            root: "/project".into(),
            target: "/t".into(),
            packages: Vec::new(),
        };
        let mut options = UpOptions {
            redis: None,
            listen: "127.0.0.1:3000".parse().unwrap(),
            state_dir: None,
            no_sample: false,
            spin: false,
        };
        let here = Some(Path::new("/home/me"));
        assert_eq!(
            state_dir(&workspace, &options, here),
            Path::new("/project/.edgeboard")
        );
        options.state_dir = Some("state".into());
        assert_eq!(state_dir(&workspace, &options, here), Path::new("/home/me/state"));
        options.state_dir = Some("/var/state".into());
        assert_eq!(state_dir(&workspace, &options, here), Path::new("/var/state"));
    }
}
