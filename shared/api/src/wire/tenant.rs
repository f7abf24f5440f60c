//! Reads and writes the record of a tenant, and writes its usage.

use leaderboard_core::ports::{DayUsage, EntryQuota};
use leaderboard_core::{TenantId, Timestamp};
use serde::Serialize;

use super::word;
use crate::json::{Errors, ExactUnsigned, Field, Json};
use crate::problem::Problem;
use crate::tenant_record::{DEFAULT_LOG_BYTES, Quotas, TenantRecord, TenantState};

/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const STATES: [(&str, TenantState); 2] = [
    ("active", TenantState::Active),
    ("suspended", TenantState::Suspended),
];

words_schema!(StateWord, "TenantState", "Whether a tenant may be used.", STATES);

/// The field that revokes tokens.
const TOKENS_NOT_BEFORE: &str = "tokens_not_before";

request_fields! {
    /// A tenant's record as it is written; what is left out has its default, but for `tokens_not_before`.
    FIELDS = "TenantWritten" {
        /// The id in the path, if at all.
        optional id: slug(),
        /// Its name for people.
        optional title: text_up_to(MAX_TITLE_CHARS),
        /// `active` unless said.
        optional state: reference("TenantState"),
        /// How much it may have and use.
        optional quotas: or_null(reference("QuotasWritten")),
        /// Revokes all tokens that were issued before this instant. Left out, what was revoked before stays so; `null` alone takes it back.
        optional tokens_not_before: or_null(time()),
    }
}

request_fields! {
    /// How much a tenant may have and use, as it is written.
    QUOTA_FIELDS = "QuotasWritten" {
        /// Leaderboards.
        optional leaderboards: or_null(reference("Int64")),
        /// Entries in all leaderboards and periods.
        optional entries: or_null(reference("Int64")),
        /// Requests in a day (UTC).
        optional requests_per_day: or_null(reference("Int64")),
        /// What event logs and idempotency records weigh, in bytes; 1 GiB unless said.
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
    let mut errors = Errors::default();
    let fields = Field::root(tree).object_with(&FIELDS, &mut errors);
    let record = fields.map(|fields| {
        if let Some(field) = fields.optional("id")
            && let Some(text) = field.text(&mut errors)
            && text != id.as_str()
        {
            errors.add(&field.pointer, "must be the id in the path");
        }
        TenantRecord {
            title: fields
                .optional("title")
                .and_then(|field| title(&field, &mut errors))
                .unwrap_or_default(),
            state: fields
                .optional("state")
                .and_then(|field| field.choice(&STATES, &mut errors))
                .unwrap_or_default(),
            quotas: fields
                .optional("quotas")
                .and_then(|field| quotas(field, &mut errors))
                .unwrap_or_default(),
            tokens_not_before_ms: fields
                .optional(TOKENS_NOT_BEFORE)
                .and_then(|field| field.time(&mut errors))
                .map(Timestamp::as_unix_ms),
        }
    });
    errors.check()?;
    record.ok_or_else(|| Problem::internal("a document without errors was not understood"))
}

fn title(field: &Field<'_, '_>, errors: &mut Errors) -> Option<String> {
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
    let mut quota = |name| {
        fields
            .optional(name)
            .and_then(|field: Field<'_, '_>| field.integer(errors))
    };
    Some(Quotas {
        leaderboards: quota("leaderboards"),
        entries: quota("entries"),
        requests_per_day: quota("requests_per_day"),
        // A patch is applied to the document that clients read, which shows the default, too.
        log_bytes: quota("log_bytes").filter(|bytes| *bytes != DEFAULT_LOG_BYTES),
    })
}

/// What the operator has set for a tenant.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Tenant))]
pub struct TenantBody<'a> {
    /// Its id.
    id: &'a str,
    /// Its name for people.
    title: &'a str,
    /// Whether it may be used.
    #[cfg_attr(feature = "schema", schema(value_type = StateWord))]
    state: &'static str,
    /// How much it may have and use.
    quotas: QuotasBody,
    /// Tokens that were issued before this instant are refused, players' and issuers' alike.
    tokens_not_before: Option<String>,
    /// Where the tenant asks for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    holdings: Option<HoldingsBody>,
}

/// How much a tenant may have and use; `null` is no limit.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Quotas))]
struct QuotasBody {
    /// Leaderboards.
    leaderboards: Option<ExactUnsigned>,
    /// Entries in all leaderboards and periods.
    entries: Option<ExactUnsigned>,
    /// Requests in a day (UTC).
    requests_per_day: Option<ExactUnsigned>,
    /// What event logs and idempotency records weigh, in bytes. Where they weigh more, the oldest events go; submissions
    /// with an id are refused when idempotency records alone weigh so much.
    log_bytes: ExactUnsigned,
}

/// What a tenant holds now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Holdings))]
struct HoldingsBody {
    /// Leaderboards.
    leaderboards: ExactUnsigned,
    /// Entries in all leaderboards and periods.
    entries: ExactUnsigned,
    /// What event logs and idempotency records weigh, in bytes.
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

/// What a tenant used, day by day, newest first, and what it holds now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Usage))]
pub struct UsageBody<'a> {
    /// The tenant.
    tenant: &'a str,
    /// Newest first.
    days: Vec<DayBody>,
    /// What it holds now.
    holdings: HoldingsBody,
}

/// What a tenant used on a day.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Day))]
struct DayBody {
    /// The day (UTC).
    #[cfg_attr(feature = "schema", schema(format = "date"))]
    day: String,
    /// Requests.
    requests: ExactUnsigned,
    /// Submissions.
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
        ["A page of records.", "In the order of their ids."],
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

    fn wrong(text: &str) -> Vec<String> {
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
    fn a_record_is_read_strictly_and_every_error_is_named() {
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
            assert_eq!(wrong(text), places, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
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
    fn days_are_dates() {
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
