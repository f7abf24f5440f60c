//! The product flags, which switch the behaviour of this service, and the check of a document that sets them. Without the check,
//! an operator would notice a wrong switch only when it is needed in an incident.

use leaderboard_core::{PlayerId, TenantId, Timestamp};
use leaderboard_flags::{FlagSet, FlagType};
use serde_json::Value;

use super::FlagTarget;
use super::flags::{MAX_PRODUCT_STEPS, seconds};
use leaderboard_api::json::{Errors, Pointer};
use leaderboard_api::{ApiVersion, Problem};

/// The flag that refuses writes if it is `false`: in a tenant's set the tenant's writes, in the operator's set the writes of all
/// tenants.
pub const WRITES: &str = "edgeboard.writes";
/// The flag that makes version 2 the default for requests that do not name a version, if it is `true`. The tenant's set has
/// precedence over the operator's.
pub const V2_DEFAULT: &str = "edgeboard.api-v2-default";
/// The prefix of the keys of product flags. No other flag may have it.
const PREFIX: &str = "edgeboard.";

/// Checks that the product flags in a set exist, are enabled, are boolean, and can be evaluated in
/// [`MAX_PRODUCT_STEPS`] steps.
///
/// # Errors
/// A `validation` problem that lists each error with its place in the document.
pub fn check_product_flags(set: &FlagSet, tenant: &TenantId, now: Timestamp) -> Result<(), Problem> {
    let mut errors = Errors::default();
    let flags = Pointer::Key(&Pointer::Root, "flags");
    for key in set.keys().filter(|key| key.starts_with(PREFIX)) {
        let flag = Pointer::Key(&flags, key);
        if ![WRITES, V2_DEFAULT].contains(&key) {
            errors.add(
                &flag,
                format!("is none of the product's own flags, which are {WRITES} and {V2_DEFAULT}"),
            );
            continue;
        }
        let Some(outline) = set.outline(key) else {
            continue;
        };
        let pointer = |member| Pointer::Key(&flag, member);
        if !outline.enabled {
            errors.add(
                &pointer("state"),
                "must be ENABLED: the default variant is the switch",
            );
        }
        if outline.flag_type != FlagType::Boolean {
            errors.add(&pointer("variants"), "must be true or false each");
        }
        if !outline.has_default {
            errors.add(&pointer("defaultVariant"), "must name a variant");
        }
        if let Some(cause) = find_failure(set, key, tenant, now) {
            errors.add(
                &pointer("targeting"),
                format!("must choose a variant in {MAX_PRODUCT_STEPS} steps: {cause}"),
            );
        }
    }
    errors.check()
}

/// Returns why a flag cannot be evaluated for a player or for a caller who is not a player; `None` when it can.
fn find_failure(set: &FlagSet, key: &str, tenant: &TenantId, now: Timestamp) -> Option<String> {
    let player = PlayerId::new("player").ok();
    [player.as_ref(), None].into_iter().find_map(|player| {
        let target = FlagTarget {
            tenant,
            player,
            client: Some([192, 0, 2, 1].into()),
            country: Some(*b"UY"),
            version: Some(ApiVersion::V1),
        };
        let context = Value::Object(target.to_context());
        set.evaluate_within(key, &context, seconds(now), MAX_PRODUCT_STEPS)
            .err()
            .map(|error| error.detail)
    })
}
