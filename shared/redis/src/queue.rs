//! The [`Queue`] port: a stream with a consumer group.

use leaderboard_core::ports::{
    ClaimedItem, EarlyItems, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_PAYLOAD_BYTES,
    MAX_QUEUED_BYTES, MAX_QUEUED_ITEMS, MAX_RESULT_BYTES, MAX_RESULTS_DELETED, NewQueueItem, PendingRequest,
    Queue, QueueLag, QueuedRequest, RESULT_KEPT_MS, RequestPage,
};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::Connection;
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{
    CLAIM_ITEMS, DELETE_REQUEST, ENQUEUE, FIND_EARLY_ITEMS, FIND_REQUESTS_ABOUT, FINISH_ITEMS, LIST_PENDING,
    MEASURE_QUEUE, RETRY_ITEMS,
};
use crate::{RedisStore, keys};

/// The length of the digest at the beginning of a record.
const DIGEST_BYTES: usize = 16;
/// About how many requests one command looks at.
const REQUESTS_AT_ONCE: u32 = 100;
/// How many items one search for early items reads in a step, and altogether.
const EARLY_ITEMS_AT_ONCE: [u32; 2] = [100, 2_000];

impl<C: Connection> Queue for RedisStore<C> {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        item: &NewQueueItem<'_>,
    ) -> Result<Result<(), EnqueueRefusal>, StoreError> {
        let [stream, _] = keys::queue();
        let mut call = ScriptCall::with_keys([stream]);
        call.add_keys(keys::queued_requests(tenant));
        call.add_text(tenant);
        call.add_text(item.id);
        call.add_bytes(item.digest);
        call.add_text(item.player.map_or("", PlayerId::as_str));
        call.add_bytes(item.payload);
        for limit in [MAX_QUEUED_ITEMS, MAX_QUEUED_BYTES, MAX_RESULT_BYTES] {
            call.add_text(&limit);
        }
        call.add_text(&MAX_RESULTS_DELETED);
        let answer = ENQUEUE.run(&self.server, &call).await?.read_bytes()?;
        match answer.as_slice() {
            b"appended" | b"known" => Ok(Ok(())),
            b"conflict" => Ok(Err(EnqueueRefusal::IdConflict)),
            b"full" => Ok(Err(EnqueueRefusal::QueueFull)),
            _ => Err(corrupt("answer of the queue")),
        }
    }

    async fn claim_items(&self, limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError> {
        let mut call = ScriptCall::with_keys(keys::queue());
        call.add_text(&limit);
        call.add_text(&lease_ms);
        call.add_text(&MAX_CLAIMED_BYTES);
        call.add_text(&MAX_PAYLOAD_BYTES);
        let mut reply = CLAIM_ITEMS.run(&self.server, &call).await?;
        let mut claimed = Vec::new();
        while !reply.is_empty() {
            claimed.push(read_item(&mut reply)?);
        }
        Ok(claimed)
    }

    async fn retry_items(
        &self,
        items: &[ClaimedItem],
        wait_ms: u32,
        lease_ms: u32,
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let mut call = ScriptCall::with_keys(keys::queue());
        call.add_text(&wait_ms);
        call.add_text(&lease_ms);
        for item in items {
            call.add_text(&item.name);
            call.add_text(&item.attempts);
        }
        RETRY_ITEMS.run(&self.server, &call).await?;
        Ok(())
    }

    async fn finish_items(
        &self,
        tenant: Option<&TenantId>,
        items: &[FinishedItem],
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let [stream, _] = keys::queue();
        let mut call = ScriptCall::with_keys([stream]);
        if let Some(tenant) = tenant {
            call.add_keys(keys::queued_requests(tenant));
        }
        call.add_text(&RESULT_KEPT_MS);
        call.add_text(&MAX_RESULT_BYTES);
        call.add_text(&MAX_RESULTS_DELETED);
        for FinishedItem { item, result } in items {
            let request = tenant.and(item.request.as_ref());
            call.add_text(&item.name);
            call.add_text(request.map_or("", |(_, id)| id));
            call.add_text(&item.payload.len());
            call.add_bytes(result);
        }
        FINISH_ITEMS.run(&self.server, &call).await?;
        Ok(())
    }

    async fn find_request(&self, tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError> {
        let [requests, ..] = keys::queued_requests(tenant);
        let mut reply = self
            .server
            .send_command("HGET", &[&requests, id.as_bytes()])
            .await?;
        let Some(record) = reply.read_optional_bytes()? else {
            return Ok(None);
        };
        unpack_request(&record)
            .map(Some)
            .ok_or_else(|| corrupt("queued request"))
    }

    async fn list_pending(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        limit: u32,
    ) -> Result<Vec<PendingRequest>, StoreError> {
        let mut call = request_call(tenant);
        call.add_bytes(player.as_bytes());
        call.add_text(&limit);
        call.add_text(&MAX_CLAIMED_BYTES);
        let mut reply = LIST_PENDING.run(&self.server, &call).await?;
        let mut pending = Vec::with_capacity(reply.remaining() / 3);
        while !reply.is_empty() {
            let id = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            let name = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            pending.push(PendingRequest {
                id: id.into_boxed_str(),
                enqueued_at: read_appended_at(&name)?,
                payload: reply.read_bytes()?,
            });
        }
        Ok(pending)
    }

    async fn measure_queue(&self) -> Result<QueueLag, StoreError> {
        let [stream, _] = keys::queue();
        let mut reply = MEASURE_QUEUE
            .run(&self.server, &ScriptCall::with_keys([stream]))
            .await?;
        let items = reply.read_count()?;
        let oldest = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        let now_ms = i64::try_from(reply.read_number()?).unwrap_or(i64::MAX);
        Ok(QueueLag {
            items,
            oldest_at: Some(oldest)
                .filter(|id| !id.is_empty())
                .map(|id| read_appended_at(&id))
                .transpose()?,
            now: Some(Timestamp::saturating_from_unix_ms(now_ms)),
        })
    }

    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        from: Option<&str>,
    ) -> Result<EarlyItems, StoreError> {
        let [stream, _] = keys::queue();
        let [in_step, in_all] = EARLY_ITEMS_AT_ONCE;
        let mut call = ScriptCall::with_keys([stream]);
        call.add_text(tenant);
        call.add_text(&until.as_unix_ms().max(0));
        call.add_text(from.unwrap_or_default());
        call.add_text(&in_step);
        call.add_text(&in_all);
        call.add_text(&MAX_CLAIMED_BYTES);
        let mut reply = FIND_EARLY_ITEMS.run(&self.server, &call).await?;
        let is_found = reply.read_count()? == 1;
        let next = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        Ok(EarlyItems {
            is_found,
            next: Some(next.into_boxed_str()).filter(|next| !next.is_empty()),
            is_complete: reply.read_count()? == 1,
        })
    }

    async fn find_requests_about(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        from: Option<&str>,
    ) -> Result<RequestPage, StoreError> {
        let mut call = request_call(tenant);
        call.add_text(from.unwrap_or("0"));
        call.add_text(&REQUESTS_AT_ONCE);
        call.add_bytes(player.as_bytes());
        let mut reply = FIND_REQUESTS_ABOUT.run(&self.server, &call).await?;
        let next = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        let mut requests = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let id = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            let request = unpack_request(&reply.read_bytes()?).ok_or_else(|| corrupt("queued request"))?;
            requests.push((id.into_boxed_str(), request));
        }
        Ok(RequestPage {
            requests,
            next: Some(next.into_boxed_str()).filter(|next| &**next != "0"),
        })
    }

    async fn delete_request(&self, tenant: &TenantId, id: &str) -> Result<(), StoreError> {
        let mut call = request_call(tenant);
        call.add_text(id);
        DELETE_REQUEST.run(&self.server, &call).await?;
        Ok(())
    }
}

