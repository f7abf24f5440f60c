//! The operations about feature flags.

use crate::operation::{DescribedResponse, Name, Operation, Shape};

const SET: Shape = Shape::Json("FlagSet");
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

/// The operations on the tenant's flags and on the operator's.
pub(super) const FLAGS: [[Operation; 3]; 2] = [
    flags(
        "/flags",
        [
            ("readFlags", "Read the tenant's flags"),
            ("putFlags", "Set the tenant's flags"),
            ("deleteFlags", "Remove the tenant's flags"),
        ],
    ),
    flags(
        "/operator/flags",
        [
            ("readOperatorFlags", "Read the operator's flags for all tenants"),
            ("putOperatorFlags", "Set the operator's flags for all tenants"),
            ("deleteOperatorFlags", "Remove the operator's flags"),
        ],
    ),
];

/// Returns the operations on a document of flags. `names` are their ids and summaries.
const fn flags(pattern: &'static str, names: [Name; 3]) -> [Operation; 3] {
    let [read, put, delete] = names;
    [
        Operation::new("GET", pattern, read.0, read.1)
            .about(ABOUT)
            .checks_version()
            .gives(READ),
        Operation::new("PUT", pattern, put.0, put.1)
            .about(ABOUT)
            .checks_version()
            .reads("FlagSet")
            .gives(PUT)
            .refuses(&[409, 412]),
        Operation::new("DELETE", pattern, delete.0, delete.1)
            .checks_version()
            .gives(DELETED),
    ]
}
