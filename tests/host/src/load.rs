//! Compiles and links the components of an application.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::application::{Application, Component};
use crate::bindings::spin;
use crate::bindings::trigger::RedisTriggerPre;
use crate::engine::Compiler;
use crate::error::{StartError, one_line};
use crate::guest::{GuestState, Platform};

/// A component, compiled and linked.
pub(crate) struct Loaded {
    pub(crate) component: Arc<Component>,
    /// The linked HTTP service; `None` if the component has no HTTP trigger.
    pub(crate) service: Option<ServicePre<GuestState>>,
    /// The linked Redis subscriber; `None` if the component has no Redis trigger.
    pub(crate) subscriber: Option<RedisTriggerPre<GuestState>>,
}

/// Compiles and links every component of `application`.
///
/// # Errors
/// A file is missing or is not a component, a component imports an interface that this host does not have, or
/// it does not export the function that its trigger calls.
pub(crate) fn all(
    engine: &Engine,
    compiler: &Compiler<'_>,
    application: &Application,
) -> Result<BTreeMap<String, Loaded>, StartError> {
    let linker = linker(engine).map_err(|error| StartError::System(one_line(&error)))?;
    let mut loaded = BTreeMap::new();
    for (id, component) in &application.components {
        let bad = |error: wasmtime::Error| StartError::BadComponent {
            id: id.clone(),
            reason: one_line(&error),
        };
        let wasm = std::fs::read(&component.source).map_err(|error| StartError::MissingComponent {
            id: id.clone(),
            path: component.source.clone(),
            reason: error.to_string(),
        })?;
        let pre = compiler
            .component(&wasm)
            .and_then(|compiled| linker.instantiate_pre(&compiled))
            .map_err(bad)?;
        let subscribes = application
            .subscriptions
            .iter()
            .any(|subscription| subscription.component == *id);
        loaded.insert(
            id.clone(),
            Loaded {
                component: component.clone(),
                service: application
                    .http_components
                    .contains(id)
                    .then(|| ServicePre::new(pre.clone()))
                    .transpose()
                    .map_err(bad)?,
                subscriber: subscribes
                    .then(|| RedisTriggerPre::new(pre))
                    .transpose()
                    .map_err(bad)?,
            },
        );
    }
    Ok(loaded)
}

/// Creates a linker with WASI 0.2 and 0.3, `wasi:http` 0.3 and the interfaces of Spin that SDK 7 uses.
///
/// # Errors
/// Two interfaces have the same name, which would be a bug of this program.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    spin::redis::redis::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::key_value::key_value::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::sqlite::sqlite::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    spin::variables::variables::add_to_linker::<_, Platform>(&mut linker, |state| state)?;
    Ok(linker)
}
