//! The operations about health, metrics and regions, and the files of the component `docs`.

use crate::operation::{DescribedResponse, Operation, Shape};

const HEALTH: Shape = Shape::Json("Health");
const DETAILED: Shape = Shape::Json("DetailedHealth");
const DRAFT: &str = "HealthDraft";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/", "start", "Redirect to the description of the API")
        .gives(&[DescribedResponse::new(307, "The description is at `/docs`.", Shape::Empty).with(&["Location"])]),
    Operation::new(
        "GET",
        "/health/live",
        "readLiveness",
        "Check whether the service runs",
    )
    .gives(&[DescribedResponse::new(200, "The service runs.", HEALTH).like(&["health-live"])]),
    Operation::new(
        "GET",
        "/health/ready",
        "readReadiness",
        "Check whether the service can answer requests",
    )
    .about("The state is `warn`, with the status 200, if a setting of the store's server should be changed.")
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
        "Read the health of each component",
    )
    .about("If `Accept` names `application/health+json`, the response has the form of draft-inadarei-api-health-check.")
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
        .about("The metrics are in the Prometheus text format. The metrics key may also be sent as a bearer token.")
        .gives(&[DescribedResponse::new(200, "The metrics.", Shape::Text("text/plain")).like(&["metrics"])]),
    Operation::new("GET", "/regions", "listRegions", "List the regions")
        .about(
            "For the operator: the regions that share the store and have reported themselves in the last 35 seconds. A region \
             reports itself every 10 seconds while its readiness is checked.",
        )
        .gives(&[DescribedResponse::new(200, "The regions.", Shape::Json("Regions")).like(&["regions"])]),
    Operation::file("/openapi.json", "readDescription", "Read the description of the newest version").gives(DESCRIPTION),
    Operation::file("/openapi/v1.json", "readDescriptionOfVersion1", "Read the description of version 1").gives(DESCRIPTION),
    Operation::file("/openapi/v1-strings.json", "readDescriptionOfVersion1WithStrings", "Read the description of version 1 with 64-bit integers as strings").gives(DESCRIPTION),
    Operation::file("/openapi/v2.json", "readDescriptionOfVersion2", "Read the description of version 2").gives(DESCRIPTION),
    Operation::file("/openapi/v2-strings.json", "readDescriptionOfVersion2WithStrings", "Read the description of version 2 with 64-bit integers as strings").gives(DESCRIPTION),
    Operation::file("/problems", "listProblemTypes", "Show all problem types as a page").gives(PAGE),
    Operation::file("/problems/:type", "explainProblemType", "Show the meaning of a problem type as a page")
        .about("The `type` of a problem document is the address of such a page.")
        .gives(PAGE)
        .refuses(&[404]),
    Operation::file("/docs", "showDescription", "Show this description as a page").gives(&[
        DescribedResponse::new(200, "The page.", Shape::Text("text/html")).with(TAGGED),
        DescribedResponse::unchanged(),
    ]),
    Operation::file("/docs/start.js", "readStartScript", "Read the script that starts the page").gives(&[
        DescribedResponse::new(200, "The script.", Shape::Text("text/javascript")).with(TAGGED),
        DescribedResponse::unchanged(),
    ]),
    Operation::file("/docs/scalar.js", "readPageScript", "Read the script that draws the page").gives(&[
        DescribedResponse::new(200, "The script.", Shape::Text("text/javascript")).with(&["ETag", "Content-Encoding"]),
        DescribedResponse::unchanged().with(&["ETag", "Content-Encoding"]),
    ]),
];

const TAGGED: &[&str] = &["ETag"];
const CODED: &[&str] = &["ETag", "Content-Encoding"];
const DESCRIPTION: &[DescribedResponse] = &[
    DescribedResponse::new(
        200,
        "The description, as an OpenAPI 3.1 document.",
        Shape::Plain("Description"),
    )
    .with(CODED),
    DescribedResponse::unchanged().with(CODED),
];
const PAGE: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The page.", Shape::Text("text/html")).with(TAGGED),
    DescribedResponse::unchanged(),
];
