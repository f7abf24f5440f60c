//! Rate limits by the generic cell rate algorithm, and usage by day, by the clock of the database.

use std::collections::{BTreeMap, BTreeSet};

use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_CHARGES, Overdraft, RateLimitDecision, USAGE_DAYS, Usage,
};
use leaderboard_core::{StoreError, TenantId};

use crate::row::{Cells, corrupt};
use crate::rows::JsonRows;
use crate::session::Session;
use crate::writes::PendingWrites;

/// Microseconds in a day.
pub(crate) const DAY_US: u64 = 24 * 60 * 60 * 1_000_000;
/// How long a full bucket is kept, in microseconds, so that a bucket in use is not deleted and created again and again.
const FULL_KEPT_US: u64 = 60_000_000;
/// How many full buckets, and how many old days of usage, one call deletes: more than it can add.
const SWEPT_AT_ONCE: usize = 2 * MAX_CHARGES;

/// SQL for the database's clock in microseconds since the epoch, with a precision of a millisecond. The value is the same
/// throughout a statement.
macro_rules! now_us {
    () => {
        "(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"
    };
}
pub(crate) use now_us;

/// SQL for the smallest new version: the clock in microseconds. The clock has milliseconds, so the last three digits are random.
/// So no version is used twice after a backup is restored or a write is lost.
macro_rules! fresh_version {
    () => {
        concat!("(", now_us!(), " + abs(random() % 1000))")
    };
}
pub(crate) use fresh_version;

/// The buckets and the usage of a tenant, changed by the charges so far.
struct ChargeState {
    now_us: u64,
    /// The day's usage.
    today: Usage,
    anything_to_sweep: bool,
    /// For each bucket, how far its theoretical arrival time is ahead of now, in microseconds.
    ahead_us: BTreeMap<Box<str>, u64>,
    /// The buckets that a charge changed.
    changed: BTreeSet<Box<str>>,
}

/// Returns whether a charge changes a bucket or the usage if it is accepted.
pub(crate) fn changes_anything(charge_request: &ChargeRequest) -> bool {
    charge_request.usage != Usage::default() || charge_request.charges.iter().any(|charge| charge.cost > 0)
}

/// Charges several requests of a tenant, in their order, and adds what changes to `writes`. Each request is charged completely or
/// refused. A report is never refused.
pub(crate) fn charge_all(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    tenant: &TenantId,
    charge_requests: &[&ChargeRequest],
    overdraft: Overdraft,
) -> Result<Vec<RateLimitDecision>, StoreError> {
    let mut state = read_state(session, tenant, charge_requests)?;
    let before = state.today;
    let decisions = charge_requests
        .iter()
        .map(|request| state.charge(request, overdraft))
        .collect();
    for bucket in &state.changed {
        let ahead_us = state.ahead_us.get(bucket).copied().unwrap_or_default();
        writes.save_bucket(tenant, bucket, state.now_us.saturating_add(ahead_us));
    }
    if state.today != before {
        writes.save_usage(tenant, state.now_us / DAY_US, state.today);
    }
    if state.anything_to_sweep && charge_requests.iter().any(|request| changes_anything(request)) {
        delete_unneeded(session, state.now_us)?;
    }
    Ok(decisions)
}

