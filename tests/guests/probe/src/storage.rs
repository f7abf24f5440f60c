//! Redis, key-value, SQLite and variables.

use std::cell::OnceCell;
use std::fmt::Debug;
use std::rc::Rc;

use spin_sdk::key_value::Store;
use spin_sdk::redis::{Connection, RedisParameter};
use spin_sdk::sqlite;

use crate::query::Query;

thread_local! {
    /// The connection of this instance to the address that `/bench/redis` was first called with.
    static REDIS: OnceCell<Rc<Connection>> = const { OnceCell::new() };
    /// The store of this instance.
    static STORE: OnceCell<Rc<Store>> = const { OnceCell::new() };
}

/// What a host interface says, or `None` when `path` names none.
pub(crate) async fn answer(path: &str, query: &Query) -> Option<String> {
    Some(match path {
        "/redis" => shown(redis(query).await),
        "/redis/get" => shown(redis_get(query).await),
        "/redis/twice" => shown(redis_twice(query).await),
        "/bench/redis" => shown(bench_redis(query).await),
        "/variable" => shown(spin_sdk::variables::get(query.text("name")).await),
        "/kv/open" => shown(Store::open(query.text("label")).await.map(|_| "open")),
        "/bench/kv" => shown(bench_kv(query).await),
        "/sqlite" => shown(sqlite(query).await),
        "/sqlite/open" => shown(
            sqlite::Connection::open(query.text("label"))
                .await
                .map(|_| "open"),
        ),
        _ => return key_value(path, query).await,
    })
}

fn shown<T: Debug, E: Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error: {error:?}"),
    }
}

/// One command on a connection of its own.
async fn redis(query: &Query) -> Result<impl Debug, impl Debug> {
    let connection = Connection::open(query.text("address")).await?;
    let arguments = query
        .all("argument")
        .map(|argument| RedisParameter::Binary(argument.as_bytes().to_vec()));
    connection.execute(query.text("command"), arguments).await
}

async fn redis_get(query: &Query) -> Result<impl Debug, impl Debug> {
    Connection::open(query.text("address"))
        .await?
        .get(query.text("key"))
        .await
}

/// Two commands on one connection, a pause between them, then one on a new connection.
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

/// One command on the instance's connection.
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

/// One read from the instance's store.
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
        "/kv/get" => shown(
            store
                .get(key)
                .await
                .map(|value| value.map(|v| String::from_utf8_lossy(&v).into_owned())),
        ),
        "/kv/set" => shown(store.set(key, query.text("value")).await),
        "/kv/delete" => shown(store.delete(key).await),
        "/kv/exists" => shown(store.exists(key).await),
        "/kv/keys" => {
            let mut keys = store.get_keys().await.collect().await;
            if let Ok(keys) = &mut keys {
                keys.sort();
            }
            shown(keys)
        }
        _ => return None,
    })
}

/// Statements one after the other on one connection: the columns and rows of the last one.
async fn sqlite(query: &Query) -> Result<impl Debug, sqlite::Error> {
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
