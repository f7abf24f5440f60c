//! `spin:redis/redis@3.0.0`.

mod value;

use redis::{Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, cmd};
use wasmtime::component::{Accessor, Resource};

use super::{GuestState, Platform, check_size};
use crate::bindings::spin::redis::redis::{
    Error, Host, HostConnection, HostConnectionWithStore, Payload, RedisParameter, RedisResult,
};
use crate::redis::Connection;

use value::{Flat, check_flat_size};

/// The most connections that one instance may have open, as on Spin.
const MAX_CONNECTIONS: usize = 1024;

type HostResult<T> = wasmtime::Result<Result<T, Error>>;

impl Host for GuestState {}

impl HostConnection for GuestState {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.redis_connections = self.redis_connections.saturating_sub(1);
        Ok(())
    }
}

/// Sends a command on a guest's connection.
async fn query<T: Send, R: FromRedisValue>(
    accessor: &Accessor<T, Platform>,
    handle: &Resource<Connection>,
    command: &Cmd,
) -> wasmtime::Result<redis::RedisResult<R>> {
    let connection = accessor.with(|mut access| access.get().table.get(handle).cloned())?;
    Ok(connection.query(command).await)
}

fn other_error(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}

impl<T: Send> HostConnectionWithStore<T> for Platform {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> HostResult<Resource<Connection>> {
        let (component, services) = accessor.with(|mut access| {
            let state = access.get();
            (state.component.clone(), state.services.clone())
        });
        if !component.allowed_hosts.allows(&address, "redis") {
            return Ok(Err(Error::InvalidAddress));
        }
        let Ok(info) = address.as_str().into_connection_info() else {
            return Ok(Err(Error::InvalidAddress));
        };
        let connection = match Connection::open(&services.redis, &address, info).await {
            Ok(connection) => connection,
            Err(reason) => return Ok(Err(Error::Other(reason))),
        };
        accessor.with(|mut access| {
            let state = access.get();
            if state.redis_connections >= MAX_CONNECTIONS {
                return Ok(Err(Error::TooManyConnections));
            }
            state.redis_connections += 1;
            Ok(Ok(state.table.push(connection)?))
        })
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        channel: String,
        payload: Payload,
    ) -> HostResult<()> {
        Ok(query(accessor, &handle, cmd("PUBLISH").arg(channel).arg(payload))
            .await?
            .map_err(other_error))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
    ) -> HostResult<Option<Payload>> {
        let value: redis::RedisResult<Option<Vec<u8>>> =
            query(accessor, &handle, cmd("GET").arg(key)).await?;
        Ok(value.map_err(other_error).and_then(|value| {
            check_size(value.as_ref().map_or(0, Vec::len)).map_err(Error::Other)?;
            Ok(value)
        }))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        value: Payload,
    ) -> HostResult<()> {
        Ok(query(accessor, &handle, cmd("SET").arg(key).arg(value))
            .await?
            .map_err(other_error))
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
    ) -> HostResult<i64> {
        Ok(query(accessor, &handle, cmd("INCRBY").arg(key).arg(1))
            .await?
            .map_err(other_error))
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        keys: Vec<String>,
    ) -> HostResult<u32> {
        Ok(query(accessor, &handle, cmd("DEL").arg(keys))
            .await?
            .map_err(other_error))
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> HostResult<u32> {
        let added = query(accessor, &handle, cmd("SADD").arg(key).arg(values)).await?;
        Ok(added.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedReturnType => Error::TypeError,
            _ => other_error(error),
        }))
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
    ) -> HostResult<Vec<String>> {
        Ok(query(accessor, &handle, cmd("SMEMBERS").arg(key))
            .await?
            .map_err(other_error))
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> HostResult<u32> {
        Ok(query(accessor, &handle, cmd("SREM").arg(key).arg(values))
            .await?
            .map_err(other_error))
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        name: String,
        arguments: Vec<RedisParameter>,
    ) -> HostResult<Vec<RedisResult>> {
        let mut command = cmd(&name);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let answer = query(accessor, &handle, &command).await?;
        Ok(answer.map_err(other_error).and_then(|Flat(flat)| {
            check_flat_size(&flat).map_err(Error::Other)?;
            Ok(flat)
        }))
    }
}
