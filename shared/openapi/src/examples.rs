//! Examples: the answers that the tests hold the service to, in `tests/suite/snapshots`.

use std::path::Path;

use serde_json::Value;

/// An example's status and body; `None` where there is no such file or it has no body.
pub(crate) fn example(name: &str) -> Option<(u16, Value)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/suite/snapshots")
        .join(format!("{name}.http"));
    let text = std::fs::read_to_string(file).ok()?;
    let (head, body) = text.split_once("\n\n")?;
    Some((
        head.lines().next()?.parse().ok()?,
        serde_json::from_str(body).ok()?,
    ))
}
