//! A tenant's record and its usage, as clients write and read them.

use leaderboard_core::ports::{DayUsage, EntryQuota};
use leaderboard_core::{TenantId, Timestamp};
use serde::Serialize;

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

/// The field that revokes tokens.
const TOKENS_NOT_BEFORE: &str = "tokens_not_before";

/// Returns whether a document does not have the field about revoked tokens, not even as `null`. Such a document changes no revocation.
pub fn leaves_tokens_out(tree: &Json<'_>) -> bool {
    matches!(tree, Json::Object(object) if object.get(TOKENS_NOT_BEFORE).is_none())
}

/// Makes a record of its document; what is missing has its default.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, id: &TenantId) -> Result<TenantRecord, Problem> {
    let mut errors = Errors::default();
    let record = Field::root(tree).object(&mut errors).map(|fields| {
        fields.only(
            &["id", "title", "state", "quotas", TOKENS_NOT_BEFORE],
            &mut errors,
        );
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
                .and_then(|field| quotas(&field, &mut errors))
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

fn quotas(field: &Field<'_, '_>, errors: &mut Errors) -> Option<Quotas> {
    let fields = field.object(errors)?;
    fields.only(
        &["leaderboards", "entries", "requests_per_day", "log_bytes"],
        errors,
    );
    let mut quota = |name| {
        fields
            .optional(name)
            .and_then(|field: Field<'_, '_>| field.integer(errors))
    };
    Some(Quotas {
        leaderboards: quota("leaderboards"),
        entries: quota("entries"),
        requests_per_day: quota("requests_per_day"),
        // A patch is applied to what a record shows, the default too.
        log_bytes: quota("log_bytes").filter(|bytes| *bytes != DEFAULT_LOG_BYTES),
    })
}

/// A tenant's document. `null` is no limit; of `log_bytes` there is always one.
#[derive(Debug, Serialize)]
pub struct TenantBody<'a> {
    id: &'a str,
    title: &'a str,
    state: TenantState,
    quotas: QuotasBody,
    tokens_not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holdings: Option<HoldingsBody>,
}

#[derive(Debug, Serialize)]
struct QuotasBody {
    leaderboards: Option<ExactUnsigned>,
    entries: Option<ExactUnsigned>,
    requests_per_day: Option<ExactUnsigned>,
    log_bytes: ExactUnsigned,
}

#[derive(Debug, Serialize)]
struct HoldingsBody {
    leaderboards: ExactUnsigned,
    entries: ExactUnsigned,
    log_bytes: ExactUnsigned,
}

impl<'a> TenantBody<'a> {
    /// The record that the operator has set.
    pub fn new(id: &'a TenantId, record: &'a TenantRecord) -> Self {
        let quotas = &record.quotas;
        Self {
            id: id.as_str(),
            title: &record.title,
            state: record.state,
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

    /// The same, with what the tenant holds now.
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
pub struct UsageBody<'a> {
    tenant: &'a str,
    days: Vec<DayBody>,
    holdings: HoldingsBody,
}

#[derive(Debug, Serialize)]
struct DayBody {
    day: String,
    requests: ExactUnsigned,
    scores: ExactUnsigned,
}

impl<'a> UsageBody<'a> {
    /// As the store counted it.
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
