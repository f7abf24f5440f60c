//! The operations about health and metrics, and the files of the component `docs`.

use crate::operation::{DescribedResponse, Operation, Shape};

const HEALTH: Shape = Shape::Json("Health");
const DETAILED: Shape = Shape::Json("DetailedHealth");
const DRAFT: &str = "HealthDraft";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/", "start", "Go to the description of this API")
        .gives(&[DescribedResponse::new(307, "It is at `/docs`.", Shape::Empty).with(&["Location"])]),
    Operation::new(
        "GET",
        "/health/live",
        "readLiveness",
        "Ask whether the service lives",
    )
    .gives(&[DescribedResponse::new(200, "It does.", HEALTH).like(&["health-live"])]),
    Operation::new(
        "GET",
        "/health/ready",
        "readReadiness",
        "Ask whether the service can work",
    )
    .about("A warning, with 200, where a setting of the store's server is to be changed.")
    .gives(&[
        DescribedResponse::new(200, "The store answers.", HEALTH).like(&["health-ready"]),
        DescribedResponse::new(503, "The store does not answer.", HEALTH)
            .with(&["Retry-After"])
            .like(&["health-not-ready"]),
    ]),
    Operation::new(
        "GET",
        "/health/detailed",
        "readHealth",
        "Read the health of every part",
    )
    .about("Also as `application/health+json` where `Accept` names it.")
    .gives(&[
        DescribedResponse::new(200, "The service works.", DETAILED)
            .or(DRAFT)
            .like(&["health-detailed", "health-draft"]),
        DescribedResponse::new(503, "The store fails.", DETAILED)
            .or(DRAFT)
            .with(&["Retry-After"])
            .like(&["health-failing"]),
    ]),
    Operation::new("GET", "/metrics", "readMetrics", "Read the metrics")
        .about("Prometheus text format. With the operator's key, or the one that allows nothing else, which may also come as a bearer token.")
        .gives(&[DescribedResponse::new(200, "The metrics.", Shape::Text("text/plain")).like(&["metrics"])]),
    Operation::file("/openapi.json", "readDescription", "Read the description of the newest version").gives(DESCRIPTION),
    Operation::file("/openapi/v1.json", "readDescriptionOfVersion1", "Read the description of version 1").gives(DESCRIPTION),
    Operation::file("/openapi/v1-strings.json", "readDescriptionOfVersion1WithStrings", "Read the description of version 1 with 64-bit integers as strings").gives(DESCRIPTION),
    Operation::file("/openapi/v2.json", "readDescriptionOfVersion2", "Read the description of version 2").gives(DESCRIPTION),
    Operation::file("/openapi/v2-strings.json", "readDescriptionOfVersion2WithStrings", "Read the description of version 2 with 64-bit integers as strings").gives(DESCRIPTION),
    Operation::file("/problems", "listProblemTypes", "See all problem types as a page").gives(PAGE),
    Operation::file("/problems/:type", "explainProblemType", "See what a problem type means, as a page")
        .about("The `type` of a problem document is the address of such a page.")
        .gives(PAGE)
        .refuses(&[404]),
    Operation::file("/docs", "showDescription", "See this description as a page").gives(&[
        DescribedResponse::new(200, "The page.", Shape::Text("text/html")).with(TAGGED),
        DescribedResponse::unchanged(),
    ]),
    Operation::file("/docs/start.js", "readStartScript", "Read what starts the page").gives(&[
        DescribedResponse::new(200, "The script.", Shape::Text("text/javascript")).with(TAGGED),
        DescribedResponse::unchanged(),
    ]),
    Operation::file("/docs/scalar.js", "readPageScript", "Read what draws the page").gives(&[
        DescribedResponse::new(200, "The script.", Shape::Text("text/javascript")).with(&["ETag", "Content-Encoding"]),
        DescribedResponse::unchanged().with(&["ETag", "Content-Encoding"]),
    ]),
];

const TAGGED: &[&str] = &["ETag"];
const CODED: &[&str] = &["ETag", "Content-Encoding"];
const DESCRIPTION: &[DescribedResponse] = &[
    DescribedResponse::new(200, "OpenAPI 3.1.", Shape::Plain("Description")).with(CODED),
    DescribedResponse::unchanged().with(CODED),
];
const PAGE: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The page.", Shape::Text("text/html")).with(TAGGED),
    DescribedResponse::unchanged(),
];
