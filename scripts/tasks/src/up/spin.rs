//! The Spin CLI, and what of `spin.toml` matters to starting it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

pub(super) const MANIFEST: &str = "spin.toml";
/// The first version that runs components of WASI 0.3.
const OLDEST: (u32, u32) = (4, 1);

/// The components of each kind of trigger.
pub(super) struct Triggers {
    pub(super) http: Vec<String>,
    pub(super) redis: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    trigger: ManifestTriggers,
}

#[derive(Deserialize)]
struct ManifestTriggers {
    #[serde(default)]
    http: Vec<Trigger>,
    #[serde(default)]
    redis: Vec<Trigger>,
}

#[derive(Deserialize)]
struct Trigger {
    /// Absent where a route answers by itself.
    component: Option<String>,
}

impl Triggers {
    /// # Errors
    /// When the manifest cannot be read.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(MANIFEST)).with_context(|| format!("cannot read {MANIFEST}"))?;
        let manifest: Manifest = toml::from_str(&text).with_context(|| format!("cannot read {MANIFEST}"))?;
        Ok(Self {
            http: components(manifest.trigger.http),
            redis: components(manifest.trigger.redis),
        })
    }
}

/// Each component once, in order of its first trigger.
fn components(triggers: Vec<Trigger>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in triggers.into_iter().filter_map(|trigger| trigger.component) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// # Errors
/// When there is no `spin` on the PATH, or one that is too old.
pub(super) fn check_version() -> Result<()> {
    let Ok(output) = Command::new("spin").arg("--version").output() else {
        bail!(
            "--spin needs the Spin CLI on the PATH (https://spinframework.dev); without --spin the local host runs"
        );
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let version = version(&said).with_context(|| format!("`spin --version` says {said:?}"))?;
    let (major, minor) = OLDEST;
    ensure!(
        version >= OLDEST,
        "--spin needs Spin {major}.{minor} or newer, the PATH has {}",
        said.trim()
    );
    Ok(())
}

/// Major and minor version of `spin 4.1.0-pre0 (… )`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_understood() {
        assert_eq!(version("spin 4.1.0-pre0 (2f3a 2026-08-01)\n"), Some((4, 1)));
        assert!(version("spin 3.4.1").unwrap() < OLDEST);
        assert_eq!(version("usage"), None);
    }

    #[test]
    fn each_component_is_named_once_and_static_routes_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "
            spin_manifest_version = 2
            [[trigger.http]]
            route = '/a'
            component = 'ranks'
            [[trigger.http]]
            route = '/b'
            component = 'ranks'
            [[trigger.http]]
            route = '/'
            static_response = { status_code = 204 }
            [[trigger.redis]]
            channel = 'c'
            component = 'score-events'";
        fs::write(folder.path().join(MANIFEST), manifest).unwrap();
        let triggers = Triggers::read(folder.path()).unwrap();
        assert_eq!(
            (triggers.http, triggers.redis),
            (vec!["ranks".to_owned()], vec!["score-events".to_owned()])
        );
    }
}
