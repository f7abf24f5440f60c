//! The port [`Queue`].

use leaderboard_core::ports::{
    ClaimedItem, EnqueueRefusal, FinishedItem, MAX_CLAIMED_BYTES, MAX_QUEUED_BYTES, MAX_QUEUED_ITEMS,
    MAX_RESULT_BYTES, MAX_RESULTS_DELETED, NewQueueItem, Queue, QueuedRequest, RESULT_KEPT_MS,
};
use leaderboard_core::{PlayerId, StoreError, TenantId};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::rate_limits::now_us;
use crate::row::{Cells, corrupt};
use crate::session::Session;

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
