//! The application: the manifest after its variables are replaced by their values. An application has routes,
//! subscriptions, and components with their grants.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::HostConfig;
use crate::error::StartError;
use crate::grants::AllowedHosts;
use crate::manifest::{self, FilesMount, Manifest, Source};
use crate::routes::{RouteTarget, Router};
use crate::variables::VariableValues;

/// An application, ready to be loaded.
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The components that have a trigger and were requested.
    pub(crate) components: BTreeMap<String, Arc<Component>>,
    pub(crate) router: Router,
    /// The components with a trigger for HTTP, private ones included.
    pub(crate) http_components: BTreeSet<String>,
    pub(crate) subscriptions: Vec<Subscription>,
}

/// A component and its grants.
pub(crate) struct Component {
    pub(crate) id: Arc<str>,
    pub(crate) source: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) files: Vec<Mount>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) key_value_stores: Vec<String>,
    pub(crate) sqlite_databases: Vec<String>,
}

/// A directory of the host that a component can read.
pub(crate) struct Mount {
    pub(crate) source: PathBuf,
    pub(crate) destination: String,
}

/// A component that handles the messages of a channel.
pub(crate) struct Subscription {
    /// The address of the Redis server. If it is empty, the component handles no messages.
    pub(crate) address: String,
    pub(crate) channel: String,
    pub(crate) component: String,
}

impl Application {
    /// Reads the manifest and replaces its variables.
    ///
    /// # Errors
    /// The manifest is wrong, a variable has no value, or a value makes the manifest wrong.
    pub(crate) fn load(config: &HostConfig) -> Result<Self, StartError> {
        let manifest = manifest::read(&config.manifest)?;
        let values = resolve_variables(config, &manifest)?;
        let selected = select_components(config, &manifest)?;
        let router = Router::build(
            manifest
                .trigger
                .http
                .iter()
                .filter(|trigger| match &trigger.component {
                    Some(id) => selected.contains(&id.0),
                    None => config.only.is_empty(),
                }),
        )
        .map_err(|reason| value_error("trigger.http", reason))?;
        let directory = config.manifest.parent().unwrap_or(Path::new(""));
        let ids: Vec<String> = manifest.component.keys().cloned().collect();
        let mut components = BTreeMap::new();
        for (id, declared) in manifest.component.iter().filter(|(id, _)| selected.contains(*id)) {
            let component = Component::resolve(id, declared, &values, directory, &ids)?;
            components.insert(id.clone(), Arc::new(component));
        }
        let http = manifest
            .trigger
            .http
            .iter()
            .filter_map(|trigger| trigger.component.as_ref());
        Ok(Self {
            router,
            http_components: http
                .map(|id| id.0.clone())
                .filter(|id| selected.contains(id))
                .collect(),
            subscriptions: resolve_subscriptions(&manifest, &values, &selected)?,
            components,
            name: manifest.application.name,
            version: manifest.application.version,
        })
    }

    /// Returns whether the application has an HTTP trigger.
    pub(crate) fn has_http(&self) -> bool {
        !self.http_components.is_empty()
            || self
                .router
                .routes()
                .any(|entry| matches!(entry.target, RouteTarget::Static(_)))
    }
}

fn value_error(place: impl Into<String>, reason: impl Into<String>) -> StartError {
    StartError::Value {
        place: place.into(),
        reason: reason.into(),
    }
}

fn resolve_variables(config: &HostConfig, manifest: &Manifest) -> Result<VariableValues, StartError> {
    let mut given = BTreeMap::new();
    for source in &config.variables {
        source
            .add_to(&mut given)
            .map_err(|reason| value_error("variables", reason))?;
    }
    let environment = |name: &str| {
        config
            .variables_from_environment
            .then(|| std::env::var(name).ok())
            .flatten()
    };
    VariableValues::resolve(&manifest.variables, &given, environment)
        .map_err(|reason| value_error("variables", reason))
}

/// Returns the components that have a trigger and were requested.
fn select_components(config: &HostConfig, manifest: &Manifest) -> Result<BTreeSet<String>, StartError> {
    if let Some(unknown) = config
        .only
        .iter()
        .find(|id| !manifest.component.contains_key(*id))
    {
        return Err(value_error(
            "--only",
            format!("there is no [component.{unknown}]"),
        ));
    }
    let http = manifest
        .trigger
        .http
        .iter()
        .filter_map(|trigger| trigger.component.as_ref());
    let redis = manifest.trigger.redis.iter().map(|trigger| &trigger.component);
    let triggered = http.chain(redis).map(|id| id.0.clone());
    Ok(triggered
        .filter(|id| config.only.is_empty() || config.only.contains(id))
        .collect())
}

fn resolve_subscriptions(
    manifest: &Manifest,
    values: &VariableValues,
    selected: &BTreeSet<String>,
) -> Result<Vec<Subscription>, StartError> {
    let triggers = manifest
        .trigger
        .redis
        .iter()
        .filter(|trigger| selected.contains(&trigger.component.0));
    triggers
        .map(|trigger| {
            let render = |text: &str| {
                values
                    .render_text(text)
                    .map_err(|reason| value_error("trigger.redis", reason))
            };
            let address = trigger
                .address
                .as_ref()
                .unwrap_or(&manifest.application.trigger.redis.address);
            Ok(Subscription {
                address: render(address)?,
                channel: render(&trigger.channel)?,
                component: trigger.component.0.clone(),
            })
        })
        .collect()
}

impl Component {
    fn resolve(
        id: &str,
        declared: &manifest::Component,
        values: &VariableValues,
        directory: &Path,
        components: &[String],
    ) -> Result<Self, StartError> {
        let wrong = |field: &str, reason: String| value_error(format!("component.{id}.{field}"), reason);
        let mut variables = BTreeMap::new();
        for (name, template) in &declared.variables {
            let value = values
                .render_text(template)
                .map_err(|reason| wrong("variables", reason))?;
            variables.insert(name.clone(), value);
        }
        let patterns = declared
            .allowed_outbound_hosts
            .iter()
            .map(|pattern| values.render_text(pattern));
        let allowed_hosts = patterns
            .collect::<Result<Vec<_>, _>>()
            .and_then(|patterns| AllowedHosts::parse(&patterns, components))
            .map_err(|reason| wrong("allowed_outbound_hosts", reason))?;
        let Source::Path(source) = &declared.source else {
            return Err(wrong("source", "not a local file".to_owned()));
        };
        Ok(Self {
            id: id.into(),
            source: directory.join(source),
            environment: declared.environment.clone(),
            files: resolve_mounts(declared, directory).map_err(|reason| wrong("files", reason))?,
            variables,
            allowed_hosts,
            key_value_stores: declared.key_value_stores.clone(),
            sqlite_databases: declared.sqlite_databases.clone(),
        })
    }
}

fn resolve_mounts(declared: &manifest::Component, directory: &Path) -> Result<Vec<Mount>, String> {
    let placements = declared.files.iter().filter_map(|mount| match mount {
        FilesMount::Placement { source, destination } => Some((directory.join(source), destination.clone())),
        FilesMount::Pattern(_) => None,
    });
    placements
        .map(|(source, destination)| match source.is_dir() {
            true => Ok(Mount { source, destination }),
            false => Err(format!("{} is not a directory", source.display())),
        })
        .collect()
}
