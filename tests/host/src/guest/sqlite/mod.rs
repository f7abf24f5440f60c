//! `spin:sqlite/sqlite@3.1.0`.

mod query;

use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::stream::Batches;
use super::{GuestState, Platform};
use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::sqlite::Connection;

use query::ResultHead;

/// The most connections that one instance may have open, as on Spin.
const MAX_CONNECTIONS: usize = 256;
/// How many batches of rows can wait for a guest that does not read.
const WAITING_BATCHES: usize = 2;

type HostResult<T> = wasmtime::Result<Result<T, Error>>;
/// The columns, the rows, and the result at the end.
type Streamed = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl GuestState {
    fn open_database(&mut self, label: &str) -> HostResult<Resource<Connection>> {
        if !self
            .component
            .sqlite_databases
            .iter()
            .any(|granted| granted == label)
        {
            return Ok(Err(Error::AccessDenied));
        }
        if self.sqlite_connections >= MAX_CONNECTIONS {
            return Ok(Err(Error::Io("too many connections opened".to_owned())));
        }
        self.sqlite_connections += 1;
        let connection = Connection::new(self.services.host.sqlite_path.clone());
        Ok(Ok(self.table.push(connection)?))
    }
}

impl Host for GuestState {}

impl HostConnection for GuestState {
    async fn open(&mut self, database: String) -> HostResult<Resource<Connection>> {
        self.open_database(&database)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> HostResult<QueryResult> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection
            .run_statement(statement, move |open, statement| {
                query::collect(open, statement, parameters)
            })
            .await
            .map_err(Error::Io))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        let connection = self.table.get(&connection)?.clone();
        read_state(&connection, rusqlite::Connection::last_insert_rowid).await
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = self.table.get(&connection)?.clone();
        read_state(&connection, rusqlite::Connection::changes).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.sqlite_connections = self.sqlite_connections.saturating_sub(1);
        Ok(())
    }
}

/// Returns the connection of a guest's handle.
fn find_connection<T: Send>(
    accessor: &Accessor<T, Platform>,
    handle: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(handle)?.clone()))
}

impl<T: Send> HostConnectionWithStore<T> for Platform {
    async fn open_async(accessor: &Accessor<T, Self>, database: String) -> HostResult<Resource<Connection>> {
        accessor.with(|mut access| access.get().open_database(&database))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> HostResult<Streamed> {
        let connection = find_connection(accessor, &handle)?;
        let (head_sender, head) = oneshot::channel();
        let (done, result) = oneshot::channel();
        let (rest, waiting) = mpsc::channel(WAITING_BATCHES);
        tokio::task::spawn_blocking(move || {
            let send_head = |head| _ = head_sender.send(head);
            let run =
                |open: &rusqlite::Connection| query::stream(open, &statement, parameters, send_head, &rest);
            _ = done.send(connection.run_blocking(run).map_err(Error::Io));
        });
        // A statement that fails at once has no columns and no rows. As on Spin, its error is the result at
        // the end.
        let head = head.await.unwrap_or(ResultHead {
            columns: Vec::new(),
            rows: Vec::new(),
            complete: true,
        });
        accessor.with(|mut access| {
            let rows = match head.complete {
                true => StreamReader::new(&mut access, head.rows)?,
                false => StreamReader::new(&mut access, Batches::after(head.rows, waiting))?,
            };
            Ok(Ok((head.columns, rows, FutureReader::new(&mut access, result)?)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = find_connection(accessor, &handle)?;
        read_state(&connection, rusqlite::Connection::last_insert_rowid).await
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = find_connection(accessor, &handle)?;
        read_state(&connection, rusqlite::Connection::changes).await
    }
}

/// Returns a number that SQLite keeps for a connection.
async fn read_state<N: Send + 'static>(
    connection: &Connection,
    read: fn(&rusqlite::Connection) -> N,
) -> wasmtime::Result<N> {
    let result = connection.run(move |open| Ok(read(open))).await;
    result.map_err(wasmtime::Error::msg)
}
