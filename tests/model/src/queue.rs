//! The port of the queue.

use std::collections::BTreeMap;

use leaderboard_core::ports::{
    ClaimedItem, EarlyItems, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_QUEUED_BYTES,
    MAX_QUEUED_ITEMS, MAX_RESULT_BYTES, NewQueueItem, PendingRequest, Queue, QueueLag, QueuedRequest,
    RESULT_KEPT_MS, RequestPage,
};
use leaderboard_core::{Fingerprint, PlayerId, StoreError, TenantId, Timestamp};

use crate::Model;

/// The queue of all tenants.
#[derive(Debug, Default)]
pub(crate) struct ItemQueue {
    last_name: u64,
    /// The items in the order in which they came.
    items: Vec<WaitingItem>,
    requests: BTreeMap<(TenantId, Box<str>), KnownRequest>,
}

#[derive(Debug)]
struct WaitingItem {
    item: ClaimedItem,
    due_at_ms: i64,
}

#[derive(Debug)]
struct KnownRequest {
    digest: Fingerprint,
    request: QueuedRequest,
    /// When the result expires; `None` while the request is in the queue.
    ends_at_ms: Option<i64>,
}

impl ItemQueue {
    fn trim_results(&mut self, tenant: &TenantId, now_ms: i64) {
        self.requests
            .retain(|_, known| known.ends_at_ms.is_none_or(|end| end > now_ms));
        loop {
            let own = self.requests.iter().filter(|((of, _), _)| of == tenant);
            let results = own.filter_map(|(name, known)| Some((name, known.request.result.as_ref()?, known)));
            let bytes: u64 = results.clone().map(|(_, result, _)| result.len() as u64).sum();
            let oldest = results.min_by_key(|(_, _, known)| known.ends_at_ms);
            let Some(name) = oldest
                .filter(|_| bytes > MAX_RESULT_BYTES)
                .map(|(name, ..)| name.clone())
            else {
                return;
            };
            self.requests.remove(&name);
        }
    }
}

impl Model {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.edge.borrow().clock_us / 1000).unwrap_or(i64::MAX)
    }
}

