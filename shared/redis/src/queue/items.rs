//! The names of items with their shards, and what the scripts of the queue return.

use leaderboard_core::ports::{ClaimedItem, FIRST_SHARD, QueuedRequest, ShardNumber};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};

/// The length of the digest at the beginning of a record.
const DIGEST_BYTES: usize = 16;
/// What is between the number of a further shard and the id of an item in its stream.
const SHARD_END: char = '/';

/// Returns the name of an item with its shard: on the first shard the id in the stream alone, as with one server.
pub(super) fn name_item(number: ShardNumber, id: String) -> Box<str> {
    if number == FIRST_SHARD {
        id.into_boxed_str()
    } else {
        format!("{number}{SHARD_END}{id}").into_boxed_str()
    }
}

/// Returns the shard and the id in the stream of an item's name.
pub(super) fn split_name(name: &str) -> (ShardNumber, &str) {
    let further = name.split_once(SHARD_END);
    let further = further.and_then(|(number, id)| Some((number.parse().ok()?, id)));
    further.unwrap_or((FIRST_SHARD, name))
}

/// Returns the id in the stream, if the item is on this shard.
pub(super) fn name_on(number: ShardNumber, item: &ClaimedItem) -> Option<&str> {
    let (of_shard, id) = split_name(&item.name);
    (of_shard == number).then_some(id)
}

/// Returns when an item was appended: its id in the stream begins with the milliseconds.
pub(super) fn read_appended_at(name: &str) -> Result<Timestamp, StoreError> {
    let (appended_ms, _) = name.split_once('-').ok_or_else(|| corrupt("id of an item"))?;
    let appended_ms = i64::try_from(parse_decimal(appended_ms.as_bytes())?).unwrap_or(i64::MAX);
    Ok(Timestamp::saturating_from_unix_ms(appended_ms))
}

/// Reads an item. A backend can append fields that
/// Edgeboard does not write; such an item has no request.
pub(super) fn read_item(number: ShardNumber, reply: &mut ReplyReader) -> Result<ClaimedItem, StoreError> {
    let name = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
    let attempts = u32::try_from(reply.read_number()?).unwrap_or(u32::MAX);
    let tenant = String::from_utf8(reply.read_bytes()?).ok();
    let id = String::from_utf8(reply.read_bytes()?).ok();
    let tenant = tenant.and_then(|tenant| TenantId::new(tenant).ok());
    let request = tenant.zip(id.map(String::into_boxed_str));
    Ok(ClaimedItem {
        enqueued_at: read_appended_at(&name)?,
        name: name_item(number, name),
        request,
        attempts,
        payload: reply.read_bytes()?,
    })
}

/// Reads a record of `queue.lua`; `None` if it is damaged.
pub(super) fn unpack_request(record: &[u8]) -> Option<QueuedRequest> {
    let (_, rest) = record.split_at_checked(DIGEST_BYTES)?;
    let (&[done, length], rest) = rest.split_first_chunk()?;
    let (player, result) = rest.split_at_checked(usize::from(length))?;
    let player = match player {
        [] => None,
        name => Some(PlayerId::new(std::str::from_utf8(name).ok()?).ok()?),
    };
    Some(QueuedRequest {
        player,
        result: (done == b'1').then(|| result.to_vec()),
    })
}
