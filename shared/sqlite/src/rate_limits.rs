//! Rate limits by the generic cell rate algorithm, and usage by day, by the clock of the database.

use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_CHARGES, Overdraft, RateLimitDecision, USAGE_DAYS, Usage,
};
use leaderboard_core::{StoreError, TenantId};

use crate::bulk;
use crate::connection::Value;
use crate::row::{corrupt, stored};
use crate::session::Session;

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

/// The state before a charge.
struct ChargeState {
    now_us: u64,
    /// The day's usage so far.
    today: Usage,
    anything_to_sweep: bool,
    /// For each charge, how far the bucket's theoretical arrival time is ahead of now, in microseconds.
    ahead_us: Vec<u64>,
}

/// Returns whether a charge changes a bucket or the usage if it is accepted.
pub(crate) fn changes_anything(charge_request: &ChargeRequest) -> bool {
    charge_request.usage != Usage::default() || charge_request.charges.iter().any(|charge| charge.cost > 0)
}

/// Makes all charges, or refuses the call and makes none. A report is never refused.
pub(crate) async fn charge(
    session: &Session<'_>,
    tenant: &TenantId,
    charge_request: &ChargeRequest,
    overdraft: Overdraft,
) -> Result<RateLimitDecision, StoreError> {
    let state = read_state(session, tenant, &charge_request.charges).await?;
    let before = state.ahead_us.iter().copied();
    if overdraft == Overdraft::ByTake && !has_room(charge_request, &state) {
        return Ok(RateLimitDecision {
            ahead_us: state.ahead_us,
            requests_today: state.today.requests,
            refused: true,
        });
    }
    let charges = charge_request.charges.iter();
    let ahead_us: Vec<u64> = charges
        .zip(before)
        .map(|(charge, before)| charge.after(before, overdraft))
        .collect();
    save_arrivals(session, tenant, &charge_request.charges, &ahead_us, state.now_us).await?;
    let today = Usage {
        requests: state.today.requests.saturating_add(charge_request.usage.requests),
        scores: state.today.scores.saturating_add(charge_request.usage.scores),
    };
    if charge_request.usage != Usage::default() {
        save_usage(session, tenant, state.now_us / DAY_US, today).await?;
    }
    if state.anything_to_sweep && changes_anything(charge_request) {
        delete_unneeded(session, state.now_us).await?;
    }
    Ok(RateLimitDecision {
        ahead_us,
        requests_today: today.requests,
        refused: false,
    })
}

/// Reads the clock, the day's usage and all buckets in one statement.
async fn read_state(
    session: &Session<'_>,
    tenant: &TenantId,
    charges: &[Charge],
) -> Result<ChargeState, StoreError> {
    const STATE: &str = concat!(
        "WITH clock(us) AS (SELECT ",
        now_us!(),
        "), today AS (SELECT requests, scores FROM usage, clock WHERE tenant = ?1 AND day = us / ?2) \
         SELECT us, (SELECT requests FROM today), (SELECT scores FROM today), \
         EXISTS (SELECT 1 FROM buckets WHERE arrives_at <= us - ?3) \
         OR EXISTS (SELECT 1 FROM usage WHERE day <= us / ?2 - ?4)"
    );
    const FIRST_BUCKET: usize = 5;
    let mut sql = STATE.to_owned();
    let mut parameters = vec![
        Value::Text(tenant.as_str()),
        Value::Integer(stored(DAY_US)),
        Value::Integer(stored(FULL_KEPT_US)),
        Value::Integer(i64::from(USAGE_DAYS)),
    ];
    for (index, charge) in charges.iter().enumerate() {
        let parameter = FIRST_BUCKET.saturating_add(index);
        sql.push_str(&format!(
            ", (SELECT arrives_at FROM buckets WHERE tenant = ?1 AND bucket = ?{parameter})"
        ));
        parameters.push(Value::Text(&charge.bucket));
    }
    sql.push_str(" FROM clock");
    let mut cells = session
        .row(&sql, &parameters)
        .await?
        .ok_or_else(|| corrupt("clock"))?;
    let now_us = cells.unsigned("clock")?;
    let today = Usage {
        requests: cells.unsigned_or_null("requests")?.unwrap_or_default(),
        scores: cells.unsigned_or_null("scores")?.unwrap_or_default(),
    };
    let anything_to_sweep = cells.flag("expiry")?;
    let mut ahead_us = Vec::with_capacity(charges.len());
    for _ in charges {
        let arrives_at = cells.unsigned_or_null("arrival time")?;
        ahead_us.push(arrives_at.map_or(0, |at| at.saturating_sub(now_us)));
    }
    Ok(ChargeState {
        now_us,
        today,
        anything_to_sweep,
        ahead_us,
    })
}

fn has_room(charge_request: &ChargeRequest, state: &ChargeState) -> bool {
    let requests = state.today.requests.saturating_add(charge_request.usage.requests);
    let in_quota = charge_request
        .max_requests_per_day
        .is_none_or(|most| requests <= most);
    let mut charges = charge_request.charges.iter().zip(&state.ahead_us);
    in_quota && charges.all(|(charge, before)| charge.has_room(*before))
}

async fn save_arrivals(
    session: &Session<'_>,
    tenant: &TenantId,
    charges: &[Charge],
    ahead_us: &[u64],
    now_us: u64,
) -> Result<(), StoreError> {
    let rows: Vec<_> = charges
        .iter()
        .zip(ahead_us)
        .filter(|(charge, _)| charge.cost > 0)
        .map(|(charge, ahead)| {
            [
                Value::Text(tenant.as_str()),
                Value::Text(&charge.bucket),
                Value::Integer(stored(now_us.saturating_add(*ahead))),
            ]
        })
        .collect();
    let head = "INSERT OR REPLACE INTO buckets (tenant, bucket, arrives_at) VALUES ";
    bulk::insert_in_one_statement(session, head, &rows).await
}

async fn save_usage(
    session: &Session<'_>,
    tenant: &TenantId,
    day: u64,
    usage: Usage,
) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT OR REPLACE INTO usage (tenant, day, requests, scores) VALUES (?1, ?2, ?3, ?4)";
    let parameters = [
        Value::Text(tenant.as_str()),
        Value::Integer(stored(day)),
        Value::Integer(stored(usage.requests)),
        Value::Integer(stored(usage.scores)),
    ];
    session.run(SAVE, &parameters).await
}

/// Deletes some buckets that are full, and some old days of usage.
async fn delete_unneeded(session: &Session<'_>, now_us: u64) -> Result<(), StoreError> {
    const BUCKETS: &str = "DELETE FROM buckets WHERE (tenant, bucket) IN \
         (SELECT tenant, bucket FROM buckets WHERE arrives_at <= ?1 ORDER BY arrives_at LIMIT ?2)";
    const DAYS: &str = "DELETE FROM usage WHERE (tenant, day) IN \
         (SELECT tenant, day FROM usage WHERE day <= ?1 ORDER BY day LIMIT ?2)";
    let most = Value::Integer(stored(SWEPT_AT_ONCE as u64));
    let full_since = stored(now_us.saturating_sub(FULL_KEPT_US));
    let last_day = stored((now_us / DAY_US).saturating_sub(u64::from(USAGE_DAYS)));
    session.run(BUCKETS, &[Value::Integer(full_since), most]).await?;
    session.run(DAYS, &[Value::Integer(last_day), most]).await
}
