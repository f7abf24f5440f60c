//! Reads the audit log. No route changes it.

use http::StatusCode;
use leaderboard_core::ports::AuditLog;
use leaderboard_core::{StoreError, TenantId};
use serde::Serialize;
use serde_json::value::RawValue;

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::wire::ListBody;
use leaderboard_api::{Problem, Response};
use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;

/// How many records a page has if the request does not say.
const DEFAULT_LIMIT: u32 = 100;
/// The most records on a page.
const MAX_LIMIT: u32 = 1000;

/// A record of the audit log.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AuditRecord))]
struct Record {
    /// The position of the record in the log.
    position: u64,
    /// When the record was written.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    at: String,
    /// What happened, who did it, and from which address.
    #[cfg_attr(feature = "schema", schema(value_type = leaderboard_api::schema::AuditEvent))]
    event: Box<RawValue>,
}

/// Adds the schemas of the audit log.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    leaderboard_pipeline::audit::add_schemas(all);
    let about = ["A page of the audit log.", "The records, newest first."];
    all.add_list_by_position::<Record>("AuditLog", "records", about, "AuditPage");
}

/// `GET /audit?before=&limit=`: returns records of the tenant's log, newest first.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn of_tenant<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    page(context, Some(context.tenant)).await
}

/// `GET /operator/audit?before=&limit=`: returns the records without a tenant, newest first.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn of_operator<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    page(context, None).await
}

async fn page<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    tenant: Option<&TenantId>,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["before", "limit"])?;
    let limit = query.integer("limit", 1, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let before = query
        .text("before")?
        .map(|text| position(&text).ok_or_else(|| invalid("before", "must be a position, from 1")))
        .transpose()?;
    // One record more than the page holds shows whether another page follows.
    let found = context.env.store().read_audit(tenant, before, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > shown;
    let records = found
        .into_iter()
        .take(shown)
        .map(|record| {
            Ok(Record {
                position: record.position,
                at: record.at.to_string(),
                event: raw(record.body)?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let next = records.last().filter(|_| more).map(|last| last.position);
    // The position at which the next page starts is its `before`.
    let page = ListBody::new(context.version, "records", records).with_next(next);
    Response::json(StatusCode::OK, context.accepted, &page)
}

fn position(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|position| digits && *position > 0)
}

fn raw(body: Vec<u8>) -> Result<Box<RawValue>, StoreError> {
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(format!("an audit record: {error}"));
    let text = String::from_utf8(body).map_err(|error| corrupt(&error))?;
    RawValue::from_string(text).map_err(|error| corrupt(&error))
}
