//! The product's own flags: which there are, and what a document must say of them. One that does not do what it is there
//! for would be found out in the incident that it was meant for.

use leaderboard_core::{PlayerId, TenantId, Timestamp};
use leaderboard_flags::{FlagSet, FlagType};
use serde_json::Value;

use super::Subject;
use super::flags::{MAX_OWN_STEPS, seconds};
use leaderboard_api::ApiVersion;
use leaderboard_api::Problem;
use leaderboard_api::json::{Errors, Pointer};

/// `false`: writes of a tenant, or of all tenants in the operator's set, are refused.
pub const WRITES: &str = "edgeboard.writes";
/// `true`: callers who name no version are answered in the second. The tenant's set counts before the operator's.
pub const V2_DEFAULT: &str = "edgeboard.api-v2-default";
/// What the keys of the product's own flags begin with, and nobody else's.
const PREFIX: &str = "edgeboard.";

/// Whether a set's flags of the product's own are in use, true or false, and decided in time.
///
/// # Errors
/// A `validation` problem that lists what is wrong, each with its place in the document.
pub fn check_own(set: &FlagSet, tenant: &TenantId, now: Timestamp) -> Result<(), Problem> {
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
        let place = |member| Pointer::Key(&flag, member);
        if !outline.enabled {
            errors.add(
                &place("state"),
                "must be ENABLED: the default variant is the switch",
            );
        }
        if outline.flag_type != FlagType::Boolean {
            errors.add(&place("variants"), "must be true or false each");
        }
        if !outline.has_default {
            errors.add(&place("defaultVariant"), "must name a variant");
        }
        if let Some(cause) = failure(set, key, tenant, now) {
            errors.add(
                &place("targeting"),
                format!("must choose a variant in {MAX_OWN_STEPS} steps: {cause}"),
            );
        }
    }
    errors.check()
}

/// Why a flag is not decided for somebody as they come: a player, or nobody in particular.
fn failure(set: &FlagSet, key: &str, tenant: &TenantId, now: Timestamp) -> Option<String> {
    let player = PlayerId::new("player").ok();
    [player.as_ref(), None].into_iter().find_map(|player| {
        let subject = Subject {
            tenant,
            player,
            client: Some([192, 0, 2, 1].into()),
            country: Some(*b"UY"),
            version: Some(ApiVersion::V1),
        };
        let context = Value::Object(subject.context());
        set.evaluate_within(key, &context, seconds(now), MAX_OWN_STEPS)
            .err()
            .map(|error| error.detail)
    })
}
