//! Problems, tenants, limits, the audit log.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

use super::entries::PageV2;
use super::patch::add_patch;
use leaderboard_api::schema::{Int64, Schemas};

pub(super) fn add(all: &mut Schemas) {
    all.add::<Problem>();
    all.add::<Tenant>();
    all.add::<TenantWritten>();
    add_patch(all, "TenantWritten");
    all.add::<Tenants>();
    all.add::<TenantsV2>();
    all.add::<Usage>();
    all.add::<Limits>();
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
    pub leaderboards: Option<Int64>,
    /// Entries in all leaderboards and periods.
    #[schema(required)]
    pub entries: Option<Int64>,
    /// Requests in a day (UTC).
    #[schema(required)]
    pub requests_per_day: Option<Int64>,
    /// What event logs and idempotency records weigh, in bytes. Where they weigh more, the oldest events go; submissions
    /// with an id are refused when idempotency records alone weigh so much.
    pub log_bytes: Int64,
}

/// How much a tenant may have and use, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotasWritten {
    /// Leaderboards.
    pub leaderboards: Option<Int64>,
    /// Entries in all leaderboards and periods.
    pub entries: Option<Int64>,
    /// Requests in a day (UTC).
    pub requests_per_day: Option<Int64>,
    /// What event logs and idempotency records weigh, in bytes; 1 GiB unless said.
    pub log_bytes: Option<Int64>,
}

/// What a tenant holds now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holdings {
    /// Leaderboards.
    pub leaderboards: Int64,
    /// Entries in all leaderboards and periods.
    pub entries: Int64,
    /// What event logs and idempotency records weigh, in bytes.
    pub log_bytes: Int64,
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
    /// Tokens that were issued before this instant are refused, players' and issuers' alike.
    #[schema(required)]
    pub tokens_not_before: Option<String>,
    /// Where the tenant asks for itself.
    #[schema(nullable = false)]
    pub holdings: Option<Holdings>,
}

/// A tenant's record as it is written; what is left out has its default, but for `tokens_not_before`.
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
    /// Revokes all tokens that were issued before this instant. Left out, what was revoked before stays so; `null` alone takes it back.
    #[schema(format = "date-time")]
    pub tokens_not_before: Option<String>,
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
    pub requests: Int64,
    /// Submissions.
    pub scores: Int64,
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
