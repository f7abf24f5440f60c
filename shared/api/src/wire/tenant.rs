//! Reads and writes the record of a tenant, and writes its usage.

use leaderboard_core::ports::{DayUsage, EntryQuota};
use leaderboard_core::{TenantId, Timestamp};
use serde::Serialize;

use super::word;
use crate::json::{Errors, ExactUnsigned, Field, Json, read_document};
use crate::problem::Problem;
use crate::tenant_record::{DEFAULT_LOG_BYTES, Quotas, TenantRecord, TenantState};

/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const STATES: [(&str, TenantState); 2] = [
    ("active", TenantState::Active),
    ("suspended", TenantState::Suspended),
];

words_schema!(
    StateWord,
    "TenantState",
    "Whether the service accepts requests of a tenant. `suspended`: the service refuses all of them with 403.",
    STATES
);

/// The field that revokes tokens.
const TOKENS_NOT_BEFORE: &str = "tokens_not_before";

request_fields! {
    /// A request that creates or replaces a tenant's record. A field that is left out gets its default, except `tokens_not_before`.
    FIELDS = "TenantWritten" {
        /// The id of the tenant. It may be left out; otherwise it must be the id in the path.
        optional id: slug(),
        /// The title of the tenant, for people.
        optional title: text_up_to(MAX_TITLE_CHARS),
        /// Whether the service accepts requests of the tenant. Default: `active`.
        optional state: reference("TenantState"),
        /// The quotas of the tenant.
        optional quotas: or_null(reference("QuotasWritten")),
        /// The service refuses tokens that were issued before this instant. If this field is left out, its value does not change.
        /// `null` removes the value.
        optional tokens_not_before: or_null(time()),
    }
}

request_fields! {
    /// The quotas of a tenant. A field that is left out, or `null`, is no limit, except `log_bytes`.
    QUOTA_FIELDS = "QuotasWritten" {
        /// How many leaderboards the tenant may have.
        optional leaderboards: or_null(reference("Int64")),
        /// How many entries the tenant may have, in all leaderboards and periods.
        optional entries: or_null(reference("Int64")),
        /// How many requests the tenant may send in a day (UTC).
        optional requests_per_day: or_null(reference("Int64")),
        /// The size limit of event logs and idempotency records, in bytes. Default: 1 GiB.
        optional log_bytes: or_null(reference("Int64")),
    }
}

/// Returns whether a document lacks the field that revokes tokens. Such a document keeps the revocation of the stored record; a
/// document with `null` removes it.
pub fn leaves_tokens_out(tree: &Json<'_>) -> bool {
    matches!(tree, Json::Object(object) if object.get(TOKENS_NOT_BEFORE).is_none())
}

/// Reads a tenant's document. A missing field has its default.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, id: &TenantId) -> Result<TenantRecord, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        fields.match_path(id.as_str(), errors);
        Some(TenantRecord {
            title: fields.read("title", title, errors).unwrap_or_default(),
            state: fields.choice("state", &STATES, errors).unwrap_or_default(),
            quotas: fields.read("quotas", quotas, errors).unwrap_or_default(),
            tokens_not_before_ms: fields
                .read(TOKENS_NOT_BEFORE, Field::time, errors)
                .map(Timestamp::as_unix_ms),
        })
    })
}

fn title(field: Field<'_, '_>, errors: &mut Errors) -> Option<String> {
    let text = field.text(errors)?;
    if text.chars().count() > MAX_TITLE_CHARS {
        errors.add(
            &field.pointer,
            format!("must have at most {MAX_TITLE_CHARS} characters"),
        );
    } else if text.chars().any(char::is_control) {
        errors.add(&field.pointer, "must not contain control characters");
    }
    Some(text.to_owned())
}

