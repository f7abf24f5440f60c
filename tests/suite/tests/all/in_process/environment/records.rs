//! The ports of the store for bans, events, dead letters, the queue and documents.

use leaderboard_core::ports::{
    Ban, BannedPlayers, Bans, ClaimedItem, DeadLetter, DeadLetters, DocumentKind, DocumentName, Documents,
    EarlyItems, EncodedEvent, EnqueueRefusal, Erasures, Events, Expected, FinishedItem, LogBounds,
    NewQueueItem, PendingRequest, Queue, QueueLag, QueuedRequest, ReplaceRecord, RequestPage,
    StoredDeadLetter, TooManyBans, VersionMismatch,
};
use leaderboard_core::{LeaderboardId, PlayerErasure, PlayerId, StoreError, TenantId, Timestamp, Versioned};

use super::key_value::turn;
use super::store::Store;

impl Bans for Store {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        if self.bans_fail.get() {
            return Err(StoreError::Unavailable("connection reset by 10.0.0.7".into()));
        }
        let done = self.model_if_up()?.ban(tenant, ban).await?;
        self.unless_lost(done)
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.model_if_up()?.unban(tenant, player, at).await
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        self.model_if_up()?.find_ban(tenant, player, now).await
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        self.model_if_up()?.list_bans(tenant, after, limit, now).await
    }

    async fn find_banned(
        &self,
        tenant: &TenantId,
        players: &[PlayerId],
        now: Timestamp,
    ) -> Result<BannedPlayers, StoreError> {
        self.model_if_up()?.find_banned(tenant, players, now).await
    }
}

impl Events for Store {
    async fn read_encoded(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, StoreError> {
        let events = self
            .model_if_up()?
            .read_encoded(tenant, leaderboard, after, limit)
            .await?;
        self.events_read.set(self.events_read.get() + events.len() as u64);
        Ok(events)
    }

    async fn find_log_bounds(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Option<LogBounds>, StoreError> {
        self.model_if_up()?.find_log_bounds(tenant, leaderboard).await
    }
}

impl DeadLetters for Store {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        self.letter_pushes.set(self.letter_pushes.get() + 1);
        self.model_if_room()?.push_dead_letters(tenant, letters).await
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.model_if_up()?.list_dead_letters(tenant, before, limit).await
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.model_if_up()?.read_dead_letter(id).await
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        self.model_if_up()?.delete_dead_letter(id).await
    }
}

impl Queue for Store {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        item: &NewQueueItem<'_>,
    ) -> Result<Result<(), EnqueueRefusal>, StoreError> {
        self.model_if_room()?.enqueue(tenant, item).await
    }

    async fn claim_items(&self, limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError> {
        self.model_if_up()?.claim_items(limit, lease_ms).await
    }

    async fn retry_items(
        &self,
        items: &[ClaimedItem],
        wait_ms: u32,
        lease_ms: u32,
    ) -> Result<(), StoreError> {
        self.model_if_up()?.retry_items(items, wait_ms, lease_ms).await
    }

    async fn finish_items(
        &self,
        tenant: Option<&TenantId>,
        items: &[FinishedItem],
    ) -> Result<(), StoreError> {
        if tenant.is_some() && *self.damaged_queue.borrow() == tenant.cloned() {
            return Err(StoreError::Rejected("WRONGTYPE".into()));
        }
        self.model_if_up()?.finish_items(tenant, items).await
    }

    async fn find_request(&self, tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError> {
        self.model_if_up()?.find_request(tenant, id).await
    }

    async fn list_pending(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        limit: u32,
    ) -> Result<Vec<PendingRequest>, StoreError> {
        self.model_if_up()?.list_pending(tenant, player, limit).await
    }

    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        from: Option<&str>,
    ) -> Result<EarlyItems, StoreError> {
        self.model_if_up()?.find_early_items(tenant, until, from).await
    }

    async fn measure_queue(&self) -> Result<QueueLag, StoreError> {
        self.model_if_up()?.measure_queue().await
    }

    async fn find_requests_about(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        from: Option<&str>,
    ) -> Result<RequestPage, StoreError> {
        self.model_if_up()?
            .find_requests_about(tenant, player, from)
            .await
    }

    async fn delete_request(&self, tenant: &TenantId, id: &str) -> Result<(), StoreError> {
        self.model_if_up()?.delete_request(tenant, id).await
    }
}

impl Erasures for Store {
    async fn erase_entries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.model_if_up()?
            .erase_entries(tenant, leaderboard, erasure, at)
            .await
    }

    async fn erase_events(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        up_to: u64,
    ) -> Result<bool, StoreError> {
        if self.erasure_steps.get() > 0 {
            self.erasure_steps.set(self.erasure_steps.get() - 1);
            return Ok(false);
        }
        self.model_if_up()?
            .erase_events(tenant, leaderboard, erasure, up_to)
            .await
    }

    async fn replace_audit(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        mention: &[u8],
        replace: ReplaceRecord<'_>,
    ) -> Result<bool, StoreError> {
        self.model_if_up()?
            .replace_audit(tenant, erasure, mention, replace)
            .await
    }

    async fn erase_ban(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.model_if_up()?.erase_ban(tenant, erasure, at).await
    }
}

impl Documents for Store {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        self.document_reads.set(self.document_reads.get() + 1);
        self.wait_while_hanging().await?;
        let found = self.model_if_up()?.read_documents(names).await;
        if self.documents_take_time.get() {
            turn().await;
        }
        found
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        self.overtake(name, body).await?;
        let model = self.model_for_write()?;
        let stored = model.read_documents(std::slice::from_ref(name)).await?;
        if stored[0]
            .as_ref()
            .is_none_or(|stored| stored.value.len() < body.len())
        {
            self.model_if_room()?;
        }
        model.put_document(name, body, expected).await
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        self.overtake(name, b"").await?;
        self.model_for_write()?.delete_document(name, expected).await
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        let found = self
            .model_if_up()?
            .list_documents(tenant, kind, after, limit)
            .await;
        if self.documents_take_time.get() {
            turn().await;
        }
        found
    }
}
