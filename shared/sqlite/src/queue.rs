//! The port [`Queue`].

use leaderboard_core::ports::{
    ClaimedItem, EarlyItems, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_QUEUED_BYTES,
    MAX_QUEUED_ITEMS, MAX_RESULT_BYTES, MAX_RESULTS_DELETED, NewQueueItem, PendingRequest, Queue, QueueLag,
    QueuedRequest, RESULT_KEPT_MS, RequestPage,
};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::rate_limits::now_us;
use crate::row::{Cells, corrupt};
use crate::session::Session;

/// How many requests one statement reads.
const REQUESTS_AT_ONCE: u32 = 100;

/// SQL for the database's clock in milliseconds.
macro_rules! now_ms {
    () => {
        concat!("(", now_us!(), " / 1000)")
    };
}

impl<C: Connection> Queue for SqliteStore<C> {
    async fn enqueue(
        &self,
        tenant: &TenantId,
        item: &NewQueueItem<'_>,
    ) -> Result<Result<(), EnqueueRefusal>, StoreError> {
        const FIND: &str = concat!(
            "SELECT digest FROM queued_requests WHERE tenant = ?1 AND id = ?2 AND (ends_at IS NULL OR ends_at > ",
            now_ms!(),
            ")"
        );
        const SIZES: &str = "SELECT items, bytes FROM queue_sizes WHERE tenant = ?1";
        const FORGET: &str = "DELETE FROM queued_requests WHERE tenant = ?1 AND id = ?2";
        const NOTE: &str = "INSERT INTO queued_requests (tenant, id, digest, player) VALUES (?1, ?2, ?3, ?4)";
        const APPEND: &str = concat!(
            "INSERT INTO queue_items (tenant, id, payload, enqueued_at, due_at, attempts) VALUES (?1, ?2, ?3, ",
            now_ms!(),
            ", ",
            now_ms!(),
            ", 0)"
        );
        self.write(|session| {
            trim_results(session, Some(tenant))?;
            let name = [tenant.into(), item.id.into()];
            if let Some(mut known) = session.row(FIND, &name)? {
                let same = known.blob("digest")? == item.digest;
                return Ok(if same {
                    Ok(())
                } else {
                    Err(EnqueueRefusal::IdConflict)
                });
            }
            if let Some(mut sizes) = session.row(SIZES, &[tenant.into()])? {
                let items = sizes.unsigned("number of items")?;
                let bytes = sizes
                    .unsigned("bytes of items")?
                    .saturating_add(item.payload.len() as u64);
                if items >= MAX_QUEUED_ITEMS || bytes > MAX_QUEUED_BYTES {
                    return Ok(Err(EnqueueRefusal::QueueFull));
                }
            }
            session.run(FORGET, &name)?;
            let [tenant, id] = name;
            session.run(NOTE, &[tenant, id, item.digest[..].into(), item.player.into()])?;
            session.run(APPEND, &[tenant, id, item.payload.into()])?;
            Ok(Ok(()))
        })
        .await
    }

    async fn claim_items(&self, limit: u32, lease_ms: u32) -> Result<Vec<ClaimedItem>, StoreError> {
        const ANY: &str = concat!(
            "SELECT 1 FROM queue_items WHERE due_at <= ",
            now_ms!(),
            " LIMIT 1"
        );
        const DUE: &str = concat!(
            "SELECT row, length(payload) FROM queue_items WHERE due_at <= ",
            now_ms!(),
            " ORDER BY due_at, row LIMIT ?1 + 0"
        );
        // A read does not wait for other writers, and most calls find nothing.
        if self.single(|session| session.row(ANY, &[]))?.is_none() {
            return Ok(Vec::new());
        }
        self.write(|session| {
            let mut claimed = Vec::new();
            let mut bytes = 0;
            for (row, length) in session.map_rows(DUE, &[limit.into()], |cells| {
                Ok((cells.integer("item")?, cells.unsigned("length")?))
            })? {
                if bytes >= MAX_CLAIMED_BYTES as u64 {
                    break;
                }
                bytes = bytes.saturating_add(length);
                claimed.push(claim_row(session, row, lease_ms)?);
            }
            Ok(claimed)
        })
        .await
    }

