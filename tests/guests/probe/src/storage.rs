//! Requests that call the host interfaces of Redis, key-value stores, SQLite and variables.

use std::cell::OnceCell;
use std::fmt::Debug;
use std::rc::Rc;

use spin_sdk::key_value::Store;
use spin_sdk::redis::{Connection, RedisParameter};
use spin_sdk::sqlite;

use crate::query::Query;

thread_local! {
    /// The connection of this instance, to the address in the first request of `/bench/redis`.
    static REDIS: OnceCell<Rc<Connection>> = const { OnceCell::new() };
    /// The store of this instance.
    static STORE: OnceCell<Rc<Store>> = const { OnceCell::new() };
}

/// Calls the host interface that `path` names, and returns the result as text. Returns `None` if `path` names
/// no host interface.
pub(crate) async fn answer(path: &str, query: &Query) -> Option<String> {
    Some(match path {
        "/redis" => format_result(run_redis(query).await),
        "/redis/get" => format_result(redis_get(query).await),
        "/redis/twice" => format_result(redis_twice(query).await),
        "/bench/redis" => format_result(bench_redis(query).await),
        "/variable" => format_result(spin_sdk::variables::get(query.text("name")).await),
        "/kv/open" => format_result(Store::open(query.text("label")).await.map(|_| "open")),
        "/bench/kv" => format_result(bench_kv(query).await),
        "/sqlite" => format_result(run_sqlite(query).await),
        "/sqlite/open" => format_result(
            sqlite::Connection::open(query.text("label"))
                .await
                .map(|_| "open"),
        ),
        _ => return key_value(path, query).await,
    })
}

fn format_result<T: Debug, E: Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error: {error:?}"),
    }
}

/// Runs one command on a new connection.
async fn run_redis(query: &Query) -> Result<impl Debug, impl Debug> {
    let connection = Connection::open(query.text("address")).await?;
    let arguments = query
        .all("argument")
        .map(|argument| RedisParameter::Binary(argument.as_bytes().to_vec()));
    connection.execute(query.text("command"), arguments).await
}

/// Reads a key with the `get` function of the interface.
async fn redis_get(query: &Query) -> Result<impl Debug, impl Debug> {
    Connection::open(query.text("address"))
        .await?
        .get(query.text("key"))
        .await
}

/// Runs two commands on one connection, with a pause between them, and then one command on a new connection.
/// Returns the three results.
async fn redis_twice(query: &Query) -> Result<impl Debug, spin_sdk::redis::Error> {
    let address = query.text("address");
    let connection = Connection::open(address).await?;
    let first = connection.execute(query.text("command"), arguments(query)).await;
    crate::machine::sleep(query.number("ms")).await;
    let second = connection.execute(query.text("then"), []).await;
    let third = match Connection::open(address).await {
        Ok(connection) => connection.execute(query.text("then"), []).await,
        Err(error) => Err(error),
    };
    Ok((first, second, third))
}

fn arguments(query: &Query) -> impl Iterator<Item = RedisParameter> {
    query
        .all("argument")
        .map(|argument| RedisParameter::Binary(argument.as_bytes().to_vec()))
}

/// Runs one command on the connection of this instance.
async fn bench_redis(query: &Query) -> Result<impl Debug, spin_sdk::redis::Error> {
    let connection = match REDIS.with(|cell| cell.get().cloned()) {
        Some(connection) => connection,
        None => {
            let connection = Rc::new(Connection::open(query.text("address")).await?);
            REDIS.with(|cell| cell.get_or_init(|| connection).clone())
        }
    };
    connection.get("bench").await
}

/// Reads a key from the store of this instance.
async fn bench_kv(_query: &Query) -> Result<impl Debug, spin_sdk::key_value::Error> {
    let store = match STORE.with(|cell| cell.get().cloned()) {
        Some(store) => store,
        None => {
            let store = Rc::new(Store::open_default().await?);
            STORE.with(|cell| cell.get_or_init(|| store).clone())
        }
    };
    store.get("bench").await
}

/// Runs the key-value operation that `path` names on the default store.
async fn key_value(path: &str, query: &Query) -> Option<String> {
    if !path.starts_with("/kv/") {
        return None;
    }
    let store = match Store::open_default().await {
        Ok(store) => store,
        Err(error) => return Some(format!("error: {error:?}")),
    };
    let key = query.text("key");
    Some(match path {
        "/kv/get" => format_result(
            store
                .get(key)
                .await
                .map(|value| value.map(|v| String::from_utf8_lossy(&v).into_owned())),
        ),
        "/kv/set" => format_result(store.set(key, query.text("value")).await),
        "/kv/delete" => format_result(store.delete(key).await),
        "/kv/exists" => format_result(store.exists(key).await),
        "/kv/keys" => {
            let mut keys = store.get_keys().await.collect().await;
            if let Ok(keys) = &mut keys {
                keys.sort();
            }
            format_result(keys)
        }
        _ => return None,
    })
}

/// Runs statements one after the other on one connection. Returns the columns and rows of the last statement,
/// the number of changes, and the id of the last inserted row.
async fn run_sqlite(query: &Query) -> Result<impl Debug, sqlite::Error> {
    let connection = sqlite::Connection::open_default().await?;
    let mut last = (Vec::new(), Vec::new());
    for statement in query.all("sql") {
        let parameters = query
            .all("text")
            .map(|text| sqlite::Value::Text(text.to_owned()))
            .collect::<Vec<_>>();
        let parameters = if statement.contains('?') {
            parameters
        } else {
            Vec::new()
        };
        let result = connection.execute(statement, parameters).await?;
        let columns = result.columns().to_vec();
        let rows = result.collect().await?;
        last = (
            columns,
            rows.into_iter().map(|row| row.values).collect::<Vec<_>>(),
        );
    }
    Ok((
        last,
        connection.changes().await,
        connection.last_insert_rowid().await,
    ))
}
