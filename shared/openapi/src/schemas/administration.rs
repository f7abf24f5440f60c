//! Problems, tenants, limits, the audit log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::entries::PageV2;
use super::{Integer, Known, known};

pub(super) fn add(all: &mut Vec<Known>) {
    known::<Problem>(all);
    known::<Tenant>(all);
    known::<TenantWritten>(all);
    known::<Tenants>(all);
    known::<TenantsV2>(all);
    known::<Usage>(all);
    known::<AuditLog>(all);
    known::<AuditLogV2>(all);
    known::<Limits>(all);
}

/// What went wrong (RFC 9457).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable, for programs.
    pub r#type: String,
    /// The same few words for every occurrence.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The trace id, also in `X-Request-Id`.
    pub instance: String,
    /// What is at fault.
    #[schema(nullable = false)]
    pub errors: Option<Vec<FieldError>>,
    /// The limits that are used up, by their names.
    #[serde(rename = "violated-policies")]
    #[schema(nullable = false)]
    pub violated_policies: Option<Vec<String>>,
}

/// What is at fault: a place in the body, a parameter or a header.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldError {
    /// A JSON pointer into the body, in fragment form.
    #[schema(nullable = false)]
    pub pointer: Option<String>,
    /// A parameter of the path or the query.
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// A header.
    #[schema(nullable = false)]
    pub header: Option<String>,
    /// What is wrong with it.
    pub detail: String,
}

/// Whether a tenant may be used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// It may.
    Active,
    /// Its requests are refused.
    Suspended,
}

/// How much a tenant may have and use; `null` is no limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Leaderboards.
    #[schema(required)]
    pub leaderboards: Option<Integer>,
    /// Entries in all leaderboards and periods.
    #[schema(required)]
    pub entries: Option<Integer>,
    /// Requests in a day (UTC).
    #[schema(required)]
    pub requests_per_day: Option<Integer>,
}

/// How much a tenant may have and use, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotasWritten {
    /// Leaderboards.
    pub leaderboards: Option<Integer>,
    /// Entries in all leaderboards and periods.
    pub entries: Option<Integer>,
    /// Requests in a day (UTC).
    pub requests_per_day: Option<Integer>,
}

/// What a tenant holds now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holdings {
    /// Leaderboards.
    pub leaderboards: Integer,
    /// Entries in all leaderboards and periods.
    pub entries: Integer,
}

/// What the operator has set for a tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Whether it may be used.
    pub state: TenantState,
    /// How much it may have and use.
    pub quotas: Quotas,
    /// Where the tenant asks for itself.
    #[schema(nullable = false)]
    pub holdings: Option<Holdings>,
}

/// A tenant's record as it is written; what is left out has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantWritten {
    /// The id in the path, if at all.
    #[schema(nullable = false, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub id: Option<String>,
    /// Its name for people.
    #[schema(max_length = 200, nullable = false)]
    pub title: Option<String>,
    /// `active` unless said.
    #[schema(nullable = false)]
    pub state: Option<TenantState>,
    /// How much it may have and use.
    pub quotas: Option<QuotasWritten>,
}

/// A page of records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenants {
    /// In the order of their ids.
    pub tenants: Vec<Tenant>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A page of records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantsV2 {
    /// In the order of their ids.
    pub data: Vec<Tenant>,
    /// Where the list goes on.
    pub page: PageV2,
}

/// What a tenant used on a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// The day (UTC).
    #[schema(format = "date")]
    pub day: String,
    /// Requests.
    pub requests: Integer,
    /// Submissions.
    pub scores: Integer,
}

/// What a tenant used, day by day, newest first, and what it holds now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The tenant.
    pub tenant: String,
    /// Newest first.
    pub days: Vec<Day>,
    /// What it holds now.
    pub holdings: Holdings,
}

