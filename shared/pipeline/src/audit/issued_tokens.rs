//! Records the issuing of tokens to players. Each player who signs in gets a token, so only the first token of a key in each
//! minute is recorded.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, Charge, ChargeRequest, RateLimits};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use super::record::{AuditActor, AuditEntry, cut};
use crate::PipelineEnvironment;
use crate::endpoint::Context;

/// How long after a record no further token of the same key is recorded, in milliseconds.
const ONCE_IN_MS: i64 = 60_000;
/// The most keys for which an instance keeps the time of the last record.
const MAX_KEYS: usize = 256;
/// The prefix of the names of the keys' buckets.
const BUCKET: &str = "audit:issued:";

/// The keys that have issued tokens in this instance, with the time of the last record of each.
#[derive(Debug, Default)]
pub struct IssuedTokens(RefCell<BTreeMap<(TenantId, AuditActor), Timestamp>>);

impl IssuedTokens {
    /// Returns whether the next token of a key is recorded.
    fn is_due(&self, tenant: &TenantId, who: &AuditActor, now: Timestamp) -> bool {
        let mut seen = self.0.borrow_mut();
        let is_recent = |at: &Timestamp| {
            let age_ms = now.as_unix_ms().saturating_sub(at.as_unix_ms());
            (0..ONCE_IN_MS).contains(&age_ms)
        };
        if seen.len() >= MAX_KEYS {
            seen.retain(|_, at| is_recent(at));
        }
        if seen.len() >= MAX_KEYS {
            // The store knows as well when the last record was.
            seen.clear();
        }
        let key = (tenant.clone(), who.clone());
        if seen.get(&key).is_some_and(is_recent) {
            return false;
        }
        seen.insert(key, now);
        true
    }
}

/// Records after the response that a token was issued to a player.
pub fn record_issued_token<E: PipelineEnvironment>(context: &Context<'_, E>, player: &PlayerId) {
    let who = AuditActor::from(&context.identity.credential);
    let (env, tenant) = (context.env.clone(), context.tenant.clone());
    if !env.pipeline_state().issued.is_due(&tenant, &who, context.now) {
        return;
    }
    let bucket = bucket(&who);
    let event = AuditEntry::IssuedTokens {
        who,
        player: cut(player.as_str()),
        from: context.client,
        trace: context.trace_id,
    };
    let record = AuditRecord {
        tenant: Some(tenant.clone()),
        kind: AuditKind::Authentication,
        at: context.now,
        body: event.into_body(),
    };
    context.env.later(async move {
        // Tokens are issued without the store, too.
        let _ = record_once(&env, &tenant, bucket, &record).await;
    });
}

async fn record_once<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    bucket: Box<str>,
    record: &AuditRecord,
) -> Result<(), StoreError> {
    let charge = Charge {
        bucket,
        interval_us: ONCE_IN_MS.unsigned_abs().saturating_mul(1000),
        burst: 1,
        needs: Some(1),
        cost: 1,
    };
    let charge_request = ChargeRequest {
        charges: vec![charge],
        ..ChargeRequest::default()
    };
    if !env.store().take(tenant, &charge_request).await?.refused {
        env.store().append_audit(record).await?;
    }
    Ok(())
}

/// Returns the name of a credential's bucket: a digest, because a token's subject can be long.
fn bucket(who: &AuditActor) -> Box<str> {
    let name = serde_json::to_string(who).unwrap_or_default();
    format!("{BUCKET}{}", leaderboard_auth::digest(&name)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_is_due_for_each_key_in_a_minute() {
        let issued = IssuedTokens::default();
        let tenant = TenantId::new("acme").unwrap();
        let is_due = |id: &str, ms| {
            let who = AuditActor::Key { id: id.to_owned() };
            issued.is_due(&tenant, &who, Timestamp::saturating_from_unix_ms(ms))
        };
        assert_eq!(
            [is_due("a", 0), is_due("a", ONCE_IN_MS - 1), is_due("b", 1)],
            [true, false, true]
        );
        assert!(is_due("a", ONCE_IN_MS));
        // After the clock went back, a record is due at once.
        assert!(is_due("a", 0));
        for n in 0..2 * MAX_KEYS {
            is_due(&n.to_string(), 0);
        }
        assert!(issued.0.borrow().len() <= MAX_KEYS);
    }
}