    async fn retry_items(
        &self,
        items: &[ClaimedItem],
        wait_ms: u32,
        _lease_ms: u32,
    ) -> Result<(), StoreError> {
        // Without a wait, an item is due since it was appended, so it comes before newer ones.
        const RETRY: &str = concat!(
            "UPDATE queue_items SET attempts = ?3, due_at = CASE ?2 WHEN 0 THEN enqueued_at ELSE ",
            now_ms!(),
            " + ?2 END WHERE row = ?1"
        );
        self.write(|session| {
            for item in items {
                let parameters = [parse_name(item)?.into(), wait_ms.into(), item.attempts.into()];
                session.run(RETRY, &parameters)?;
            }
            Ok(())
        })
        .await
    }

    async fn finish_items(
        &self,
        tenant: Option<&TenantId>,
        items: &[FinishedItem],
    ) -> Result<(), StoreError> {
        const REMOVE: &str = "DELETE FROM queue_items WHERE row = ?1 RETURNING id";
        const STORE: &str = concat!(
            "UPDATE queued_requests SET result = ?3, ends_at = ",
            now_ms!(),
            " + ?4 WHERE tenant = ?1 AND id = ?2 AND result IS NULL"
        );
        self.write(|session| {
            for FinishedItem { item, result } in items {
                let removed = session.row(REMOVE, &[parse_name(item)?.into()])?;
                if let (Some(mut removed), Some(tenant)) = (removed, tenant) {
                    let id = removed.text("id of a request")?;
                    let parameters = [
                        tenant.into(),
                        (&id).into(),
                        result[..].into(),
                        RESULT_KEPT_MS.into(),
                    ];
                    session.run(STORE, &parameters)?;
                }
            }
            trim_results(session, tenant)
        })
        .await
    }

    async fn find_request(&self, tenant: &TenantId, id: &str) -> Result<Option<QueuedRequest>, StoreError> {
        const FIND: &str = "SELECT player, result FROM queued_requests WHERE tenant = ?1 AND id = ?2";
        self.single(|session| {
            session.map_row(FIND, &[tenant.into(), id.into()], |cells| {
                let player = cells.text_or_null("player")?.map(PlayerId::new);
                Ok(QueuedRequest {
                    player: player.transpose().map_err(|_| corrupt("player"))?,
                    result: cells.blob_or_null("result")?,
                })
            })
        })
    }

    async fn list_pending(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        limit: u32,
    ) -> Result<Vec<PendingRequest>, StoreError> {
        const SIZES: &str = "SELECT i.row, length(i.payload) FROM queued_requests r \
             JOIN queue_items i ON i.tenant = r.tenant AND i.id = r.id \
             WHERE r.tenant = ?1 AND r.player = ?2 AND r.result IS NULL ORDER BY i.row LIMIT ?3 + 0";
        const READ: &str = "SELECT id, enqueued_at, payload FROM queue_items WHERE row = ?1";
        let parameters = [tenant.into(), player.into(), limit.into()];
        self.read(|session| {
            let sizes = session.map_rows(SIZES, &parameters, |cells| {
                Ok((cells.integer("row")?, cells.unsigned("bytes of an item")?))
            })?;
            let (mut pending, mut bytes) = (Vec::new(), 0_u64);
            for (row, size) in sizes {
                if bytes >= MAX_CLAIMED_BYTES as u64 {
                    break;
                }
                bytes = bytes.saturating_add(size);
                pending.extend(session.map_row(READ, &[row.into()], |cells| {
                    Ok(PendingRequest {
                        id: cells.text("id of a request")?.into_boxed_str(),
                        enqueued_at: cells.instant("instant")?,
                        payload: cells.blob("payload")?,
                    })
                })?);
            }
            Ok(pending)
        })
    }

    async fn measure_queue(&self) -> Result<QueueLag, StoreError> {
        const MEASURE: &str = concat!(
            "SELECT count(*), (SELECT enqueued_at FROM queue_items ORDER BY row LIMIT 1), ",
            now_ms!(),
            " FROM queue_items"
        );
        self.single(|session| {
            let mut cells = session.only_row(MEASURE, &[])?;
            Ok(QueueLag {
                items: cells.unsigned("items")?,
                oldest_at: cells.instant_or_null("instant")?,
                now: Some(cells.instant("clock")?),
            })
        })
    }