/// Reads the clock, the day's usage and all buckets in one statement.
fn read_state(
    session: &Session<'_>,
    tenant: &TenantId,
    charge_requests: &[&ChargeRequest],
) -> Result<ChargeState, StoreError> {
    // The first row has no bucket.
    const STATE: &str = concat!(
        "WITH clock(us) AS (SELECT ",
        now_us!(),
        "), today AS (SELECT requests, scores FROM usage, clock WHERE tenant = ?1 AND day = us / ?2) \
         SELECT us, (SELECT requests FROM today), (SELECT scores FROM today), \
         EXISTS (SELECT 1 FROM buckets WHERE arrives_at <= us - ?3) \
         OR EXISTS (SELECT 1 FROM usage WHERE day <= us / ?2 - ?4), NULL, NULL FROM clock \
         UNION ALL SELECT NULL, NULL, NULL, NULL, bucket, arrives_at FROM buckets \
         WHERE tenant = ?1 AND bucket IN (SELECT value ->> 0 FROM json_each(?5))"
    );
    let mut names = JsonRows::default();
    let charges = charge_requests.iter().flat_map(|request| &request.charges);
    for bucket in charges.map(|charge| &charge.bucket).collect::<BTreeSet<_>>() {
        names.push(&[bucket.as_ref().into()]);
    }
    let names = names.to_text();
    let parameters = [
        tenant.into(),
        DAY_US.into(),
        FULL_KEPT_US.into(),
        USAGE_DAYS.into(),
        (&names).into(),
    ];
    let mut rows = session.rows(STATE, &parameters)?.into_iter().map(Cells::from);
    let mut cells = rows.next().ok_or_else(|| corrupt("clock"))?;
    let now_us = cells.unsigned("clock")?;
    let today = Usage {
        requests: cells.unsigned_or_null("requests")?.unwrap_or_default(),
        scores: cells.unsigned_or_null("scores")?.unwrap_or_default(),
    };
    let anything_to_sweep = cells.flag("expiry")?;
    let mut ahead_us = BTreeMap::new();
    for mut cells in rows {
        for other_row in ["clock", "requests", "scores", "expiry"] {
            cells.integer_or_null(other_row)?;
        }
        let bucket = cells.text("bucket")?.into_boxed_str();
        let arrives_at = cells.unsigned("arrival time")?;
        ahead_us.insert(bucket, arrives_at.saturating_sub(now_us));
    }
    Ok(ChargeState {
        now_us,
        today,
        anything_to_sweep,
        ahead_us,
        changed: BTreeSet::new(),
    })
}

impl ChargeState {
    fn ahead_of(&self, charge: &Charge) -> u64 {
        self.ahead_us.get(&charge.bucket).copied().unwrap_or_default()
    }

    /// Makes all charges of a request, or refuses it and makes none.
    fn charge(&mut self, request: &ChargeRequest, overdraft: Overdraft) -> RateLimitDecision {
        let before: Vec<u64> = request
            .charges
            .iter()
            .map(|charge| self.ahead_of(charge))
            .collect();
        if overdraft == Overdraft::ByTake && !self.has_room(request) {
            return RateLimitDecision {
                ahead_us: before,
                requests_today: self.today.requests,
                refused: true,
            };
        }
        let charges = request.charges.iter().zip(before);
        let after = charges.map(|(charge, before)| {
            let after = charge.after(before, overdraft);
            if charge.cost > 0 {
                self.ahead_us.insert(charge.bucket.clone(), after);
                self.changed.insert(charge.bucket.clone());
            }
            after
        });
        let ahead_us = after.collect();
        self.today = Usage {
            requests: self.today.requests.saturating_add(request.usage.requests),
            scores: self.today.scores.saturating_add(request.usage.scores),
        };
        RateLimitDecision {
            ahead_us,
            requests_today: self.today.requests,
            refused: false,
        }
    }

    fn has_room(&self, request: &ChargeRequest) -> bool {
        let requests = self.today.requests.saturating_add(request.usage.requests);
        let in_quota = request.max_requests_per_day.is_none_or(|most| requests <= most);
        let mut charges = request.charges.iter();
        in_quota && charges.all(|charge| charge.has_room(self.ahead_of(charge)))
    }
}

/// Deletes some buckets that are full, and some old days of usage.
fn delete_unneeded(session: &Session<'_>, now_us: u64) -> Result<(), StoreError> {
    const BUCKETS: &str = "DELETE FROM buckets WHERE (tenant, bucket) IN \
         (SELECT tenant, bucket FROM buckets WHERE arrives_at <= ?1 ORDER BY arrives_at LIMIT ?2 + 0)";
    const DAYS: &str = "DELETE FROM usage WHERE (tenant, day) IN \
         (SELECT tenant, day FROM usage WHERE day <= ?1 ORDER BY day LIMIT ?2 + 0)";
    let most = SWEPT_AT_ONCE as u64;
    let full_since = now_us.saturating_sub(FULL_KEPT_US);
    let last_day = (now_us / DAY_US).saturating_sub(u64::from(USAGE_DAYS));
    session.run(BUCKETS, &[full_since.into(), most.into()])?;
    session.run(DAYS, &[last_day.into(), most.into()])
}
