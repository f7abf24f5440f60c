//! The regions that share a store: each one reports itself, and the operator lists them.
//!
//! A region reports when it probes the readiness of the store ([`crate::readiness`]). So health checks, which operators send anyway,
//! keep it listed, and no other request pays for it.

use leaderboard_core::ports::{
    AnnouncedChange, Announcements, Cache, DocumentKind, DocumentName, Documents, Expected, Queue, QueueLag,
};
use leaderboard_core::{RegionName, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::PipelineEnvironment;

/// How often a region reports itself, in milliseconds.
pub(crate) const REPORT_INTERVAL_MS: i64 = 10_000;
/// How long after its last report a region is listed, in milliseconds: two reports may be lost.
pub const LISTED_FOR_MS: i64 = 35_000;
/// How long the report of a region that is gone stays in the store, in milliseconds. The next new region removes it.
const KEPT_FOR_MS: i64 = 24 * 60 * 60 * 1000;
/// The most regions that one call reads.
pub const MAX_REGIONS: u32 = 200;
/// How long a measured lag is reported, in milliseconds.
const LAG_VALID_FOR_MS: i64 = 3 * REPORT_INTERVAL_MS;
/// The key of the last measured lag in the region's key-value store.
const LAG_KEY: &str = "region:invalidation-lag";
/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a region last reported of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionReport {
    /// The version of the program.
    pub version: String,
    /// Since when the region has run this version without a pause.
    started_at_ms: i64,
    /// When the region reported, by its clock.
    reported_at_ms: i64,
    /// How long the last announcement took to arrive in the region; `None` if none arrived recently.
    pub invalidation_lag_ms: Option<u64>,
    /// The durable queue, as the region saw it; `None` if an earlier version of the program reported, or the store did not answer.
    #[serde(default)]
    pub queue: Option<QueueReport>,
}

/// The durable queue of the store that the regions share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReport {
    /// The number of items.
    pub items: u64,
    /// How long the oldest item has waited; `None` if the queue is empty.
    pub lag_ms: Option<u64>,
}

impl From<QueueLag> for QueueReport {
    fn from(lag: QueueLag) -> Self {
        let waited_ms = |oldest_at: Timestamp| {
            let now_ms = lag.now.map_or(0, Timestamp::as_unix_ms);
            u64::try_from(now_ms.saturating_sub(oldest_at.as_unix_ms())).unwrap_or(0)
        };
        Self {
            items: lag.items,
            lag_ms: lag.oldest_at.map(waited_ms),
        }
    }
}

impl RegionReport {
    /// Returns since when the region has run this version without a pause.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        Timestamp::saturating_from_unix_ms(self.started_at_ms)
    }

    /// Returns when the region reported, by its clock.
    #[must_use]
    pub fn reported_at(&self) -> Timestamp {
        Timestamp::saturating_from_unix_ms(self.reported_at_ms)
    }

    /// Returns whether the region reported recently. The clocks of two regions may differ by the same time.
    fn is_recent(&self, now: Timestamp) -> bool {
        self.age_ms(now).saturating_abs() < LISTED_FOR_MS
    }

    const fn age_ms(&self, now: Timestamp) -> i64 {
        now.as_unix_ms().saturating_sub(self.reported_at_ms)
    }
}

/// A measured lag, and when it was measured.
#[derive(Serialize, Deserialize)]
struct MeasuredLag {
    lag_ms: u64,
    at_ms: i64,
}

/// Stores what this region reports of itself, and announces a probe from which the region measures its next lag.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn report_region<E: PipelineEnvironment>(env: &E) -> Result<(), StoreError> {
    let region = &env.settings().region;
    let name = document_name(region);
    let now = env.clock();
    let store = env.store();
    let stored = store.read_document(&name).await?;
    let earlier = stored.and_then(|stored| parse_report(&stored.value));
    let continued = earlier.filter(|earlier| earlier.is_recent(now) && earlier.version == VERSION);
    let report = RegionReport {
        version: VERSION.to_owned(),
        started_at_ms: continued
            .as_ref()
            .map_or(now.as_unix_ms(), |earlier| earlier.started_at_ms),
        reported_at_ms: now.as_unix_ms(),
        invalidation_lag_ms: read_lag(env, now).await,
        queue: store.measure_queue().await.ok().map(QueueReport::from),
    };
    // A report has numbers and a text without a place in which writing JSON could fail.
    let body = serde_json::to_vec(&report).unwrap_or_default();
    // The instances of a region report the same, so the last report may win.
    let _ = store.put_document(&name, &body, Expected::Any).await?;
    if continued.is_none() {
        delete_old_reports(env, now).await?;
    }
    if let Some(channel) = env.changes_channel() {
        let probe = AnnouncedChange::Probe { region, sent_at: now };
        store.announce(channel, env.default_tenant(), probe).await?;
    }
    Ok(())
}

