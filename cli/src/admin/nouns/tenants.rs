//! The commands about tenants, and about a tenant's documents and records.

use crate::admin::operation::OptionKind::{Instant, Integer, One, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, LETTERS, Noun, RECORDS, options,
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
        AdminOperation::get("get", "/limits", "Show the limits that are set")
            .for_operator()
            .conditional(),
        AdminOperation::put("/limits", "Replace the limits", BodyRule::Required(&[]))
            .for_operator()
            .conditional(),
        AdminOperation::delete(
            "delete",
            "/limits",
            "Remove what was set; the defaults hold",
            "limits removed",
        )
        .for_operator()
        .conditional(),
    ],
};

const TENANT: &str = "/tenants/{tenant}";
const TENANT_FIELDS: &[CommandOption] = options! {
    "title" => "title": Text, "The name for people";
    "state" => "state": One(&["active", "suspended"]), "Whether it is served";
    "max-leaderboards" => "quotas.leaderboards": Integer, "The most leaderboards";
    "max-entries" => "quotas.entries": Integer, "The most entries in all leaderboards";
    "max-requests-per-day" => "quotas.requests_per_day": Integer, "The most requests in a day (UTC)";
    "max-log-bytes" => "quotas.log_bytes": Integer, "The most bytes in all event logs";
    "tokens-not-before" => "tokens_not_before": Instant, "Tokens of players that were issued before are refused";
};
const TENANT_COLUMNS: &str = "id title state quotas.leaderboards quotas.entries quotas.requests_per_day";
pub(super) const TENANTS: Noun = Noun {
    name: "tenants",
    about: "Tenants and their quotas",
    operations: &[
        AdminOperation::get("list", "/tenants", "List the tenants")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows("tenants", TENANT_COLUMNS)),
        AdminOperation::get("get", TENANT, "Show a tenant; without its id, one's own")
            .without("/tenant")
            .conditional(),
        AdminOperation::put(
            TENANT,
            "Create or replace a tenant's record; what is left out has its default, but for tokens-not-before",
            BodyRule::Defaults(TENANT_FIELDS),
        )
        .conditional(),
        AdminOperation::patch(TENANT, "Change some fields of a tenant's record", TENANT_FIELDS).conditional(),
    ],
};

const USAGE_PARAMETERS: &[CommandOption] = options! {
    "days" => "days": Integer, "How many days, 1 to 400 [default: 30]";
};
pub(super) const USAGE: Noun = Noun {
    name: "usage",
    about: "What a tenant has and uses",
    operations: &[AdminOperation::get(
        "get",
        "/tenants/{tenant}/usage",
        "Show a tenant's usage by day; without its id, one's own",
    )
    .without("/tenant/usage")
    .query(USAGE_PARAMETERS)
    .view(AnswerFormat::Rows("days", "day requests scores"))],
};

const AUDIT_COLUMNS: &str =
    "position at event.type event.who event.method event.route event.parameters event.from event.trace";
pub(super) const AUDIT: Noun = Noun {
    name: "audit",
    about: "The audit log: who did what",
    operations: &[
        AdminOperation::get("list", "/audit", "List the records, newest first")
            .for_operator()
            .paged(RECORDS)
            .view(AnswerFormat::Rows("records", AUDIT_COLUMNS)),
    ],
};

const LETTER_PARAMETERS: &[CommandOption] = options! {
    "of-tenant" => "tenant": Text, "With the operator's key, those of this tenant and not of all";
};
pub(super) const DEAD_LETTERS: Noun = Noun {
    name: "dead-letters",
    about: "Published scores that could not be applied",
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
            "Apply a dead letter's submission now; one that is refused again stays",
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
