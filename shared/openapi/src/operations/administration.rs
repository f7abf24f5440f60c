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
    DescribedResponse::new(200, "The limits were replaced.", LIMITS)
        .with(TAGGED)
        .like(&["limits-replaced"]),
    DescribedResponse::new(201, "The limits were created.", LIMITS)
        .with(TAGGED)
        .like(&["limits-created"]),
];
const DELETED: &[DescribedResponse] = &[DescribedResponse::done(
    "The limits are removed; the defaults apply again.",
)];
const AUDIT: &[DescribedResponse] =
    &[DescribedResponse::new(200, "A page of the audit log.", Shape::Json("AuditLog")).like(&["audit"])];
const USAGE: &[DescribedResponse] = &[DescribedResponse::new(
    200,
    "The usage of each day, and how much of the quotas is used now.",
    Shape::Json("Usage"),
)
.like(&["usage"])];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/tenants", "listTenants", "List the tenants' records")
        .about("The list is in the order of the ids. A client that follows the cursors gets each item that stays in the list exactly once. Each page shows the state at the time when it is read; an item that is created on a part of the list that was already read is not returned.")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(
            200,
            "A page of tenants' records.",
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
            DescribedResponse::new(200, "The record was replaced.", RECORD)
                .with(TAGGED)
                .like(&["tenant-replaced"]),
            DescribedResponse::new(201, "The record was created.", RECORD)
                .with(&["ETag", "Location"])
                .like(&["tenant-created"]),
        ])
        .refuses(&[409, 412]),
    Operation::new("PATCH", TENANT, "patchTenant", "Change a tenant's record")
        .about("The body is a merge patch (RFC 7396), such as `{\"state\": \"suspended\"}`: a field that is left out does not change, and `null` resets a field to its default.")
        .takes(CONDITIONS)
        .reads("TenantPatch")
        .gives(&[DescribedResponse::new(200, "The record was changed.", RECORD)
            .with(TAGGED)
            .like(&["tenant-patched"])])
        .refuses(&[409, 412]),
    Operation::new(
        "GET",
        "/tenants/:tenant/usage",
        "readTenantUsage",
        "Read the usage of a tenant",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new(
        "GET",
        "/tenant",
        "readOwnTenant",
        "Read the record of the caller's tenant",
    )
    .gives(&[DescribedResponse::new(200, "The record, and how much of the quotas is used now.", RECORD).like(&["tenant-own"])]),
    Operation::new(
        "GET",
        "/tenant/usage",
        "readOwnUsage",
        "Read the usage of the caller's tenant",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new("GET", "/audit", "readAudit", "Read the tenant's audit log")
        .about("The list is newest first. Records never change, so a client that follows `next` gets each record that existed at the first page exactly once. A full log loses its oldest records.")
        .takes(&["limitOfRecords", "before"])
        .gives(AUDIT),
    Operation::new(
        "GET",
        "/operator/audit",
        "readOperatorAudit",
        "Read the audit log of the operator",
    )
    .about("This log has the records that belong to no tenant. The list is newest first, and records never change.")
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
        "Remove the tenant's limits",
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
        "Remove the operator's limits for all tenants",
    )
    .takes(CONDITIONS)
    .gives(DELETED)
    .refuses(&[412]),
];