fn quotas(field: Field<'_, '_>, errors: &mut Errors) -> Option<Quotas> {
    let fields = field.object_with(&QUOTA_FIELDS, errors)?;
    let mut quota = |name| fields.read(name, Field::integer, errors);
    Some(Quotas {
        leaderboards: quota("leaderboards"),
        entries: quota("entries"),
        requests_per_day: quota("requests_per_day"),
        // A patch is applied to the document that clients read, which shows the default, too.
        log_bytes: quota("log_bytes").filter(|bytes| *bytes != DEFAULT_LOG_BYTES),
    })
}

/// A tenant's record: what the operator has set for the tenant.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Tenant))]
pub struct TenantBody<'a> {
    /// The id of the tenant.
    id: &'a str,
    /// The title of the tenant, for people.
    title: &'a str,
    /// Whether the service accepts requests of the tenant.
    #[cfg_attr(feature = "schema", schema(value_type = StateWord))]
    state: &'static str,
    /// The quotas of the tenant.
    quotas: QuotasBody,
    /// The service refuses tokens that were issued before this instant: tokens of players, and tokens of issuers.
    tokens_not_before: Option<String>,
    /// How much of the quotas the tenant uses now. Only the response of `GET /tenant` has this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    holdings: Option<HoldingsBody>,
}

/// The quotas of a tenant; `null` is no limit.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Quotas))]
struct QuotasBody {
    /// How many leaderboards the tenant may have.
    leaderboards: Option<ExactUnsigned>,
    /// How many entries the tenant may have, in all leaderboards and periods.
    entries: Option<ExactUnsigned>,
    /// How many requests the tenant may send in a day (UTC).
    requests_per_day: Option<ExactUnsigned>,
    /// The size limit of event logs and idempotency records, in bytes. Beyond it, each write removes the oldest events. If the
    /// idempotency records alone reach it, submissions with an `id` are refused.
    log_bytes: ExactUnsigned,
}

/// How much of its quotas a tenant uses now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Holdings))]
struct HoldingsBody {
    /// The number of leaderboards.
    leaderboards: ExactUnsigned,
    /// The number of entries in all leaderboards and periods.
    entries: ExactUnsigned,
    /// The size of event logs and idempotency records, in bytes.
    log_bytes: ExactUnsigned,
}

impl<'a> TenantBody<'a> {
    /// Returns the document of a record.
    pub fn new(id: &'a TenantId, record: &'a TenantRecord) -> Self {
        let quotas = &record.quotas;
        Self {
            id: id.as_str(),
            title: &record.title,
            state: word(&STATES, record.state),
            quotas: QuotasBody {
                leaderboards: quotas.leaderboards.map(ExactUnsigned),
                entries: quotas.entries.map(ExactUnsigned),
                requests_per_day: quotas.requests_per_day.map(ExactUnsigned),
                log_bytes: ExactUnsigned(quotas.max_log_bytes()),
            },
            tokens_not_before: record
                .tokens_not_before_ms
                .map(|ms| Timestamp::saturating_from_unix_ms(ms).to_string()),
            holdings: None,
        }
    }

    /// Returns the document with what the tenant holds now.
    pub fn with_holdings(mut self, holdings: EntryQuota) -> Self {
        self.holdings = Some(holdings.into());
        self
    }
}

impl From<EntryQuota> for HoldingsBody {
    fn from(holdings: EntryQuota) -> Self {
        Self {
            leaderboards: ExactUnsigned(holdings.leaderboards),
            entries: ExactUnsigned(holdings.entries),
            log_bytes: ExactUnsigned(holdings.log_bytes),
        }
    }
}

/// The requests and submissions of a tenant for each day, and how much of its quotas it uses now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Usage))]
pub struct UsageBody<'a> {
    /// The tenant.
    tenant: &'a str,
    /// The days, newest first.
    days: Vec<DayBody>,
    /// How much of its quotas the tenant uses now.
    holdings: HoldingsBody,
}

/// The requests and submissions of a tenant on one day.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Day))]
struct DayBody {
    /// The day (UTC).
    #[cfg_attr(feature = "schema", schema(format = "date"))]
    day: String,
    /// The number of requests.
    requests: ExactUnsigned,
    /// The number of submissions.
    scores: ExactUnsigned,
}

