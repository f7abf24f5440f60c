//! Health, metrics, and the description itself.

use crate::operation::{Answer, Operation, Shape};

const HEALTH: Shape = Shape::Json("Health");
const DETAILED: Shape = Shape::Json("DetailedHealth");
const DRAFT: &str = "HealthDraft";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/health/live",
        "readLiveness",
        "Ask whether the service lives",
    )
    .gives(&[Answer::new(200, "It does.", HEALTH).like(&["health-live"])]),
    Operation::new(
        "GET",
        "/health/ready",
        "readReadiness",
        "Ask whether the service can work",
    )
    .gives(&[
        Answer::new(200, "The store answers.", HEALTH).like(&["health-ready"]),
        Answer::new(503, "The store does not answer.", HEALTH)
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
        Answer::new(200, "The service works.", DETAILED)
            .or(DRAFT)
            .like(&["health-detailed", "health-draft"]),
        Answer::new(503, "The store fails.", DETAILED)
            .or(DRAFT)
            .with(&["Retry-After"])
            .like(&["health-failing"]),
    ]),
    Operation::new("GET", "/metrics", "readMetrics", "Read the metrics")
        .about("Prometheus text format. With the operator's key, or the one that allows nothing else, which may also come as a bearer token.")
        .gives(&[Answer::new(200, "The metrics.", Shape::Text("text/plain")).like(&["metrics"])]),
    Operation::file("/openapi.json", "readDescription", "Read this description").gives(&[
        Answer::new(200, "OpenAPI 3.1.", Shape::Plain("Description")).with(TAGGED),
        Answer::unchanged(),
    ]),
    Operation::file("/docs", "showDescription", "See this description as a page").gives(&[
        Answer::new(200, "The page.", Shape::Text("text/html")).with(TAGGED),
        Answer::unchanged(),
    ]),
    Operation::file("/docs/start.js", "readStartScript", "Read what starts the page").gives(&[
        Answer::new(200, "The script.", Shape::Text("text/javascript")).with(TAGGED),
        Answer::unchanged(),
    ]),
    Operation::file("/docs/scalar.js", "readPageScript", "Read what draws the page").gives(&[
        Answer::new(200, "The script.", Shape::Text("text/javascript")).with(&["ETag", "Content-Encoding"]),
        Answer::unchanged().with(&["ETag", "Content-Encoding"]),
    ]),
];

const TAGGED: &[&str] = &["ETag"];
