//! Probes the store at most once per second and region. The route is open to everyone, so its callers must not decide how often
//! the store is called. Instances live only briefly, so the region's key-value store keeps the result.

mod shared;

use std::cell::RefCell;

use leaderboard_cache::single_flight::SingleFlight;
use leaderboard_core::ports::{Readiness, Replica, SettingCheck};
use leaderboard_core::{StoreError, Timestamp};

use self::shared::{LEASE_MS, Shared};
use crate::{PipelineEnvironment, regions};

/// How long the result of a probe is reused, in milliseconds, also if the store failed.
const REUSED_FOR_MS: i64 = 1_000;
/// The maximum age of a result that an instance may use while another instance probes the store, in milliseconds.
const STANDS_IN_FOR_MS: i64 = REUSED_FOR_MS + LEASE_MS;
/// How long the result of a check of the server's settings is reused, in milliseconds.
const SETTINGS_REUSED_FOR_MS: i64 = 60_000;
/// How long a request waits for another request's probe, in milliseconds: longer than the other request waits for another instance,
/// connects, and runs one command.
const MAX_WAIT_MS: i64 = LEASE_MS + 5_000;
/// The pause of an instance that waits for another instance's probe, in milliseconds.
const REGION_PAUSE_MS: u64 = 50;
/// How many times an instance pauses at most; together the pauses last as long as a lease.
const MAX_REGION_PAUSES: u32 = 20;

/// The key of the single flight of probes: there is one store.
const STORE: &str = "store";

/// The last result that an instance knows, and the request that is probing.
#[derive(Debug, Default)]
pub struct ReadinessProbe {
    last: RefCell<Option<Probed>>,
    probes: SingleFlight<()>,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// When the store answered, or the probe gave up.
    pub at: Timestamp,
    /// Whether the store is ready.
    pub answer: Result<(), StoreError>,
    /// The last check of the settings of the store's server; `None` before the first check.
    settings: Option<SettingsCheck>,
}

/// The result of a check of the server's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SettingsCheck {
    checked_at: Timestamp,
    /// Whether a setting has a wrong value.
    are_wrong: bool,
}

impl Probed {
    /// Returns whether a setting of the store's server has a wrong value.
    pub fn has_wrong_settings(&self) -> bool {
        self.settings.is_some_and(|settings| settings.are_wrong)
    }
}

impl ReadinessProbe {
    /// Returns the last result if it may be reused. A result from the future may not be reused: the clock was set back.
    fn find_reusable(&self, now: Timestamp) -> Option<Probed> {
        let last = self.last.borrow();
        last.as_ref()
            .filter(|probed| (0..REUSED_FOR_MS).contains(&age_ms(probed.at, now)))
            .cloned()
    }
}

/// Returns how long ago an instant was, in milliseconds.
const fn age_ms(then: Timestamp, now: Timestamp) -> i64 {
    now.as_unix_ms().saturating_sub(then.as_unix_ms())
}

/// Returns whether the store is ready. Uses the region's result if it is at most two seconds old, and probes the store otherwise.
/// Concurrent requests of an instance wait for one probe.
pub async fn probe<E: PipelineEnvironment>(env: &E) -> Probed {
    let probe = &env.pipeline_state().readiness;
    let give_up_at = env.clock().as_unix_ms().saturating_add(MAX_WAIT_MS);
    let leader = loop {
        let now = env.clock();
        if let Some(probed) = probe.find_reusable(now) {
            return probed;
        }
        if let Some(leader) = probe.probes.become_leader(STORE) {
            break leader;
        }
        let left_ms = give_up_at - now.as_unix_ms();
        if left_ms <= 0 {
            let late = StoreError::Unavailable("another request's probe takes too long".to_owned());
            return Probed {
                at: now,
                answer: Err(late),
                settings: None,
            };
        }
        probe.probes.wait_for_leader(env, STORE, left_ms).await;
    };
    let own = probe.last.borrow().clone();
    let probed = probe_for_region(env, own).await;
    *probe.last.borrow_mut() = Some(probed.clone());
    leader.end(());
    probed
}

/// Returns the region's result. If it is too old, probes the store, unless another instance is probing it. If that instance
/// returns no result in time, it may have ended, so this instance probes the store itself.
async fn probe_for_region<E: PipelineEnvironment>(env: &E, own: Option<Probed>) -> Probed {
    let mut region = Shared::read(env).await;
    for _ in 0..MAX_REGION_PAUSES {
        let now = env.clock();
        let is_leased = region.is_leased(now);
        let limit_ms = if is_leased {
            STANDS_IN_FOR_MS
        } else {
            REUSED_FOR_MS
        };
        if let Some(probed) = region.find_result(now, limit_ms) {
            return probed.clone();
        }
        if !is_leased {
            break;
        }
        env.pause(REGION_PAUSE_MS).await;
        region = Shared::read(env).await;
    }
    // Two instances can probe at the same moment, because the key-value store has no atomic operation. One probe more does no harm.
    region.take_lease(env.clock());
    region.write(env).await;
    let known = [own, region.last].into_iter().flatten();
    let settings = known.filter_map(|probed| probed.settings);
    let settings = settings.max_by_key(|settings| settings.checked_at);
    let probed = probe_store(env, settings).await;
    let reported_at = report_region_if_due(env, &probed, region.reported_at);
    Shared::new(probed.clone(), reported_at).write(env).await;
    probed
}

/// Reports this region after the response, if the store answers and the last report is too old. Returns when the region last
/// reported.
fn report_region_if_due<E: PipelineEnvironment>(
    env: &E,
    probed: &Probed,
    reported_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let is_recent = |at| (0..regions::REPORT_INTERVAL_MS).contains(&age_ms(at, probed.at));
    if probed.answer.is_err() || reported_at.is_some_and(is_recent) {
        return reported_at;
    }
    let later = env.clone();
    env.later(async move {
        // A region that cannot report is not listed; the next probe that is due reports again.
        let _ = regions::report_region(&later).await;
    });
    Some(probed.at)
}

/// Asks the store whether it is ready, and checks the settings of its server if the last check is too old.
async fn probe_store<E: PipelineEnvironment>(env: &E, known: Option<SettingsCheck>) -> Probed {
    let answer = env.store().check_ready().await;
    if answer.is_ok() && env.store().has_replica() {
        // Without it, reads go to the primary. The store is ready all the same.
        let _ = env.store().write_clock().await;
    }
    let now = env.clock();
    let is_fresh =
        |known: SettingsCheck| (0..SETTINGS_REUSED_FOR_MS).contains(&age_ms(known.checked_at, now));
    let settings = if answer.is_err() || known.is_some_and(is_fresh) {
        known
    } else {
        let found = env.store().check_settings().await.ok();
        found.map(|settings| SettingsCheck {
            checked_at: now,
            are_wrong: settings.iter().any(SettingCheck::is_wrong),
        })
    };
    Probed {
        at: env.clock(),
        answer,
        settings,
    }
}
