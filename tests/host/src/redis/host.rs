//! The interface that guests call.

use redis::{Cmd, cmd};
use wasmtime::component::{Accessor, Resource};

use super::value::{Flat, fits};
use super::{Connection, MAX_ANSWER_BYTES, MAX_CONNECTIONS, other};
use crate::bindings::spin::redis::redis::{
    Error, Host, HostConnection, HostConnectionWithStore, Payload, RedisParameter, RedisResult,
};
use crate::guest::{GuestState, Platform};

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl Host for GuestState {}

impl HostConnection for GuestState {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.redis_connections = self.redis_connections.saturating_sub(1);
        Ok(())
    }
}

fn connection<T: Send>(
    accessor: &Accessor<T, Platform>,
    handle: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(handle)?.clone()))
}

fn too_large() -> Error {
    Error::Other(format!("query result exceeds limit of {MAX_ANSWER_BYTES} bytes"))
}

impl<T: Send> HostConnectionWithStore<T> for Platform {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> Answer<Resource<Connection>> {
        let (component, worker) = accessor.with(|mut access| {
            let state = access.get();
            (state.component.clone(), state.worker.clone())
        });
        if !component.allowed_hosts.allows(&address, "redis") {
            return Ok(Err(Error::InvalidAddress));
        }
        let connection = match Connection::open(&worker.redis, &address).await {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(error)),
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
    ) -> Answer<()> {
        let connection = connection(accessor, &handle)?;
        Ok(connection
            .query(cmd("PUBLISH").arg(channel).arg(payload), "PUBLISH")
            .await
            .map_err(other))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
    ) -> Answer<Option<Payload>> {
        let connection = connection(accessor, &handle)?;
        Ok(
            match connection
                .query::<Option<Vec<u8>>>(cmd("GET").arg(key), "GET")
                .await
            {
                Ok(Some(value)) if value.len() > MAX_ANSWER_BYTES => Err(too_large()),
                Ok(value) => Ok(value),
                Err(error) => Err(other(error)),
            },
        )
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        value: Payload,
    ) -> Answer<()> {
        let connection = connection(accessor, &handle)?;
        Ok(connection
            .query(cmd("SET").arg(key).arg(value), "SET")
            .await
            .map_err(other))
    }

    async fn incr(accessor: &Accessor<T, Self>, handle: Resource<Connection>, key: String) -> Answer<i64> {
        let connection = connection(accessor, &handle)?;
        Ok(connection
            .query(cmd("INCRBY").arg(key).arg(1), "INCRBY")
            .await
            .map_err(other))
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        keys: Vec<String>,
    ) -> Answer<u32> {
        let connection = connection(accessor, &handle)?;
        Ok(connection.query(cmd("DEL").arg(keys), "DEL").await.map_err(other))
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let connection = connection(accessor, &handle)?;
        let result = connection.query(cmd("SADD").arg(key).arg(values), "SADD").await;
        Ok(result.map_err(|error| match error.kind() {
            redis::ErrorKind::UnexpectedReturnType => Error::TypeError,
            _ => other(error),
        }))
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
    ) -> Answer<Vec<String>> {
        let connection = connection(accessor, &handle)?;
        Ok(connection
            .query(cmd("SMEMBERS").arg(key), "SMEMBERS")
            .await
            .map_err(other))
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32> {
        let connection = connection(accessor, &handle)?;
        Ok(connection
            .query(cmd("SREM").arg(key).arg(values), "SREM")
            .await
            .map_err(other))
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
        let connection = connection(accessor, &handle)?;
        Ok(
            match connection
                .query::<Flat>(&command_with(&command, arguments), &command)
                .await
            {
                Ok(Flat(flat)) if fits(&flat) => Ok(flat),
                Ok(_) => Err(too_large()),
                Err(error) => Err(other(error)),
            },
        )
    }
}

fn command_with(name: &str, arguments: Vec<RedisParameter>) -> Cmd {
    let mut command = cmd(name);
    for argument in arguments {
        match argument {
            RedisParameter::Int64(number) => command.arg(number),
            RedisParameter::Binary(bytes) => command.arg(bytes),
        };
    }
    command
}
