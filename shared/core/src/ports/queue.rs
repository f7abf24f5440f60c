//! The durable queue: submissions that were accepted and are applied later.

use super::IDEMPOTENCY_MS;
use crate::{Fingerprint, PlayerId, StoreError, TenantId, Timestamp};

/// The most items of one tenant in the queue. Messages that backends append to the store themselves are not counted.
pub const MAX_QUEUED_ITEMS: u64 = 10_000;
/// The most bytes that the payloads of a tenant's items have together: 64 MiB.
pub const MAX_QUEUED_BYTES: u64 = 64 << 20;
/// The longest id of a queued request, in bytes of lower-case letters, digits and hyphens.
pub const MAX_QUEUED_ID_BYTES: usize = 64;
/// How long the result of a queued request is kept, in milliseconds: as long as the ids of its submissions.
pub const RESULT_KEPT_MS: i64 = IDEMPOTENCY_MS;
/// The most bytes that the kept results of a tenant have together: 64 MiB. The oldest results are deleted first.
pub const MAX_RESULT_BYTES: u64 = 64 << 20;
/// The most expired or surplus results that one call deletes.
pub const MAX_RESULTS_DELETED: u32 = 64;
/// A claim takes no further items after their payloads have this many bytes together: 256 KiB, about 3,000 submissions.
pub const MAX_CLAIMED_BYTES: usize = 256 << 10;
/// The most bytes of a claimed payload: one more than any payload that is read. A longer payload, which a backend can append, is
/// cut.
pub const MAX_PAYLOAD_BYTES: usize = (4 << 20) + 1;

/// A request to append to the queue.
#[derive(Debug, Clone, Copy)]
pub struct NewQueueItem<'a> {
    /// The id of the request within the tenant.
    pub id: &'a str,
    /// The player whose token sent the request; `None` for a server.
    pub player: Option<&'a PlayerId>,
    /// A digest of what the client sent. The same id with another digest is refused.
    pub digest: Fingerprint,
    /// The request, as bytes that the store does not interpret.
    pub payload: &'a [u8],
}

/// Why a request was not appended to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnqueueRefusal {
    /// The tenant has [`MAX_QUEUED_ITEMS`] items, or the payload exceeds [`MAX_QUEUED_BYTES`].
    QueueFull,
    /// The id was used with another digest.
    IdConflict,
}

/// An item that a call claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedItem {
    /// The name of the item in the store.
    pub name: Box<str>,
    /// The tenant and the id of the request; `None` for a message that a backend appended.
    pub request: Option<(TenantId, Box<str>)>,
    /// When the item was appended.
    pub enqueued_at: Timestamp,
    /// How often the item was claimed, including this claim, without the claims that [`Queue::retry_items`] uncounted.
    pub attempts: u32,
    /// The payload, cut to [`MAX_PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
}

/// An item that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedItem {
    /// The item.
    pub item: ClaimedItem,
    /// What came of the request, as bytes that the store does not interpret. Not used for an item without a request.
    pub result: Vec<u8>,
}

/// A request that is in the queue or was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRequest {
    /// The player whose token sent the request; `None` for a server.
    pub player: Option<PlayerId>,
    /// What came of the request; `None` while it is in the queue.
    pub result: Option<Vec<u8>>,
}

/// A request that is in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRequest {
    /// The id of the request.
    pub id: Box<str>,
    /// When the request was appended.
    pub enqueued_at: Timestamp,
    /// The request, as in [`NewQueueItem::payload`].
    pub payload: Vec<u8>,
}

/// How much is in the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueLag {
    /// The number of items of all tenants.
    pub items: u64,
    /// When the oldest item was appended, by the store's clock; `None` if the queue is empty.
    pub oldest_at: Option<Timestamp>,
    /// The store's clock.
    pub now: Option<Timestamp>,
}

/// What a search for early items of the queue found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlyItems {
    /// Whether there is such an item.
    pub is_found: bool,
    /// Where the search continues; `None` if there are no items before it, or at the end. An item before it can leave the queue, and no
    /// item comes in before it.
    pub next: Option<Box<str>>,
    /// Whether all early items were looked at.
    pub is_complete: bool,
}

/// Some of a tenant's requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestPage {
    /// The ids and the requests.
    pub requests: Vec<(Box<str>, QueuedRequest)>,
    /// Where the requests continue; `None` at their end. A page can be empty although they continue.
    pub next: Option<Box<str>>,
}

/// The durable queue of all tenants. An item stays in the queue until a call finishes it, so an item is applied at least once. Its
/// order is kept only as long as no item is tried again. The store's clock decides when an item is due.
pub trait Queue {
    /// Appends a request. Does nothing if the tenant has a request with the same id and digest, in the queue or among the kept
    /// results.
    ///
    /// # Errors
    /// [`StoreError`]; [`EnqueueRefusal`] is an inner result.
    async fn enqueue(
        &self,
        tenant: &TenantId,
        item: &NewQueueItem<'_>,
    ) -> Result<Result<(), EnqueueRefusal>, StoreError>;

    /// Claims up to `limit` items that are due, or fewer if they have [`MAX_CLAIMED_BYTES`]. The items of a shard come oldest first;
    /// each call begins with another shard. No other call gets these items for `lease_ms` milliseconds. An item that is neither finished
    /// nor retried by then can be claimed again. All callers use the same lease.
    ///
    /// # Errors
    /// [`StoreError`]. A shard that does not answer is no error while another one answers.
    async fn claim_items(&self, limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError>;

    /// Lets claimed items be claimed again after `wait_ms` milliseconds, which is at most `lease_ms`; without a wait, before all newer
    /// items. The next claim counts on from [`ClaimedItem::attempts`] of `items`, which the caller can change. Needs no payloads.
    /// Skips finished items.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn retry_items(&self, items: &[ClaimedItem], wait_ms: u32, lease_ms: u32)
    -> Result<(), StoreError>;

    /// Removes items of one tenant (of none: messages that backends appended), and keeps the results of their requests for
    /// [`RESULT_KEPT_MS`]. Skips items that are finished already.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn finish_items(&self, tenant: Option<&TenantId>, items: &[FinishedItem])
    -> Result<(), StoreError>;

    /// Returns the request with this id, if it is in the queue or its result is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_request(&self, tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError>;

    /// Returns up to `limit` requests that came with the player's token and are in the queue, oldest first, or fewer if they have
    /// [`MAX_CLAIMED_BYTES`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_pending(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        limit: u32,
    ) -> Result<Vec<PendingRequest>, StoreError>;

    /// Returns how much is in the queue.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn measure_queue(&self) -> Result<QueueLag, StoreError>;

    /// Looks for an item that was appended at `until` or before, and belongs to the tenant, or to no tenant: a message that a backend
    /// appended names its tenant in its payload. Ends at the first such item, or after a bounded number of items. `from` is
    /// [`EarlyItems::next`] of an earlier search with the same tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        from: Option<&str>,
    ) -> Result<EarlyItems, StoreError>;

    /// Returns some of a tenant's requests: those of the player, and those whose result has the player's id in its bytes. `from` is
    /// [`RequestPage::next`] of the page before. A request that exists during all pages is on one of them, or on several.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_requests_about(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        from: Option<&str>,
    ) -> Result<RequestPage, StoreError>;

    /// Deletes a request that is done, and its result. Does nothing if the request is in the queue.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_request(&self, tenant: &TenantId, id: &str) -> Result<(), StoreError>;
}
