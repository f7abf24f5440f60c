//! `edgeboard shards move`: one request after another until the move is done.

use std::time::Duration;

use serde_json::Value;

use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::wire::parse_body;

/// The state of a move that is done.
const DONE: &str = "done";
/// The pause between two requests while the queue is drained.
const DRAIN_PAUSE: Duration = Duration::from_secs(1);

/// Sends requests until the move is done, and says on standard error how far it is. Returns the last response.
///
/// # Errors
/// A request fails. The same command continues the move.
pub(super) async fn finish_move(client: &ApiClient, request: &ApiRequest) -> Result<Vec<u8>, CliError> {
    let mut told = String::new();
    loop {
        let body = client.send(request).await?.into_success_body()?;
        let found: Value = parse_body(&body)?;
        let state = found.get("state").and_then(Value::as_str).unwrap_or(DONE);
        if state == DONE {
            return Ok(body);
        }
        if state != told {
            eprintln!("edgeboard: {}", describe_state(state));
            told = state.to_owned();
        }
        if state == "draining" {
            tokio::time::sleep(DRAIN_PAUSE).await;
        }
    }
}

fn describe_state(state: &str) -> &str {
    match state {
        "draining" => "draining: waiting requests of the tenant are applied, and new ones are not accepted",
        "copying" => "copying: the tenant can be read; writes get 503",
        "cleaning" => "cleaning: the tenant lives on the shard; what another shard has is deleted",
        other => other,
    }
}
