//! The operations about feature flags.

use crate::operation::{DescribedResponse, Operation, Shape};

const SET: Shape = Shape::Json("FlagSet");
const CONDITIONS: &[&str] = &["ifMatch", "ifNoneMatch"];
const TAGGED: &[&str] = &["ETag"];
const READ: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The document as it was sent.", SET)
        .with(TAGGED)
        .like(&["flags-read"]),
    DescribedResponse::unchanged(),
];
const PUT: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The flags were replaced.", SET)
        .with(TAGGED)
        .like(&["flags-replaced"]),
    DescribedResponse::new(201, "The flags were created.", SET)
        .with(TAGGED)
        .like(&["flags-created"]),
];
const DELETED: &[DescribedResponse] = &[DescribedResponse::done("The flags are removed.")];
const ABOUT: &str = "The document is a [flagd definition](https://flagd.dev/reference/flag-definitions/).";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/flags", "readFlags", "Read the tenant's flags")
        .about(ABOUT)
        .takes(CONDITIONS)
        .gives(READ)
        .refuses(&[412]),
    Operation::new("PUT", "/flags", "putFlags", "Set the tenant's flags")
        .about(ABOUT)
        .takes(CONDITIONS)
        .reads("FlagSet")
        .gives(PUT)
        .refuses(&[409, 412]),
    Operation::new("DELETE", "/flags", "deleteFlags", "Remove the tenant's flags")
        .takes(CONDITIONS)
        .gives(DELETED)
        .refuses(&[412]),
    Operation::new(
        "GET",
        "/operator/flags",
        "readOperatorFlags",
        "Read the operator's flags for all tenants",
    )
    .about(ABOUT)
    .takes(CONDITIONS)
    .gives(READ)
    .refuses(&[412]),
    Operation::new(
        "PUT",
        "/operator/flags",
        "putOperatorFlags",
        "Set the operator's flags for all tenants",
    )
    .about(ABOUT)
    .takes(CONDITIONS)
    .reads("FlagSet")
    .gives(PUT)
    .refuses(&[409, 412]),
    Operation::new(
        "DELETE",
        "/operator/flags",
        "deleteOperatorFlags",
        "Remove the operator's flags",
    )
    .takes(CONDITIONS)
    .gives(DELETED)
    .refuses(&[412]),
    Operation::new(
        "POST",
        "/ofrep/v1/evaluate/flags",
        "evaluateFlags",
        "Evaluate all flags (OFREP 0.3)",
    )
    .takes(&["ifNoneMatch"])
    .reads("OfrepContext")
    .gives(&[
        DescribedResponse::new(200, "The values of all flags.", Shape::Plain("OfrepFlags"))
            .with(TAGGED)
            .like(&["ofrep-all"]),
        DescribedResponse::unchanged(),
        DescribedResponse::new(
            400,
            "The flags cannot be evaluated for this context. The body is an error of the protocol.",
            Shape::Plain("OfrepFailure"),
        )
        .like(&["ofrep-bad-context"]),
    ]),
    Operation::new(
        "POST",
        "/ofrep/v1/evaluate/flags/:flag",
        "evaluateFlag",
        "Evaluate a flag (OFREP 0.3)",
    )
    .reads("OfrepContext")
    .gives(&[
        DescribedResponse::new(200, "The value of the flag.", Shape::Plain("OfrepFlag")).like(&["ofrep-one"]),
        DescribedResponse::new(
            400,
            "The flag cannot be evaluated. The body is an error of the protocol.",
            Shape::Plain("OfrepFailure"),
        )
        .like(&["ofrep-not-evaluated"]),
        DescribedResponse::new(
            404,
            "The flag does not exist. The body is an error of the protocol.",
            Shape::Plain("OfrepFailure"),
        )
        .like(&["ofrep-no-flag"]),
    ]),
];
