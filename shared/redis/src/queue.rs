//! The [`Queue`] port: a stream with a consumer group.

mod items;

use leaderboard_core::ports::{
    ClaimedItem, EarlyItems, EnqueueRefusal, FIRST_SHARD, FinishedItem, MAX_CLAIMED_BYTES, MAX_PAYLOAD_BYTES,
    MAX_QUEUED_BYTES, MAX_QUEUED_ITEMS, MAX_RESULT_BYTES, MAX_RESULTS_DELETED, NewQueueItem, PendingRequest,
    Queue, QueueLag, QueuedRequest, RESULT_KEPT_MS, RequestPage, ShardNumber,
};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use self::items::{name_item, name_on, read_appended_at, read_item, split_name, unpack_request};
use crate::connection::Connection;
use crate::library::run_on_shard;
use crate::placement::{Placement, read_misplaced};
use crate::reply_reader::corrupt;
use crate::script::ScriptCall;
use crate::scripts::{
    CLAIM_ITEMS, DELETE_REQUEST, ENQUEUE, FIND_EARLY_ITEMS, FIND_REQUESTS_ABOUT, FINISH_ITEMS, LIST_PENDING,
    MEASURE_QUEUE, RETRY_ITEMS,
};
use crate::shard::Shard;
use crate::{RedisStore, keys};

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
        let mut claimed = Claimed {
            limit,
            lease_ms,
            items: Vec::new(),
        };
        let (mut failure, mut has_answer) = (None, false);
        for (number, shard) in self.server.shards_in_turn() {
            match claimed.claim_from(number, shard).await {
                Ok(()) => has_answer = true,
                // A shard that fails stops no other. What the others gave is done first.
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(StoreError::Unavailable(_)) if has_answer => Ok(claimed.items),
            Some(error) if claimed.items.is_empty() => Err(error),
            _ => Ok(claimed.items),
        }
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
        let mut done = Ok(());
        for (number, shard) in self.server.shards() {
            let of_shard = items
                .iter()
                .filter_map(|item| Some((item, name_on(number, item)?)));
            let of_shard: Vec<_> = of_shard.collect();
            if of_shard.is_empty() {
                continue;
            }
            let mut call = ScriptCall::with_keys(keys::queue());
            call.add_text(&wait_ms);
            call.add_text(&lease_ms);
            for (item, name) in of_shard {
                call.add_text(name);
                call.add_text(&item.attempts);
            }
            // A shard that does not answer stops no other.
            let of_shard = RETRY_ITEMS.run_on(shard, &call).await;
            done = done.and(of_shard.map(drop));
        }
        done.map_err(StoreError::from)
    }

    async fn finish_items(
        &self,
        tenant: Option<&TenantId>,
        items: &[FinishedItem],
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let mut done = Ok(());
        for (number, shard) in self.server.shards() {
            // The requests of a tenant are on the shard of their items.
            let Some(call) = build_finish_call(number, tenant, items) else {
                continue;
            };
            let placement = tenant.filter(|_| self.server.is_sharded());
            let placement = placement.map(|tenant| Placement::on(tenant.as_str(), number));
            let mut finished = run_on_shard(shard, &FINISH_ITEMS, &call, placement.as_ref()).await;
            if finished
                .as_ref()
                .is_err_and(|error| read_misplaced(error).is_some())
                && let Some(call) = build_finish_call(number, None, items)
            {
                // A backend appended the item on a shard where its tenant does not live. Such an item is no request.
                finished = run_on_shard(shard, &FINISH_ITEMS, &call, None).await;
            }
            // A shard that does not answer stops no other.
            done = done.and(finished.map(drop));
        }
        done.map_err(StoreError::from)
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
        let (mut measured, mut failure) = (None, None);
        for (_, shard) in self.server.shards() {
            match measure_shard(shard).await {
                Ok(lag) => measured = Some(measured.map_or(lag, |others| add_lags(others, lag))),
                Err(error) => failure = Some(error),
            }
        }
        measured.ok_or_else(|| failure.unwrap_or_else(|| corrupt("queue")))
    }

    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        from: Option<&str>,
    ) -> Result<EarlyItems, StoreError> {
        let [stream, _] = keys::queue();
        let [in_step, in_all] = EARLY_ITEMS_AT_ONCE;
        // A backend can append a message of the tenant to the stream of any shard.
        let (number, after) = from.map_or((FIRST_SHARD, ""), split_name);
        let mut call = ScriptCall::with_keys([stream]);
        call.add_text(tenant);
        call.add_text(&until.as_unix_ms().max(0));
        call.add_text(after);
        call.add_text(&in_step);
        call.add_text(&in_all);
        call.add_text(&MAX_CLAIMED_BYTES);
        let mut reply = FIND_EARLY_ITEMS.run_on(self.server.shard(number)?, &call).await?;
        let is_found = reply.read_count()? == 1;
        let last = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        let is_end = reply.read_count()? == 1;
        let next = match number.saturating_add(1) {
            further if is_end && further <= self.server.count_shards() => name_item(further, String::new()),
            _ => name_item(number, last),
        };
        Ok(EarlyItems {
            is_found,
            is_complete: is_end && number >= self.server.count_shards(),
            next: Some(next).filter(|next| !next.is_empty()),
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

/// Items that one call claims, from one shard after another.
struct Claimed {
    limit: u32,
    lease_ms: u32,
    items: Vec<ClaimedItem>,
}

impl Claimed {
    /// Claims items of a shard, as far as the limits have room for them.
    async fn claim_from<C: Connection>(
        &mut self,
        number: ShardNumber,
        shard: &Shard<C>,
    ) -> Result<(), StoreError> {
        let count = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let limit = self.limit.saturating_sub(count);
        let bytes: usize = self.items.iter().map(|item| item.payload.len()).sum();
        let max_bytes = MAX_CLAIMED_BYTES.saturating_sub(bytes);
        if count > 0 && (limit == 0 || max_bytes == 0) {
            return Ok(());
        }
        let mut call = ScriptCall::with_keys(keys::queue());
        call.add_text(&limit);
        call.add_text(&self.lease_ms);
        call.add_text(&max_bytes);
        call.add_text(&MAX_PAYLOAD_BYTES);
        let mut reply = CLAIM_ITEMS.run_on(shard, &call).await?;
        while !reply.is_empty() {
            self.items.push(read_item(number, &mut reply)?);
        }
        Ok(())
    }
}

/// Builds the call that finishes the items of one shard; `None` if no item is there.
fn build_finish_call(
    number: ShardNumber,
    tenant: Option<&TenantId>,
    items: &[FinishedItem],
) -> Option<ScriptCall> {
    let [stream, _] = keys::queue();
    let mut call = ScriptCall::with_keys([stream]);
    if let Some(tenant) = tenant {
        call.add_keys(keys::queued_requests(tenant));
    }
    call.add_text(&RESULT_KEPT_MS);
    call.add_text(&MAX_RESULT_BYTES);
    call.add_text(&MAX_RESULTS_DELETED);
    let mut is_needed = false;
    for FinishedItem { item, result } in items {
        let Some(name) = name_on(number, item) else {
            continue;
        };
        let request = tenant.and(item.request.as_ref());
        call.add_text(name);
        call.add_text(request.map_or("", |(_, id)| id));
        call.add_text(&item.payload.len());
        call.add_bytes(result);
        is_needed = true;
    }
    is_needed.then_some(call)
}

async fn measure_shard<C: Connection>(shard: &Shard<C>) -> Result<QueueLag, StoreError> {
    let [stream, _] = keys::queue();
    let mut reply = MEASURE_QUEUE
        .run_on(shard, &ScriptCall::with_keys([stream]))
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

/// Returns how much is in two queues. The clock is that of the queue with the oldest item.
fn add_lags(one: QueueLag, other: QueueLag) -> QueueLag {
    let (older, newer) = match (one.oldest_at, other.oldest_at) {
        (None, Some(_)) => (other, one),
        (Some(of_one), Some(of_other)) if of_other < of_one => (other, one),
        _ => (one, other),
    };
    QueueLag {
        items: older.items.saturating_add(newer.items),
        ..older
    }
}

/// Starts a call of a script about a tenant's requests.
fn request_call(tenant: &TenantId) -> ScriptCall {
    let [stream, _] = keys::queue();
    let mut call = ScriptCall::with_keys([stream]);
    call.add_keys(keys::queued_requests(tenant));
    call
}
