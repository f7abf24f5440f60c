//! The operations about tenants, limits and the audit log.

use crate::operation::{DescribedResponse, Operation, Shape};

const TENANT: &str = "/tenants/:tenant";
const RECORD: Shape = Shape::Json("Tenant");
const LIMITS: Shape = Shape::Json("Limits");
const CONDITIONS: &[&str] = &["ifMatch", "ifNoneMatch"];
const TAGGED: &[&str] = &["ETag"];
const READ_LIMITS: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The limits.", LIMITS)
        .with(TAGGED)
        .like(&["limits-read"]),
    DescribedResponse::unchanged(),
];
const PUT_LIMITS: &[DescribedResponse] = &[
    DescribedResponse::new(200, "They were replaced.", LIMITS)
        .with(TAGGED)
        .like(&["limits-replaced"]),
    DescribedResponse::new(201, "They were created.", LIMITS)
        .with(TAGGED)
        .like(&["limits-created"]),
];
const DELETED: &[DescribedResponse] = &[DescribedResponse::done("What it set has its default again.")];
const AUDIT: &[DescribedResponse] =
    &[DescribedResponse::new(200, "A page of the log.", Shape::Json("AuditLog")).like(&["audit"])];
const USAGE: &[DescribedResponse] =
    &[
        DescribedResponse::new(200, "Usage by day, and what is held now.", Shape::Json("Usage"))
            .like(&["usage"]),
    ];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/tenants", "listTenants", "List the tenants' records")
        .about("The list is in the order of the ids. A walk by `cursor` returns each item that stays in the list exactly once. Each page shows the state at the time when the page is read. An item that is created behind the cursor is not returned.")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(
            200,
            "A page of records.",
            Shape::Json("Tenants"),
        )
        .like(&["tenants-listed"])]),
    Operation::new("GET", TENANT, "readTenant", "Read a tenant's record")
        .takes(CONDITIONS)
        .gives(&[
            DescribedResponse::new(200, "The record.", RECORD)
                .with(TAGGED)
                .like(&["tenant-read"]),
            DescribedResponse::unchanged(),
        ])
        .refuses(&[412]),
    Operation::new("PUT", TENANT, "putTenant", "Create or replace a tenant's record")
        .takes(CONDITIONS)
        .reads("TenantWritten")
        .gives(&[
            DescribedResponse::new(200, "It was replaced.", RECORD)
                .with(TAGGED)
                .like(&["tenant-replaced"]),
            DescribedResponse::new(201, "It was created.", RECORD)
                .with(&["ETag", "Location"])
                .like(&["tenant-created"]),
        ])
        .refuses(&[409, 412]),
    Operation::new("PATCH", TENANT, "patchTenant", "Change a tenant's record")
        .about("A merge patch (RFC 7396): `{\"state\": \"suspended\"}`.")
        .takes(CONDITIONS)
        .reads("TenantPatch")
        .gives(&[DescribedResponse::new(200, "It was changed.", RECORD)
            .with(TAGGED)
            .like(&["tenant-patched"])])
        .refuses(&[409, 412]),
    Operation::new(
        "GET",
        "/tenants/:tenant/usage",
        "readTenantUsage",
        "Read what a tenant uses",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new(
        "GET",
        "/tenant",
        "readOwnTenant",
        "Read the tenant of the credential",
    )
    .gives(&[DescribedResponse::new(200, "Its record, and what it holds now.", RECORD).like(&["tenant-own"])]),
    Operation::new(
        "GET",
        "/tenant/usage",
        "readOwnUsage",
        "Read what the tenant of the credential uses",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new("GET", "/audit", "readAudit", "Read the tenant's audit log")
        .about("Newest first. Nothing changes a record, so a walk by `before` shows every record there was when it began, once; newer ones are before its first page, and the oldest fall off the end of a full log.")
        .takes(&["limitOfRecords", "before"])
        .gives(AUDIT),
    Operation::new(
        "GET",
        "/operator/audit",
        "readOperatorAudit",
        "Read the audit log of what is no tenant's",
    )
    .about("As the tenant's: newest first, and nothing changes a record.")
    .takes(&["limitOfRecords", "before"])
    .gives(AUDIT),
    Operation::new("GET", "/limits", "readLimits", "Read the tenant's limits")
        .takes(CONDITIONS)
        .gives(READ_LIMITS)
        .refuses(&[412]),
    Operation::new("PUT", "/limits", "putLimits", "Set the tenant's limits")
        .takes(CONDITIONS)
        .reads("Limits")
        .gives(PUT_LIMITS)
        .refuses(&[409, 412]),
    Operation::new(
        "DELETE",
        "/limits",
        "deleteLimits",
        "Go back to the default limits",
    )
    .takes(CONDITIONS)
    .gives(DELETED)
    .refuses(&[412]),
    Operation::new(
        "GET",
        "/operator/limits",
        "readOperatorLimits",
        "Read the operator's limits for all tenants",
    )
    .takes(CONDITIONS)
    .gives(READ_LIMITS)
    .refuses(&[412]),
    Operation::new(
        "PUT",
        "/operator/limits",
        "putOperatorLimits",
        "Set the operator's limits for all tenants",
    )
    .takes(CONDITIONS)
    .reads("Limits")
    .gives(PUT_LIMITS)
    .refuses(&[409, 412]),
    Operation::new(
        "DELETE",
        "/operator/limits",
        "deleteOperatorLimits",
        "Go back to the built-in limits",
    )
    .takes(CONDITIONS)
    .gives(DELETED)
    .refuses(&[412]),
];