/// Starts a call of a script about a tenant's requests.
fn request_call(tenant: &TenantId) -> ScriptCall {
    let [stream, _] = keys::queue();
    let mut call = ScriptCall::with_keys([stream]);
    call.add_keys(keys::queued_requests(tenant));
    call
}

/// Returns when an item was appended: its id in the stream begins with the milliseconds.
fn read_appended_at(name: &str) -> Result<Timestamp, StoreError> {
    let (appended_ms, _) = name.split_once('-').ok_or_else(|| corrupt("id of an item"))?;
    let appended_ms = i64::try_from(parse_decimal(appended_ms.as_bytes())?).unwrap_or(i64::MAX);
    Ok(Timestamp::saturating_from_unix_ms(appended_ms))
}

/// Reads an item. A backend can append fields that
/// Edgeboard does not write; such an item has no request.
fn read_item(reply: &mut ReplyReader) -> Result<ClaimedItem, StoreError> {
    let name = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
    let attempts = u32::try_from(reply.read_number()?).unwrap_or(u32::MAX);
    let tenant = String::from_utf8(reply.read_bytes()?).ok();
    let id = String::from_utf8(reply.read_bytes()?).ok();
    let tenant = tenant.and_then(|tenant| TenantId::new(tenant).ok());
    let request = tenant.zip(id.map(String::into_boxed_str));
    Ok(ClaimedItem {
        enqueued_at: read_appended_at(&name)?,
        name: name.into_boxed_str(),
        request,
        attempts,
        payload: reply.read_bytes()?,
    })
}

/// Reads a record of `queue.lua`; `None` if it is damaged.
fn unpack_request(record: &[u8]) -> Option<QueuedRequest> {
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
