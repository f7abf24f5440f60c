//! What `up` was asked to do, with every default filled in.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::key::{AdminKey, METRICS_VARIABLE, check_metrics_key, token_secret};
use super::redis::Redis;
use crate::cli::UpOptions;
use crate::workspace::Workspace;

/// The folder from which a person called the script, which goes to the root before it becomes this program.
const CALLED_FROM: &str = "EDGEBOARD_CALLED_FROM";
const STATE_DIR: &str = ".edgeboard";

pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) state_dir: PathBuf,
    pub(super) redis: Option<Redis>,
    pub(super) sample: bool,
    pub(super) spin: bool,
    pub(super) key: AdminKey,
    /// What players' tokens are signed with.
    pub(super) token_secret: String,
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
        check_metrics_key(env::var(METRICS_VARIABLE).ok())?;
        let token_secret = token_secret(&state_dir, env::var(super::key::TOKEN_VARIABLE).ok())?;
        let redis = options
            .redis
            .as_deref()
            .filter(|url| !url.is_empty())
            .map(Redis::parse)
            .transpose();
        let redis = redis.context("--redis is not an address such as redis://127.0.0.1:6379/0")?;
        Ok(Self {
            listen: options.listen,
            state_dir,
            redis,
            sample: !options.no_sample,
            spin: options.spin,
            key,
            token_secret,
        })
    }

    /// The store in words that hold no password.
    pub(super) fn store(&self) -> String {
        self.redis
            .as_ref()
            .map_or_else(|| "embedded".to_owned(), Redis::store)
    }
}

/// A relative folder is meant from where the person is.
fn state_dir(workspace: &Workspace, options: &UpOptions, called_from: Option<&Path>) -> PathBuf {
    match &options.state_dir {
        None => workspace.root.join(STATE_DIR),
        Some(folder) => called_from.unwrap_or(&workspace.root).join(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