    async fn find_early_items(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        _from: Option<&str>,
    ) -> Result<EarlyItems, StoreError> {
        // The table has the tenant of each item, and an index.
        const FIND: &str = "SELECT 1 FROM queue_items WHERE tenant = ?1 AND enqueued_at <= ?2 LIMIT 1";
        let is_found = self.single(|session| session.row(FIND, &[tenant.into(), until.into()]))?;
        Ok(EarlyItems {
            is_found: is_found.is_some(),
            next: None,
            is_complete: is_found.is_none(),
        })
    }

    async fn find_requests_about(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        from: Option<&str>,
    ) -> Result<RequestPage, StoreError> {
        const PAGE: &str = "SELECT id, player, result, player IS ?3 OR instr(result, ?4) > 0 FROM queued_requests \
             WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?5 + 0";
        let parameters = [
            tenant.into(),
            from.unwrap_or_default().into(),
            player.into(),
            player.as_bytes().into(),
            REQUESTS_AT_ONCE.into(),
        ];
        let read = self.single(|session| {
            session.map_rows(PAGE, &parameters, |cells| {
                let id = cells.text("id of a request")?.into_boxed_str();
                let sender = cells.text_or_null("player")?.map(PlayerId::new);
                let request = QueuedRequest {
                    player: sender.transpose().map_err(|_| corrupt("player"))?,
                    result: cells.blob_or_null("result")?,
                };
                let is_found = cells.integer_or_null("match")? == Some(1);
                Ok((id, request, is_found))
            })
        })?;
        let is_full = read.len() >= usize::try_from(REQUESTS_AT_ONCE).unwrap_or(usize::MAX);
        let last = read.last().map(|(id, ..)| id.clone());
        let found = read.into_iter().filter(|(.., is_found)| *is_found);
        Ok(RequestPage {
            requests: found.map(|(id, request, _)| (id, request)).collect(),
            next: last.filter(|_| is_full),
        })
    }

    async fn delete_request(&self, tenant: &TenantId, id: &str) -> Result<(), StoreError> {
        const DELETE: &str =
            "DELETE FROM queued_requests WHERE tenant = ?1 AND id = ?2 AND result IS NOT NULL";
        self.write(|session| session.run(DELETE, &[tenant.into(), id.into()]))
            .await
    }
}

fn claim_row(session: &Session<'_>, row: i64, lease_ms: u32) -> Result<ClaimedItem, StoreError> {
    const CLAIM: &str = concat!(
        "UPDATE queue_items SET attempts = attempts + 1, due_at = ",
        now_ms!(),
        " + ?2 WHERE row = ?1 RETURNING tenant, id, enqueued_at, attempts, payload"
    );
    let mut cells: Cells = session.only_row(CLAIM, &[row.into(), lease_ms.into()])?;
    let tenant = TenantId::new(cells.text("tenant")?).map_err(|_| corrupt("tenant"))?;
    Ok(ClaimedItem {
        name: row.to_string().into_boxed_str(),
        request: Some((tenant, cells.text("id of a request")?.into_boxed_str())),
        enqueued_at: cells.instant("instant")?,
        attempts: u32::try_from(cells.unsigned("attempts")?).unwrap_or(u32::MAX),
        payload: cells.blob("payload")?,
    })
}

fn parse_name(item: &ClaimedItem) -> Result<i64, StoreError> {
    item.name.parse().map_err(|_| corrupt("name of an item"))
}

/// Deletes some results that have expired, and then some of the tenant's oldest while they have too many bytes.
fn trim_results(session: &Session<'_>, tenant: Option<&TenantId>) -> Result<(), StoreError> {
    const EXPIRED: &str = concat!(
        "DELETE FROM queued_requests WHERE (tenant, id) IN (SELECT tenant, id FROM queued_requests WHERE ends_at <= ",
        now_ms!(),
        " ORDER BY ends_at LIMIT ?1 + 0)"
    );
    const SURPLUS: &str = "DELETE FROM queued_requests WHERE tenant = ?1 AND id = (SELECT id FROM queued_requests \
         WHERE tenant = ?1 AND ends_at IS NOT NULL ORDER BY ends_at LIMIT 1) \
         AND (SELECT results FROM queue_sizes WHERE tenant = ?1) > ?2 RETURNING 1";
    session.run(EXPIRED, &[MAX_RESULTS_DELETED.into()])?;
    if let Some(tenant) = tenant {
        for _ in 0..MAX_RESULTS_DELETED {
            if session
                .row(SURPLUS, &[tenant.into(), MAX_RESULT_BYTES.into()])?
                .is_none()
            {
                break;
            }
        }
    }
    Ok(())
}
