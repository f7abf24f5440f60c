//! Tenants, and what holds for all that is theirs.

use crate::admin::operation::{Body, DOCUMENTS, Field, Kind, LETTERS, Noun, Operation, RECORDS, View};

pub(super) const FLAGS: Noun = Noun {
    name: "flags",
    about: "Feature flags, as flagd defines them",
    operations: &[
        Operation::get("get", "/flags", "Show the flags")
            .for_operator()
            .conditional()
            .view(View::Named(
                "flags",
                &["state", "defaultVariant", "variants", "targeting"],
            )),
        Operation::put("/flags", "Replace the flags", Body::Required(&[]))
            .for_operator()
            .conditional()
            .view(View::Named(
                "flags",
                &["state", "defaultVariant", "variants", "targeting"],
            )),
        Operation::delete("delete", "/flags", "Remove all flags", "flags removed")
            .for_operator()
            .conditional(),
    ],
};

pub(super) const LIMITS: Noun = Noun {
    name: "limits",
    about: "Rate limits and lists of addresses",
    operations: &[
        Operation::get("get", "/limits", "Show the limits that are set")
            .for_operator()
            .conditional(),
        Operation::put("/limits", "Replace the limits", Body::Required(&[]))
            .for_operator()
            .conditional(),
        Operation::delete(
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
const TENANT_FIELDS: &[Field] = &[
    Field::new("title", "title", Kind::Text, "The name for people"),
    Field::new(
        "state",
        "state",
        Kind::One(&["active", "suspended"]),
        "Whether it is served",
    ),
    Field::new(
        "max-leaderboards",
        "quotas.leaderboards",
        Kind::Integer,
        "The most leaderboards",
    ),
    Field::new(
        "max-entries",
        "quotas.entries",
        Kind::Integer,
        "The most entries in all leaderboards",
    ),
    Field::new(
        "max-requests-per-day",
        "quotas.requests_per_day",
        Kind::Integer,
        "The most requests in a day (UTC)",
    ),
    Field::new(
        "max-log-bytes",
        "quotas.log_bytes",
        Kind::Integer,
        "The most bytes in all event logs",
    ),
    Field::new(
        "tokens-not-before",
        "tokens_not_before",
        Kind::Instant,
        "Tokens of players that were issued before are refused",
    ),
];
pub(super) const TENANTS: Noun = Noun {
    name: "tenants",
    about: "Tenants and their quotas",
    operations: &[
        Operation::get("list", "/tenants", "List the tenants")
            .paged(DOCUMENTS)
            .view(View::Rows(
                "tenants",
                &[
                    "id",
                    "title",
                    "state",
                    "quotas.leaderboards",
                    "quotas.entries",
                    "quotas.requests_per_day",
                ],
            )),
        Operation::get("get", TENANT, "Show a tenant; without its id, one's own")
            .without("/tenant")
            .conditional(),
        Operation::put(
            TENANT,
            "Create or replace a tenant's record; what is left out has its default, but for tokens-not-before",
            Body::Defaults(TENANT_FIELDS),
        )
        .conditional(),
        Operation::patch(TENANT, "Change some fields of a tenant's record", TENANT_FIELDS).conditional(),
    ],
};

pub(super) const USAGE: Noun = Noun {
    name: "usage",
    about: "What a tenant has and uses",
    operations: &[Operation::get(
        "get",
        "/tenants/{tenant}/usage",
        "Show a tenant's usage by day; without its id, one's own",
    )
    .without("/tenant/usage")
    .query(&[Field::new(
        "days",
        "days",
        Kind::Integer,
        "How many days, 1 to 400 [default: 30]",
    )])
    .view(View::Rows("days", &["day", "requests", "scores"]))],
};

pub(super) const AUDIT: Noun = Noun {
    name: "audit",
    about: "The audit log: who did what",
    operations: &[Operation::get("list", "/audit", "List the records, newest first")
        .for_operator()
        .paged(RECORDS)
        .view(View::Rows(
            "records",
            &[
                "position",
                "at",
                "event.type",
                "event.who",
                "event.method",
                "event.route",
                "event.parameters",
                "event.from",
                "event.trace",
            ],
        ))],
};

pub(super) const DEAD_LETTERS: Noun = Noun {
    name: "dead-letters",
    about: "Published scores that could not be applied",
    operations: &[
        Operation::get("list", "/dead-letters", "List the dead letters, newest first")
            .query(&[Field::new(
                "of-tenant",
                "tenant",
                Kind::Text,
                "With the operator's key, those of this tenant and not of all",
            )])
            .paged(LETTERS)
            .view(View::Rows(
                "letters",
                &["id", "tenant", "at", "reason", "payload", "complete"],
            )),
        Operation::post(
            "replay",
            "/dead-letters/{letter}/replay",
            "Apply a dead letter's submission now; one that is refused again stays",
            Body::None,
        ),
        Operation::delete(
            "drop",
            "/dead-letters/{letter}",
            "Delete a dead letter without applying it",
            "dropped",
        ),
    ],
};
