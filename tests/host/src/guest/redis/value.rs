//! Converts a reply of Redis to the flat list that a guest gets.

use redis::{FromRedisValue, ParsingError, Value};

use super::super::check_size;
use crate::bindings::spin::redis::redis::RedisResult;

/// A reply without its structure: nested arrays are joined, empty arrays disappear, and floating-point
/// numbers become text.
pub(super) struct Flat(pub(super) Vec<RedisResult>);

impl FromRedisValue for Flat {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut flat = Vec::new();
        append(&mut flat, value)?;
        Ok(Self(flat))
    }
}

fn append(flat: &mut Vec<RedisResult>, value: Value) -> Result<(), ParsingError> {
    match value {
        Value::Nil => flat.push(RedisResult::Nil),
        Value::Int(number) => flat.push(RedisResult::Int64(number)),
        Value::BulkString(bytes) => flat.push(RedisResult::Binary(bytes)),
        Value::SimpleString(text) => flat.push(RedisResult::Status(text)),
        Value::Okay => flat.push(RedisResult::Status("OK".to_owned())),
        Value::Double(number) => flat.push(RedisResult::Binary(number.to_string().into_bytes())),
        Value::Boolean(truth) => flat.push(RedisResult::Int64(i64::from(truth))),
        Value::BigNumber(number) => flat.push(RedisResult::Binary(number)),
        Value::Array(items) | Value::Set(items) => {
            for item in items {
                append(flat, item)?;
            }
        }
        Value::Map(_) => return unsupported("Redis Map type is not supported"),
        Value::Attribute { .. } => return unsupported("Redis Attribute type is not supported"),
        Value::VerbatimString { .. } => {
            return unsupported("Redis string with format attribute is not supported");
        }
        Value::Push { .. } => return unsupported("Redis Pub/Sub types are not supported"),
        Value::ServerError(error) => return Err(ParsingError::from(format!("Server error: {error:?}"))),
        _ => return unsupported("unknown Redis type"),
    }
    Ok(())
}

fn unsupported(reason: &'static str) -> Result<(), ParsingError> {
    Err(ParsingError::from(reason))
}

/// Checks that a reply is within the limit on what the host buffers for a guest.
pub(super) fn check_flat_size(flat: &[RedisResult]) -> Result<(), String> {
    let content = |item: &RedisResult| match item {
        RedisResult::Nil | RedisResult::Int64(_) => 0,
        RedisResult::Binary(bytes) => bytes.len(),
        RedisResult::Status(text) => text.len(),
    };
    let sizes = flat.iter().map(|item| size_of::<RedisResult>() + content(item));
    check_size(sizes.sum())
}
