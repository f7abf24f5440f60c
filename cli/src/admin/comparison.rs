//! `edgeboard leaderboards rebuild`: compares all entries of a period, one request after another.

use indicatif::HumanCount;
use serde_json::Value;

use super::list::next_cursor;
use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::wire::parse_body;

/// The members that count what one request found.
const COUNTS: [&str; 3] = ["differences", "corrected", "strays"];
/// The most differences that are named, as in one response.
const MAX_NAMED: usize = 20;

/// Sends requests until all entries are compared, and says on standard error how far the comparison is. Returns a document of the
/// server's form with the sums of all requests.
///
/// # Errors
/// A request fails. The message says how to continue.
pub(super) async fn compare_all(client: &ApiClient, request: &ApiRequest) -> Result<Vec<u8>, CliError> {
    let mut request = request.clone();
    let mut sums: Option<Value> = None;
    loop {
        let body = client.send(&request).await?.into_success_body()?;
        let mut found: Value = parse_body(&body)?;
        if let Some(before) = &sums {
            add_earlier(&mut found, before);
        }
        let Some(next) = next_cursor(&found) else {
            return Ok(found.to_string().into_bytes());
        };
        eprintln!(
            "edgeboard: {} of {} entries compared, {} differ; --after {next} continues here",
            HumanCount(count(&found, "compared")),
            HumanCount(count(&found, "entries")),
            HumanCount(count(&found, "differences")),
        );
        set_after(&mut request, &next);
        sums = Some(found);
    }
}

fn count(found: &Value, member: &str) -> u64 {
    found.get(member).and_then(Value::as_u64).unwrap_or_default()
}

/// Adds what earlier requests found to the response to a later one.
fn add_earlier(found: &mut Value, before: &Value) {
    for member in COUNTS {
        let sum = count(found, member).saturating_add(count(before, member));
        if let Some(value) = found.get_mut(member) {
            *value = sum.into();
        }
    }
    let mut named = before
        .get("named")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if let Some(list) = found.get_mut("named").and_then(Value::as_array_mut) {
        named.append(list);
        named.truncate(MAX_NAMED);
        *list = named;
    }
}

/// Lets a request continue after a player.
fn set_after(request: &mut ApiRequest, after: &str) {
    let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let mut pairs = request.url.query_pairs_mut();
    pairs.clear();
    pairs.extend_pairs(query.iter().filter(|(name, _)| name != "after"));
    pairs.append_pair("after", after);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_summed_and_the_first_differences_stay() {
        let named = |from: usize, to: usize| Value::from((from..to).collect::<Vec<_>>());
        let before =
            json!({"compared": 2, "differences": 12, "corrected": 1, "strays": 0, "named": named(0, 12)});
        let mut found =
            json!({"compared": 4, "differences": 15, "corrected": 2, "strays": 3, "named": named(12, 27)});
        add_earlier(&mut found, &before);
        let expected =
            json!({"compared": 4, "differences": 27, "corrected": 3, "strays": 3, "named": named(0, 20)});
        assert_eq!(found, expected);
    }
}
