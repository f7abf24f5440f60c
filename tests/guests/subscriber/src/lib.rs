//! A test guest of the Redis trigger. It appends every payload to the list `received` in Redis, with two
//! exceptions: for the payload `fail` it returns an error, and for the payload `trap` it traps.

#![expect(unsafe_code, reason = "the macro of the SDK expands to unsafe code")]

use bytes::Bytes;
use spin_sdk::redis::{Connection, RedisParameter};
use spin_sdk::redis_subscriber;

/// The list of the handled payloads.
const LIST: &str = "received";

#[redis_subscriber]
async fn on_message(message: Bytes) -> anyhow::Result<()> {
    match &message[..] {
        b"fail" => anyhow::bail!("asked to fail"),
        b"trap" => std::process::abort(),
        _ => {}
    }
    println!("a message of {} bytes", message.len());
    let address = spin_sdk::variables::get("redis_address").await?;
    let redis = Connection::open(&address)
        .await
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let arguments = [
        RedisParameter::Binary(LIST.into()),
        RedisParameter::Binary(message.to_vec()),
    ];
    redis
        .execute("RPUSH", arguments)
        .await
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(())
}
