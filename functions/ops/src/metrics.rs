//! Metrics for Prometheus.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use leaderboard_core::ports::{ANNOUNCEMENT_FAILED_AT, Counters};

use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;

use leaderboard_api::headers::one_header;
use leaderboard_api::{Problem, ProblemType, Query, Response};
use leaderboard_auth::{AuthSettings, AuthThrottle};
use leaderboard_rate_limit::regional_series;
use leaderboard_telemetry::metrics;
use leaderboard_telemetry::metrics::{SeriesValues, format_exposition, read_region};

/// `GET /metrics`: returns the region's counts and the installation's counts, in Prometheus' text format. If the store adds the
/// counts of a metric, counts that did not reach the store have their own series with the label `kept="region"`. The route
/// requires the operator's key or the metrics key. The metrics key permits only this route, and may also be a bearer token,
/// because Prometheus cannot easily send other headers.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn show<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let throttle = AuthThrottle::check_refused(context.env, context.headers, context.client).await?;
    check_key(context).inspect_err(|refusal| throttle.charge_refusal(context.env, refusal))?;
    let kept = read_region(context.env).await;
    let stored = context.env.store().counters().await;
    let up = stored.is_ok();
    // No series has a part of each: what the store counts is not shown while it does not answer.
    let of_region = kept
        .into_iter()
        .map(|(series, count)| (regional_series(series), count));
    let mut counters: SeriesValues = of_region.chain(stored.unwrap_or_default()).collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut gauges = SeriesValues::from([
        (format!("edgeboard_build_info{{version=\"{version}\"}}").into(), 1),
        ("edgeboard_store_up".into(), u64::from(up)),
    ]);
    // An instant is no sum, although the store keeps it among its counters.
    gauges.extend(counters.remove_entry(ANNOUNCEMENT_FAILED_AT));
    let mut response = Response::empty(StatusCode::OK);
    response.body = Bytes::from(format_exposition(&gauges, &counters));
    response
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    Ok(response)
}

fn check_key<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<(), Problem> {
    let AuthSettings {
        admin_key,
        metrics_key,
        ..
    } = context.env.auth_settings();
    let key = one_header(context.headers, "x-api-key")?;
    let token = one_header(context.headers, "authorization")?;
    let presented = match (key, token) {
        (Some(key), None) => Some(key),
        (None, Some(token)) => token.strip_prefix("Bearer "),
        _ => None,
    };
    let valid = presented.is_some_and(|presented| {
        metrics_key.matches(presented.as_bytes())
            || (key.is_some() && admin_key.matches(presented.as_bytes()))
    });
    if valid {
        Ok(())
    } else {
        Err(Problem::new(ProblemType::Unauthenticated))
    }
}
