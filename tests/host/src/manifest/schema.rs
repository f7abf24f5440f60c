//! The structure of a manifest. Unknown fields are errors in every table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// A whole manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) spin_manifest_version: u32,
    pub(crate) application: Application,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    #[serde(default)]
    pub(crate) trigger: Triggers,
    #[serde(default)]
    pub(crate) component: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: Vec<toml::Value>,
    #[serde(default)]
    pub(crate) trigger: ApplicationTriggers,
    #[serde(default, rename = "tool")]
    _tool: BTreeMap<String, toml::Table>,
}

/// `[application.trigger]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationTriggers {
    #[serde(default)]
    pub(crate) http: HttpApplication,
    #[serde(default)]
    pub(crate) redis: RedisApplication,
}

/// `[application.trigger.http]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpApplication {
    pub(crate) base: Option<String>,
}

/// `[application.trigger.redis]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisApplication {
    #[serde(default)]
    pub(crate) address: String,
}

/// One entry of `[variables]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    #[serde(default, rename = "secret")]
    _secret: bool,
}

/// `[[trigger.…]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Triggers {
    #[serde(default)]
    pub(crate) http: Vec<HttpTrigger>,
    #[serde(default)]
    pub(crate) redis: Vec<RedisTrigger>,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    pub(crate) route: Route,
    pub(crate) component: Option<ComponentId>,
    pub(crate) static_response: Option<StaticResponse>,
    pub(crate) executor: Option<Executor>,
    #[serde(default)]
    pub(crate) components: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub(crate) dependencies: BTreeMap<String, toml::Value>,
}

/// One `[[trigger.redis]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    pub(crate) channel: String,
    pub(crate) component: ComponentId,
    pub(crate) address: Option<String>,
    #[serde(default)]
    pub(crate) components: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub(crate) dependencies: BTreeMap<String, toml::Value>,
}

/// `executor = { type = "http" }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Executor {
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// A fixed response, sent without a component.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaticResponse {
    #[serde(default = "ok_status")]
    pub(crate) status_code: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
}

/// The default status of a static response.
fn ok_status() -> u16 {
    200
}

/// A reference to `[component.<id>]`.
#[derive(Clone, Debug)]
pub(crate) struct ComponentId(pub(crate) String);

impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl<'de> Visitor<'de> for Id {
            type Value = ComponentId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a component")
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<ComponentId, E> {
                Ok(ComponentId(id.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<ComponentId, A::Error> {
                Err(A::Error::custom(
                    "inline components are not supported by this host: give the component its own [component.<id>] table",
                ))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

/// `route = "/path/..."` or `route = { private = true }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A pattern.
    Pattern(String),
    /// Reachable only from other components.
    Private,
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Route;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a route such as \"/path/...\" or { private = true }")
            }
            fn visit_str<E: Error>(self, pattern: &str) -> Result<Route, E> {
                Ok(Route::Pattern(pattern.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Route, A::Error> {
                let entry = map.next_entry::<String, bool>()?;
                match (entry, map.next_key::<String>()?) {
                    (Some((key, true)), None) if key == "private" => Ok(Route::Private),
                    _ => Err(A::Error::custom(
                        "a route must be a pattern or { private = true }",
                    )),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `[component.<id>]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Component {
    pub(crate) source: Source,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) files: Vec<FilesMount>,
    #[serde(default)]
    pub(crate) exclude_files: Vec<String>,
    #[serde(default)]
    pub(crate) allowed_http_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    #[serde(default)]
    pub(crate) sqlite_databases: Vec<String>,
    #[serde(default)]
    pub(crate) ai_models: Vec<String>,
    #[serde(default, rename = "targets")]
    _targets: Vec<toml::Value>,
    #[serde(rename = "build")]
    _build: Option<Build>,
    #[serde(default, rename = "tool")]
    _tool: BTreeMap<String, toml::Table>,
    #[serde(rename = "dependencies_inherit_configuration")]
    _dependencies_inherit_configuration: Option<bool>,
    #[serde(default)]
    pub(crate) dependencies: BTreeMap<String, toml::Value>,
    #[serde(default, rename = "profile")]
    _profile: BTreeMap<String, toml::Table>,
}

/// `[component.<id>.build]`. This host checks its structure, and `spin build` uses it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    #[serde(rename = "command")]
    _command: Commands,
    #[serde(rename = "workdir")]
    _workdir: Option<String>,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
}

/// One command or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Commands {
    One(#[expect(dead_code, reason = "only its form matters")] String),
    Several(#[expect(dead_code, reason = "only its form matters")] Vec<String>),
}

/// The source of the Wasm of a component.
#[derive(Debug)]
pub(crate) enum Source {
    /// A path relative to the manifest.
    Path(String),
    /// `{ url, digest }` or `{ registry, package, version }`, which this host does not fetch.
    Remote,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Source;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a component")
            }
            fn visit_str<E: Error>(self, path: &str) -> Result<Source, E> {
                Ok(Source::Path(path.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
                while map.next_entry::<String, toml::Value>()?.is_some() {}
                Ok(Source::Remote)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// One entry of `files`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum FilesMount {
    /// A glob, which this host does not support.
    Pattern(#[expect(dead_code, reason = "every pattern is refused")] String),
    /// A directory, and its path in the guest.
    Placement {
        /// A path relative to the manifest.
        source: String,
        /// An absolute path in the guest.
        destination: String,
    },
}
