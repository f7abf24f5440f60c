//! `spin:key-value/key-value@3.0.0`.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::services::WorkerServices;
use super::stream::Batches;
use super::{GuestState, Platform, check_size};
use crate::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::key_value::{Database, OpenStore};

/// The most stores that one instance may have open, as on Spin.
const MAX_OPEN_STORES: usize = 256;
/// The most keys of a batch.
const KEYS_PER_BATCH: usize = 256;
/// How many batches can wait for a guest that does not read.
const WAITING_BATCHES: usize = 4;

type HostResult<T> = wasmtime::Result<Result<T, Error>>;

impl Host for GuestState {}

impl HostStore for GuestState {
    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        self.open_stores = self.open_stores.saturating_sub(1);
        Ok(())
    }
}

/// Returns the label of an open store, and the services that have its database.
fn open_store<T: Send>(
    accessor: &Accessor<T, Platform>,
    store: &Resource<OpenStore>,
) -> wasmtime::Result<(Arc<str>, Arc<WorkerServices>)> {
    accessor.with(|mut access| {
        let state = access.get();
        Ok((state.table.get(store)?.label.clone(), state.services.clone()))
    })
}

impl<T: Send> HostStoreWithStore<T> for Platform {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> HostResult<Resource<OpenStore>> {
        accessor.with(|mut access| {
            let state = access.get();
            if !state.component.key_value_stores.contains(&label) {
                return Ok(Err(Error::AccessDenied));
            }
            if state.open_stores >= MAX_OPEN_STORES {
                return Ok(Err(Error::StoreTableFull));
            }
            state.open_stores += 1;
            Ok(Ok(state.table.push(OpenStore { label: label.into() })?))
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> HostResult<Option<Vec<u8>>> {
        let (label, services) = open_store(accessor, &store)?;
        let value = services.key_value.get(&label, &key).and_then(|value| {
            check_size(value.as_ref().map_or(0, Vec::len))?;
            Ok(value)
        });
        Ok(value.map_err(Error::Other))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> HostResult<()> {
        let (label, services) = open_store(accessor, &store)?;
        Ok(services
            .host
            .key_value
            .write(label, key, Some(value))
            .await
            .map_err(Error::Other))
    }

    async fn delete(accessor: &Accessor<T, Self>, store: Resource<OpenStore>, key: String) -> HostResult<()> {
        let (label, services) = open_store(accessor, &store)?;
        Ok(services
            .host
            .key_value
            .write(label, key, None)
            .await
            .map_err(Error::Other))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> HostResult<bool> {
        let (label, services) = open_store(accessor, &store)?;
        Ok(services.key_value.exists(&label, &key).map_err(Error::Other))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (label, services) = open_store(accessor, &store)?;
        let (batches, waiting) = mpsc::channel(WAITING_BATCHES);
        let (done, result) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            _ = done.send(send_keys(&services.host.key_value, &label, &batches).map_err(Error::Other));
        });
        accessor.with(|mut access| {
            Ok((
                StreamReader::new(&mut access, Batches::new(waiting))?,
                FutureReader::new(&mut access, result)?,
            ))
        })
    }
}

/// Reads all keys, and sends them in batches. Blocks while the guest does not read.
fn send_keys(database: &Database, label: &str, batches: &mpsc::Sender<Vec<String>>) -> Result<(), String> {
    let mut batch = Vec::new();
    let mut open = true;
    database.keys(label, |key| {
        batch.push(key);
        if batch.len() >= KEYS_PER_BATCH {
            open = batches.blocking_send(std::mem::take(&mut batch)).is_ok();
        }
        open
    })?;
    if open && !batch.is_empty() {
        open = batches.blocking_send(batch).is_ok();
    }
    if open {
        Ok(())
    } else {
        Err("the stream of keys was closed".to_owned())
    }
}
