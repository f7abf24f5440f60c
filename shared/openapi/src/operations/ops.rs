//! Health and metrics.

use crate::operation::{Answer, Operation, Shape};

const HEALTH: Shape = Shape::Json("Health");

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
        Answer::new(503, "The store does not answer.", HEALTH).with(&["Retry-After"]),
    ]),
    Operation::new(
        "GET",
        "/health/detailed",
        "readHealth",
        "Read the health of every part",
    )
    .about("Also as `application/health+json` where `Accept` names it.")
    .gives(&[
        Answer::new(200, "The service works.", HEALTH),
        Answer::new(503, "A part fails.", HEALTH).with(&["Retry-After"]),
    ]),
    Operation::new("GET", "/metrics", "readMetrics", "Read the metrics")
        .about("Prometheus text format. With the operator's key, or the one that allows nothing else.")
        .gives(&[Answer::new(200, "The metrics.", Shape::Text("text/plain"))])
        .refuses(&[401, 403]),
];
