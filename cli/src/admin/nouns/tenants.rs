//! The commands about tenants, and about a tenant's documents and records.

use crate::admin::operation::OptionKind::{Instant, Integer, One, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, EVENTS, LETTERS, Noun, RECORDS, options,
};

const FLAG_TABLE: AnswerFormat = AnswerFormat::Named("flags", "state defaultVariant variants targeting");
pub(super) const FLAGS: Noun = Noun {
    name: "flags",
    about: "Feature flags, as flagd defines them",
    operations: &[
        AdminOperation::get("get", "/flags", "Show the flags")
            .for_operator()
            .conditional()
            .view(FLAG_TABLE),
        AdminOperation::put("/flags", "Replace the flags", BodyRule::Required(&[]))
            .for_operator()
            .conditional()
            .view(FLAG_TABLE),
        AdminOperation::delete("delete", "/flags", "Remove all flags", "flags removed")
            .for_operator()
            .conditional(),
    ],
};

pub(super) const LIMITS: Noun = Noun {
    name: "limits",
    about: "Rate limits and lists of addresses",
    operations: &[
        AdminOperation::get("get", "/limits", "Show the limits")
            .for_operator()
            .conditional(),
        AdminOperation::put("/limits", "Replace the limits", BodyRule::Required(&[]))
            .for_operator()
            .conditional(),
        AdminOperation::delete(
            "delete",
            "/limits",
            "Remove the limits; the defaults apply",
            "limits removed",
        )
        .for_operator()
        .conditional(),
    ],
};

const TENANT: &str = "/tenants/{tenant}";
const SHARD: &str = "/tenants/{tenant}/shard";
const TENANT_FIELDS: &[CommandOption] = options! {
    "title" => "title": Text, "The title of the tenant, for people";
    "state" => "state": One(&["active", "suspended"]), "Whether the service accepts requests of the tenant";
    "max-leaderboards" => "quotas.leaderboards": Integer, "How many leaderboards the tenant may have";
    "max-entries" => "quotas.entries": Integer, "How many entries the tenant may have, in all leaderboards";
    "max-requests-per-day" => "quotas.requests_per_day": Integer, "How many requests the tenant may send in a day (UTC)";
    "max-log-bytes" => "quotas.log_bytes": Integer, "The size limit of the event logs and idempotency records, in bytes";
    "tokens-not-before" => "tokens_not_before": Instant, "Refuse tokens that were issued before this instant";
};
const TENANT_COLUMNS: &str = "id title state quotas.leaderboards quotas.entries quotas.requests_per_day";
pub(super) const TENANTS: Noun = Noun {
    name: "tenants",
    about: "Tenants and their quotas",
    operations: &[
        AdminOperation::get("list", "/tenants", "List the tenants' records")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows("tenants", TENANT_COLUMNS)),
        AdminOperation::get("get", TENANT, "Show a tenant's record; without an id, that of the key's tenant")
            .without("/tenant")
            .conditional(),
        AdminOperation::put(
            TENANT,
            "Create or replace a tenant's record; a field that is left out gets its default, except tokens-not-before",
            BodyRule::Defaults(TENANT_FIELDS),
        )
        .conditional(),
        AdminOperation::patch(TENANT, "Change some fields of a tenant's record", TENANT_FIELDS).conditional(),
    ],
};

const USAGE_PARAMETERS: &[CommandOption] = options! {
    "days" => "days": Integer, "How many days are shown at most, 1 to 400 [default: 30]";
};
pub(super) const USAGE: Noun = Noun {
    name: "usage",
    about: "The usage of a tenant",
    operations: &[AdminOperation::get(
        "get",
        "/tenants/{tenant}/usage",
        "Show a tenant's usage by day; without an id, that of the key's tenant",
    )
    .without("/tenant/usage")
    .query(USAGE_PARAMETERS)
    .view(AnswerFormat::Rows("days", "day requests scores"))],
};

const AUDIT_COLUMNS: &str =
    "position at event.type event.who event.method event.route event.parameters event.from event.trace";
pub(super) const AUDIT: Noun = Noun {
    name: "audit",
    about: "The audit log: which administrative requests were made, and by whom",
    operations: &[
        AdminOperation::get("list", "/audit", "List the records, newest first")
            .for_operator()
            .paged(RECORDS)
            .view(AnswerFormat::Rows("records", AUDIT_COLUMNS)),
    ],
};

const LETTER_PARAMETERS: &[CommandOption] = options! {
    "of-tenant" => "tenant": Text, "With the key of the operator: only the dead letters of this tenant";
};
pub(super) const DEAD_LETTERS: Noun = Noun {
    name: "dead-letters",
    about: "Dead letters: published messages whose submission could not be applied",
    operations: &[
        AdminOperation::get("list", "/dead-letters", "List the dead letters, newest first")
            .query(LETTER_PARAMETERS)
            .paged(LETTERS)
            .view(AnswerFormat::Rows(
                "letters",
                "id tenant at reason payload complete",
            )),
        AdminOperation::post(
            "replay",
            "/dead-letters/{letter}/replay",
            "Apply the submission of a dead letter now, and delete the dead letter unless the submission is refused again",
            BodyRule::None,
        ),
        AdminOperation::delete(
            "drop",
            "/dead-letters/{letter}",
            "Delete a dead letter without applying it",
            "dropped",
        ),
    ],
};

const OF_LEADERBOARD: &[CommandOption] = options! {
    "leaderboard" => "leaderboard": Text, "The leaderboard";
};
pub(super) const PLAYERS: Noun = Noun {
    name: "players",
    about: "A player in all leaderboards",
    operations: &[
        AdminOperation::get(
            "events",
            "/players/{player}/events",
            "List the events of a player",
        )
        .paged(EVENTS)
        .view(AnswerFormat::Rows(
            "events",
            "leaderboard position recorded_at type period values",
        )),
        AdminOperation::get(
            "personal-bests",
            "/players/{player}/personal-bests",
            "Show the personal bests of a player on a leaderboard",
        )
        .query(OF_LEADERBOARD)
        .view(AnswerFormat::Rows(
            "bests",
            "position period values occurred_at recorded_at",
        )),
        AdminOperation::get(
            "pending-scores",
            "/players/{player}/pending-scores",
            "Show the scores of a player that wait in the queue",
        )
        .view(AnswerFormat::Rows("pending", "id accepted_at submissions")),
        AdminOperation::delete(
            "erase",
            "/players/{player}",
            "Erase a player from all data of the tenant",
            "erased",
        ),
    ],
};

pub(super) const REGIONS: Noun = Noun {
    name: "regions",
    about: "The regions that share the store",
    operations: &[
        AdminOperation::get("list", "/regions", "List the regions that have reported recently").view(
            AnswerFormat::Rows(
                "regions",
                "name version started_at reported_at invalidation_lag_ms queue_items queue_lag_ms",
            ),
        ),
    ],
};

const TARGET: &[CommandOption] = options! {
    "to" => "shard": Integer, "The number of the shard, from 1; the tenant's own shard ends a move that is not cleaning yet";
};
pub(super) const SHARDS: Noun = Noun {
    name: "shards",
    about: "On which shard a tenant lives",
    operations: &[
        AdminOperation::get("get", SHARD, "Show on which shard a tenant lives"),
        AdminOperation::put_as(
            "move",
            SHARD,
            "Move a tenant to another shard, with all its data",
            BodyRule::Required(TARGET),
        )
        .view(AnswerFormat::Move),
    ],
};