impl<'a> UsageBody<'a> {
    /// Returns the usage that the store counted.
    pub fn new(tenant: &'a TenantId, days: &[DayUsage], holdings: EntryQuota) -> Self {
        Self {
            tenant: tenant.as_str(),
            days: days.iter().map(day).collect(),
            holdings: holdings.into(),
        }
    }
}

fn day(counted: &DayUsage) -> DayBody {
    let midnight =
        Timestamp::saturating_from_unix_ms(i64::from(counted.day).saturating_mul(DAY_MS)).to_string();
    DayBody {
        day: midnight.split('T').next().unwrap_or_default().to_owned(),
        requests: ExactUnsigned(counted.usage.requests),
        scores: ExactUnsigned(counted.usage.scores),
    }
}

/// Adds the schemas of tenants.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_list::<TenantBody<'_>>(
        "Tenants",
        "tenants",
        [
            "A page of tenants' records.",
            "The records, in the order of the tenants' ids.",
        ],
    );
    all.add::<UsageBody<'_>>();
    all.add_requests(&[&FIELDS, &QUOTA_FIELDS]);
}

#[cfg(test)]
mod tests {
    use leaderboard_core::ports::Usage;

    use super::*;
    use crate::json::parse;
    use crate::problem::Location;

    fn find_error_locations(text: &str) -> Vec<String> {
        let id = TenantId::new("acme").unwrap();
        let problem = read(&parse(text.as_bytes()).unwrap(), &id).unwrap_err();
        let place = |location: &Location| match location {
            Location::Body(place) => place.clone(),
            other => format!("{other:?}"),
        };
        problem
            .errors
            .iter()
            .map(|error| place(&error.location))
            .collect()
    }

    #[test]
    fn a_malformed_record_is_refused_with_every_error() {
        let long = format!("{{\"title\":\"{}\"}}", "x".repeat(MAX_TITLE_CHARS + 1));
        for (text, places) in [
            ("[]", vec!["#"]),
            (r#"{"id":"other"}"#, vec!["#/id"]),
            (r#"{"titel":"x","state":"deleted"}"#, vec!["#/titel", "#/state"]),
            (&long, vec!["#/title"]),
            (r#"{"title":"a\u0007"}"#, vec!["#/title"]),
            (
                r#"{"quotas":{"leaderboards":-1,"entries":1.5,"requests":1}}"#,
                vec!["#/quotas/requests", "#/quotas/leaderboards", "#/quotas/entries"],
            ),
        ] {
            assert_eq!(find_error_locations(text), places, "{text}");
        }
    }

    #[test]
    fn a_written_record_is_read_again_unchanged() {
        let id = TenantId::new("acme").unwrap();
        let record = TenantRecord {
            title: "Acme".into(),
            state: TenantState::Suspended,
            quotas: Quotas {
                leaderboards: Some(3),
                entries: Some(u64::MAX),
                requests_per_day: None,
                log_bytes: Some(1000),
            },
            tokens_not_before_ms: Some(0),
        };
        let text = crate::json::text(&TenantBody::new(&id, &record));
        assert_eq!(
            text,
            r#"{"id":"acme","title":"Acme","state":"suspended","quotas":{"leaderboards":3,"entries":"18446744073709551615","requests_per_day":null,"log_bytes":1000},"tokens_not_before":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(read(&parse(text.as_bytes()).unwrap(), &id), Ok(record));
    }

    #[test]
    fn the_days_of_usage_are_written_as_dates() {
        let counted = DayUsage {
            day: 20_653,
            usage: Usage {
                requests: 5,
                scores: 7,
            },
        };
        let id = TenantId::new("acme").unwrap();
        assert_eq!(
            crate::json::text(&UsageBody::new(&id, &[counted], EntryQuota::default())),
            r#"{"tenant":"acme","days":[{"day":"2026-07-19","requests":5,"scores":7}],"holdings":{"leaderboards":0,"entries":0,"log_bytes":0}}"#
        );
    }
}