/// A record of the audit log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Its place in the log.
    pub position: u64,
    /// When it was made.
    #[schema(format = "date-time")]
    pub at: String,
    /// Who did what, and from where.
    pub event: AuditEvent,
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditEvent {
    /// An administrative act is about to be done.
    Act {
        /// By what credential.
        who: AuditWho,
        /// Of the request.
        method: String,
        /// The pattern of its route.
        route: String,
        /// Those of the path.
        #[schema(nullable = false)]
        parameters: Option<BTreeMap<String, String>>,
        /// The query of its address.
        #[schema(nullable = false)]
        query: Option<String>,
        /// The client's address.
        #[schema(required)]
        from: Option<String>,
        /// The trace id.
        trace: String,
    },
    /// An act was refused or failed.
    Outcome {
        /// The position of the act's record.
        of: u64,
        /// The status of the answer.
        status: u16,
        /// The trace id.
        trace: String,
    },
    /// A token was issued to a player.
    Issued {
        /// By what credential.
        who: AuditWho,
        /// Whose it is.
        player: String,
        /// The client's address.
        #[schema(required)]
        from: Option<String>,
        /// The trace id.
        trace: String,
    },
    /// Credentials were refused.
    Refused {
        /// What was presented.
        who: AuditWho,
        /// The status of the answer.
        status: u16,
        /// The type of the problem.
        reason: String,
        /// The client's address.
        #[schema(required)]
        from: Option<String>,
        /// The trace id of the first of them.
        trace: String,
        /// How often the same happened from the same address within a short time.
        count: u64,
    },
}

/// By what credential; never the secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "credential", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditWho {
    /// None.
    Nobody,
    /// The operator's key.
    Operator,
    /// An API key.
    Key {
        /// Its id.
        id: String,
    },
    /// A token.
    Token {
        /// By whom it was issued.
        issuer: String,
        /// For whom.
        subject: String,
    },
    /// A key that is not valid, whatever it claims to be.
    UnknownKey,
    /// A token that is not valid, whatever it claims to be.
    UnknownToken,
}

/// A page of the log, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLog {
    /// Newest first.
    pub records: Vec<AuditRecord>,
    /// What `before` of the next page is.
    #[schema(required)]
    pub next: Option<u64>,
}

/// A page of the log, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLogV2 {
    /// Newest first.
    pub data: Vec<AuditRecord>,
    /// Where the log goes on.
    pub page: AuditPageV2,
}

/// Where a log goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditPageV2 {
    /// What `before` of the next page is.
    #[schema(required)]
    pub next: Option<u64>,
    /// `null`: a log is read from its newest record.
    #[schema(required)]
    pub previous: Option<u64>,
    /// `null`: records do not change.
    #[schema(required, value_type = Option<Object>)]
    pub snapshot: Option<Map<String, Value>>,
}

/// A rate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests in a window.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quota: u32,
    /// The window, in seconds; 1 unless said.
    #[schema(minimum = 1, maximum = 86_400, nullable = false)]
    pub window_s: Option<u32>,
    /// How many may come at once.
    #[schema(minimum = 1, maximum = 1_000_000, nullable = false)]
    pub burst: Option<u32>,
}

/// What is set of a policy: a rate, or `off`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Setting {
    /// A rate.
    Rate(Rate),
    /// No limit.
    Off(Off),
}

/// No limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// No limit.
    Off,
}

/// Whether reads are limited at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// `off`.
    #[schema(nullable = false)]
    pub limits: Option<Off>,
}

/// Lists of addresses, as ranges (CIDR) or single ones.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Nobody else is let in.
    #[schema(max_items = 256, nullable = false)]
    pub allow: Option<Vec<String>>,
    /// These are not let in.
    #[schema(max_items = 256, nullable = false)]
    pub deny: Option<Vec<String>>,
    /// These are not limited; the operator's document alone.
    #[schema(max_items = 256, nullable = false)]
    pub exempt: Option<Vec<String>>,
}

/// How often who may call: rates by the names of policies, and lists of addresses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// By name: `player`, `client`, `key`, `tenant`, `credentials` (the operator's document alone), or a family of endpoints,
    /// such as `family:ranks`.
    #[schema(nullable = false)]
    pub policies: Option<BTreeMap<String, Setting>>,
    /// The most that a tenant can set; the operator's document alone.
    #[schema(nullable = false)]
    pub bounds: Option<BTreeMap<String, Rate>>,
    /// Whether reads are limited; the operator's document alone.
    #[schema(nullable = false)]
    pub reads: Option<Reads>,
    /// Lists of addresses.
    #[schema(nullable = false)]
    pub addresses: Option<Addresses>,
}
