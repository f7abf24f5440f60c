//! The operations about tenants, limits and the audit log.

use crate::operation::{DescribedResponse, Name, Operation, Shape};

const TENANT: &str = "/tenants/:tenant";
const RECORD: Shape = Shape::Json("Tenant");
const SHARD: Shape = Shape::Json("TenantShard");
const DOCUMENT: Shape = Shape::Json("Limits");
const TAGGED: &[&str] = &["ETag"];
const READ_LIMITS: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The limits.", DOCUMENT)
        .with(TAGGED)
        .like(&["limits-read"]),
    DescribedResponse::unchanged(),
];
const PUT_LIMITS: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The limits were replaced.", DOCUMENT)
        .with(TAGGED)
        .like(&["limits-replaced"]),
    DescribedResponse::new(201, "The limits were created.", DOCUMENT)
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
        .lists_by_id()
        .gives(&[DescribedResponse::new(
            200,
            "A page of tenants' records.",
            Shape::Json("Tenants"),
        )
        .like(&["tenants-listed"])]),
    Operation::new("GET", TENANT, "readTenant", "Read a tenant's record")
        .checks_version()
        .gives(&[
            DescribedResponse::new(200, "The record.", RECORD)
                .with(TAGGED)
                .like(&["tenant-read"]),
            DescribedResponse::unchanged(),
        ]),
    Operation::new("PUT", TENANT, "putTenant", "Create or replace a tenant's record")
        .checks_version()
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
        .checks_version()
        .reads("TenantPatch")
        .gives(&[DescribedResponse::new(200, "The record was changed.", RECORD)
            .with(TAGGED)
            .like(&["tenant-patched"])])
        .refuses(&[409, 412]),
    Operation::new("GET", "/tenants/:tenant/usage",
        "readTenantUsage",
        "Read the usage of a tenant",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new("GET", "/tenants/:tenant/shard", "readTenantShard", "Read on which shard a tenant lives")
        .gives(&[DescribedResponse::new(200, "The shard.", SHARD).like(&["tenant-shard"])]),
    Operation::new("PUT", "/tenants/:tenant/shard", "moveTenant", "Move a tenant to another shard")
        .about("One request does as much of the move as two seconds allow, so send it until the response is 200. The tenant can be read during the whole move. Writes get 503 while data is copied. A request with the shard where the tenant lives ends a move that is not `cleaning` yet.")
        .reads("TenantShardWritten")
        .gives(&[
            DescribedResponse::new(200, "The move is done.", SHARD).like(&["tenant-moved"]),
            DescribedResponse::new(202, "The move is not done yet.", SHARD).with(&["Retry-After"]).like(&["tenant-moving"]),
        ])
        .refuses(&[409]),
    Operation::new("GET", "/tenant",
        "readOwnTenant",
        "Read the record of the caller's tenant",
    )
    .gives(&[DescribedResponse::new(200, "The record, and how much of the quotas is used now.", RECORD).like(&["tenant-own"])]),
    Operation::new("GET", "/tenant/usage",
        "readOwnUsage",
        "Read the usage of the caller's tenant",
    )
    .takes(&["days"])
    .gives(USAGE),
    Operation::new("GET", "/audit", "readAudit", "Read the tenant's audit log")
        .about("The list is newest first. Records never change, so a client that follows `next` gets each record that existed at the first page exactly once. A full log loses its oldest records.")
        .takes(&["limitOfRecords", "before"])
        .gives(AUDIT),
    Operation::new("GET", "/operator/audit",
        "readOperatorAudit",
        "Read the audit log of the operator",
    )
    .about("This log has the records that belong to no tenant. The list is newest first, and records never change.")
    .takes(&["limitOfRecords", "before"])
    .gives(AUDIT),
];

/// The operations on the tenant's limits and on the operator's.
pub(super) const LIMITS: [[Operation; 3]; 2] = [
    limits(
        "/limits",
        [
            ("readLimits", "Read the tenant's limits"),
            ("putLimits", "Set the tenant's limits"),
            ("deleteLimits", "Remove the tenant's limits"),
        ],
    ),
    limits(
        "/operator/limits",
        [
            ("readOperatorLimits", "Read the operator's limits for all tenants"),
            ("putOperatorLimits", "Set the operator's limits for all tenants"),
            (
                "deleteOperatorLimits",
                "Remove the operator's limits for all tenants",
            ),
        ],
    ),
];

/// Returns the operations on a document of limits. `names` are their ids and summaries.
const fn limits(pattern: &'static str, names: [Name; 3]) -> [Operation; 3] {
    let [read, put, delete] = names;
    [
        Operation::new("GET", pattern, read.0, read.1)
            .checks_version()
            .gives(READ_LIMITS),
        Operation::new("PUT", pattern, put.0, put.1)
            .checks_version()
            .reads("Limits")
            .gives(PUT_LIMITS)
            .refuses(&[409, 412]),
        Operation::new("DELETE", pattern, delete.0, delete.1)
            .checks_version()
            .gives(DELETED),
    ]
}