/// Returns the regions that have reported recently, with their names, in byte order of the names.
///
/// # Errors
/// [`StoreError`].
pub async fn list_regions<E: PipelineEnvironment>(
    env: &E,
) -> Result<Vec<(RegionName, RegionReport)>, StoreError> {
    let now = env.clock();
    let mut regions = read_reports(env).await?;
    regions.retain(|(_, report)| report.is_recent(now));
    Ok(regions)
}

/// Stores how long a probe of this region took to arrive. Ignores a probe of another region, and one from the future: the clock was
/// set back.
pub async fn store_lag<E: PipelineEnvironment>(env: &E, region: &str, sent_at_ms: i64) {
    let at_ms = env.clock().as_unix_ms();
    if region != env.settings().region.as_str() {
        return;
    }
    let Ok(lag_ms) = u64::try_from(at_ms.saturating_sub(sent_at_ms)) else {
        return;
    };
    let bytes = serde_json::to_vec(&MeasuredLag { lag_ms, at_ms }).unwrap_or_default();
    // Without it, the region reports no lag.
    let _ = env.key_value_store().put(LAG_KEY, &bytes).await;
}

async fn read_lag<E: PipelineEnvironment>(env: &E, now: Timestamp) -> Option<u64> {
    let bytes = env.key_value_store().get(LAG_KEY).await.ok().flatten()?;
    let measured: MeasuredLag = serde_json::from_slice(&bytes).ok()?;
    let age_ms = now.as_unix_ms().saturating_sub(measured.at_ms);
    (age_ms < LAG_VALID_FOR_MS).then_some(measured.lag_ms)
}

async fn delete_old_reports<E: PipelineEnvironment>(env: &E, now: Timestamp) -> Result<(), StoreError> {
    for (region, report) in read_reports(env).await? {
        if report.age_ms(now) > KEPT_FOR_MS {
            let _ = env
                .store()
                .delete_document(&document_name(&region), Expected::Any)
                .await?;
        }
    }
    Ok(())
}

async fn read_reports<E: PipelineEnvironment>(
    env: &E,
) -> Result<Vec<(RegionName, RegionReport)>, StoreError> {
    let listed = env
        .store()
        .list_documents(None, DocumentKind::Region, None, MAX_REGIONS)
        .await?;
    let parse = |(name, document): (Box<str>, leaderboard_core::Versioned<Vec<u8>>)| {
        Some((RegionName::new(name).ok()?, parse_report(&document.value)?))
    };
    Ok(listed.into_iter().filter_map(parse).collect())
}

/// Returns the report of a document; `None` if a newer version of the program wrote it in another form.
fn parse_report(body: &[u8]) -> Option<RegionReport> {
    serde_json::from_slice(body).ok()
}

fn document_name(region: &RegionName) -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Region,
        id: region.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_whose_clock_is_far_ahead_is_not_listed_after_its_end() {
        let report = |reported_at_ms| RegionReport {
            version: VERSION.to_owned(),
            started_at_ms: reported_at_ms,
            reported_at_ms,
            invalidation_lag_ms: None,
            queue: None,
        };
        let now = Timestamp::saturating_from_unix_ms(1_000_000);
        let recent = |reported_at_ms| report(reported_at_ms).is_recent(now);
        assert!(recent(1_000_000 - LISTED_FOR_MS + 1) && recent(1_000_000 + LISTED_FOR_MS - 1));
        assert!(!recent(1_000_000 - LISTED_FOR_MS) && !recent(1_000_000 + LISTED_FOR_MS));
    }
}