impl Queue for Model {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        item: &NewQueueItem<'_>,
    ) -> Result<Result<(), EnqueueRefusal>, StoreError> {
        let now_ms = self.now_ms();
        let mut queue = self.queue.borrow_mut();
        queue.trim_results(tenant, now_ms);
        let name = (tenant.clone(), Box::from(item.id));
        if let Some(known) = queue.requests.get(&name) {
            return Ok(if known.digest == item.digest {
                Ok(())
            } else {
                Err(EnqueueRefusal::IdConflict)
            });
        }
        let is_own =
            |waiting: &&WaitingItem| waiting.item.request.as_ref().is_some_and(|(of, _)| of == tenant);
        let own = queue.items.iter().filter(is_own);
        let bytes: u64 = own.clone().map(|waiting| waiting.item.payload.len() as u64).sum();
        if own.count() as u64 >= MAX_QUEUED_ITEMS || bytes + item.payload.len() as u64 > MAX_QUEUED_BYTES {
            return Ok(Err(EnqueueRefusal::QueueFull));
        }
        queue.last_name += 1;
        let claimed = ClaimedItem {
            name: queue.last_name.to_string().into(),
            request: Some(name.clone()),
            enqueued_at: Timestamp::saturating_from_unix_ms(now_ms),
            attempts: 0,
            payload: item.payload.to_vec(),
        };
        queue.items.push(WaitingItem {
            item: claimed,
            due_at_ms: now_ms,
        });
        let known = KnownRequest {
            digest: item.digest,
            request: QueuedRequest {
                player: item.player.cloned(),
                result: None,
            },
            ends_at_ms: None,
        };
        queue.requests.insert(name, known);
        Ok(Ok(()))
    }

    async fn claim_items(&self, limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError> {
        let now_ms = self.now_ms();
        let mut queue = self.queue.borrow_mut();
        let mut bytes = 0;
        let mut claimed = Vec::new();
        for waiting in queue
            .items
            .iter_mut()
            .filter(|waiting| waiting.due_at_ms <= now_ms)
        {
            if claimed.len() as u64 >= u64::from(limit) || bytes >= MAX_CLAIMED_BYTES {
                break;
            }
            waiting.due_at_ms = now_ms + i64::from(lease_ms);
            waiting.item.attempts += 1;
            bytes += waiting.item.payload.len();
            claimed.push(waiting.item.clone());
        }
        Ok(claimed)
    }

    async fn retry_items(
        &self,
        items: &[ClaimedItem],
        wait_ms: u32,
        _lease_ms: u32,
    ) -> Result<(), StoreError> {
        let due_at_ms = self.now_ms() + i64::from(wait_ms);
        for waiting in &mut self.queue.borrow_mut().items {
            if let Some(item) = items.iter().find(|item| item.name == waiting.item.name) {
                waiting.due_at_ms = due_at_ms;
                waiting.item.attempts = item.attempts;
            }
        }
        Ok(())
    }

    async fn finish_items(
        &self,
        tenant: Option<&TenantId>,
        items: &[FinishedItem],
    ) -> Result<(), StoreError> {
        let now_ms = self.now_ms();
        let mut queue = self.queue.borrow_mut();
        for FinishedItem { item, result } in items {
            let before = queue.items.len();
            queue.items.retain(|waiting| waiting.item.name != item.name);
            if let Some(name) = item.request.as_ref().filter(|_| queue.items.len() < before)
                && let Some(known) = queue.requests.get_mut(name)
            {
                known.request.result = Some(result.clone());
                known.ends_at_ms = Some(now_ms + RESULT_KEPT_MS);
            }
        }
        if let Some(tenant) = tenant {
            queue.trim_results(tenant, now_ms);
        }
        Ok(())
    }

    async fn find_request(&self, tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError> {
        let queue = self.queue.borrow();
        let known = queue.requests.get(&(tenant.clone(), Box::from(id)));
        Ok(known.map(|known| known.request.clone()))
    }

    async fn list_pending(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        limit: u32,
    ) -> Result<Vec<PendingRequest>, StoreError> {
        let queue = self.queue.borrow();
        let is_own = |waiting: &&WaitingItem| {
            let Some(name) = &waiting.item.request else {
                return false;
            };
            let sender = queue
                .requests
                .get(name)
                .and_then(|known| known.request.player.as_ref());
            name.0 == *tenant && sender == Some(player)
        };
        let own = queue.items.iter().filter(is_own).take(limit as usize);
        let (mut pending, mut bytes) = (Vec::new(), 0);
        for waiting in own {
            if bytes >= MAX_CLAIMED_BYTES {
                break;
            }
            bytes += waiting.item.payload.len();
            pending.push(PendingRequest {
                id: waiting
                    .item
                    .request
                    .as_ref()
                    .map(|(_, id)| id.clone())
                    .unwrap_or_default(),
                enqueued_at: waiting.item.enqueued_at,
                payload: waiting.item.payload.clone(),
            });
        }
        Ok(pending)
    }

    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        _from: Option<&str>,
    ) -> Result<EarlyItems, StoreError> {
        let queue = self.queue.borrow();
        let is_own = |item: &ClaimedItem| item.request.as_ref().is_none_or(|(of, _)| of == tenant);
        let mut items = queue.items.iter().map(|waiting| &waiting.item);
        let is_found = items.any(|item| item.enqueued_at <= until && is_own(item));
        Ok(EarlyItems {
            is_found,
            next: None,
            is_complete: !is_found,
        })
    }

    async fn measure_queue(&self) -> Result<QueueLag, StoreError> {
        let queue = self.queue.borrow();
        Ok(QueueLag {
            items: queue.items.len() as u64,
            oldest_at: queue.items.first().map(|waiting| waiting.item.enqueued_at),
            now: Some(Timestamp::saturating_from_unix_ms(self.now_ms())),
        })
    }

    async fn find_requests_about(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        _from: Option<&str>,
    ) -> Result<RequestPage, StoreError> {
        let name = player.as_bytes();
        let names_player = |request: &QueuedRequest| {
            let result = request.result.as_deref().unwrap_or_default();
            request.player.as_ref() == Some(player) || result.windows(name.len()).any(|part| part == name)
        };
        let queue = self.queue.borrow();
        let own = queue.requests.iter().filter(|((of, _), _)| of == tenant);
        let found = own.filter(|(_, known)| names_player(&known.request));
        Ok(RequestPage {
            requests: found
                .map(|((_, id), known)| (id.clone(), known.request.clone()))
                .collect(),
            next: None,
        })
    }

    async fn delete_request(&self, tenant: &TenantId, id: &str) -> Result<(), StoreError> {
        let mut queue = self.queue.borrow_mut();
        let name = (tenant.clone(), Box::from(id));
        if queue
            .requests
            .get(&name)
            .is_some_and(|known| known.request.result.is_some())
        {
            queue.requests.remove(&name);
        }
        Ok(())
    }
}
