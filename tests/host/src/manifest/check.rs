//! Checks the values of a manifest: versions, references, names, and features that this host does not
//! support.

use super::schema::{Component, ComponentId, FilesMount, Manifest, Route, Source, Variable};
use super::template::{Template, check_variable_name};
use crate::grants::AllowedHost;

/// The label of the only key-value store and the only SQLite database. As on Spin, other labels need a
/// runtime configuration, which this host does not read.
pub(crate) const DEFAULT_LABEL: &str = "default";

/// A place in the manifest, and a text that says what is wrong there.
type Fault = (String, String);

fn fault(place: impl Into<String>, message: impl Into<String>) -> Fault {
    (place.into(), message.into())
}

/// Runs all checks that need neither files nor the values of variables.
pub(super) fn check_manifest(manifest: &Manifest) -> Result<(), Fault> {
    if manifest.spin_manifest_version != 2 {
        return Err(fault(
            "spin_manifest_version",
            format!(
                "version {} is not supported, only 2 is",
                manifest.spin_manifest_version
            ),
        ));
    }
    if manifest
        .application
        .trigger
        .http
        .base
        .as_deref()
        .is_some_and(|base| base != "/")
    {
        return Err(fault(
            "application.trigger.http.base",
            "put the base into each trigger's route instead",
        ));
    }
    for (name, declared) in &manifest.variables {
        check_variable(name, declared)?;
    }
    for (id, declared) in &manifest.component {
        check_component(manifest, &format!("component.{id}"), declared)?;
    }
    check_http_triggers(manifest)?;
    check_redis_triggers(manifest)
}

fn check_variable(name: &str, declared: &Variable) -> Result<(), Fault> {
    let place = format!("variables.{name}");
    check_variable_name(name).map_err(|reason| fault(&place, reason))?;
    if declared.required == declared.default.is_some() {
        return Err(fault(&place, "must have either `required = true` or a `default`"));
    }
    Ok(())
}

fn check_component(manifest: &Manifest, place: &str, component: &Component) -> Result<(), Fault> {
    refuse_unsupported(place, component)?;
    for (name, value) in &component.variables {
        let place = format!("{place}.variables.{name}");
        check_variable_name(name).map_err(|reason| fault(&place, reason))?;
        check_template(manifest, &place, value)?;
    }
    for host in &component.allowed_outbound_hosts {
        let place = format!("{place}.allowed_outbound_hosts");
        if check_template(manifest, &place, host)?.is_literal() {
            AllowedHost::parse(host).map_err(|reason| fault(&place, reason))?;
        }
    }
    check_labels(place, "key_value_stores", &component.key_value_stores)?;
    check_labels(place, "sqlite_databases", &component.sqlite_databases)
}

/// Refuses the features of Spin that this host does not have.
fn refuse_unsupported(place: &str, component: &Component) -> Result<(), Fault> {
    if matches!(component.source, Source::Remote) {
        return Err(fault(
            format!("{place}.source"),
            "this host does not fetch components: give the path of a local file",
        ));
    }
    if !component.allowed_http_hosts.is_empty() {
        return Err(fault(
            format!("{place}.allowed_http_hosts"),
            "deprecated: use allowed_outbound_hosts",
        ));
    }
    for (field, used) in [
        ("ai_models", !component.ai_models.is_empty()),
        ("dependencies", !component.dependencies.is_empty()),
        ("exclude_files", !component.exclude_files.is_empty()),
    ] {
        if used {
            return Err(fault(format!("{place}.{field}"), "not supported by this host"));
        }
    }
    for mount in &component.files {
        match mount {
            FilesMount::Pattern(_) => {
                return Err(fault(
                    format!("{place}.files"),
                    "patterns are not supported by this host: use { source = \"directory\", destination = \"/path\" }",
                ));
            }
            FilesMount::Placement { destination, .. } if !destination.starts_with('/') => {
                return Err(fault(
                    format!("{place}.files"),
                    "a destination must be an absolute path",
                ));
            }
            FilesMount::Placement { .. } => {}
        }
    }
    Ok(())
}

fn check_labels(place: &str, field: &str, labels: &[String]) -> Result<(), Fault> {
    match labels.iter().find(|label| *label != DEFAULT_LABEL) {
        None => Ok(()),
        Some(label) => Err(fault(
            format!("{place}.{field}"),
            format!(
                "unknown label {label:?}: only \"{DEFAULT_LABEL}\" exists without a runtime configuration file"
            ),
        )),
    }
}

/// Parses a template, and checks that its variables are declared.
fn check_template(manifest: &Manifest, place: &str, text: &str) -> Result<Template, Fault> {
    let template = Template::parse(text).map_err(|reason| fault(place, reason))?;
    let unknown = template
        .names()
        .find(|name| !manifest.variables.contains_key(*name));
    if let Some(name) = unknown {
        return Err(fault(place, format!("unknown variable {name:?}")));
    }
    Ok(template)
}

fn check_http_triggers(manifest: &Manifest) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeMap::new();
    for (index, trigger) in manifest.trigger.http.iter().enumerate() {
        let place = format!("trigger.http[{index}]");
        if !trigger.components.is_empty() || !trigger.dependencies.is_empty() {
            return Err(fault(
                &place,
                "`components` and `dependencies` are not supported by this host",
            ));
        }
        if let Some(executor) = &trigger.executor
            && !matches!(executor.kind.as_str(), "http" | "spin")
        {
            let message = format!("executor {:?} is not supported by this host", executor.kind);
            return Err(fault(format!("{place}.executor"), message));
        }
        match (&trigger.component, &trigger.static_response) {
            (Some(id), None) => check_component_exists(manifest, &place, id)?,
            (None, Some(_)) => {}
            (None, None) => return Err(fault(&place, "needs a component or a static_response")),
            (Some(_), Some(_)) => return Err(fault(&place, "has both a component and a static_response")),
        }
        if let Route::Pattern(route) = &trigger.route
            && let Some(first) = seen.insert(route.clone(), index)
        {
            return Err(fault(
                format!("{place}.route"),
                format!("{route:?} is already the route of trigger.http[{first}]"),
            ));
        }
    }
    Ok(())
}

fn check_redis_triggers(manifest: &Manifest) -> Result<(), Fault> {
    check_template(
        manifest,
        "application.trigger.redis.address",
        &manifest.application.trigger.redis.address,
    )?;
    for (index, trigger) in manifest.trigger.redis.iter().enumerate() {
        let place = format!("trigger.redis[{index}]");
        if !trigger.components.is_empty() || !trigger.dependencies.is_empty() {
            return Err(fault(
                &place,
                "`components` and `dependencies` are not supported by this host",
            ));
        }
        check_component_exists(manifest, &place, &trigger.component)?;
        check_template(manifest, &format!("{place}.channel"), &trigger.channel)?;
        check_template(
            manifest,
            &format!("{place}.address"),
            trigger.address.as_deref().unwrap_or(""),
        )?;
    }
    Ok(())
}

fn check_component_exists(manifest: &Manifest, place: &str, id: &ComponentId) -> Result<(), Fault> {
    if manifest.component.contains_key(&id.0) {
        return Ok(());
    }
    Err(fault(
        format!("{place}.component"),
        format!("there is no [component.{}]", id.0),
    ))
}
