//! Health, and this description.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use leaderboard_api::schema::Schemas;

pub(super) fn add(all: &mut Schemas) {
    all.add::<Health>();
    all.add::<DetailedHealth>();
    all.add::<HealthDraft>();
    all.add::<Description>();
}

/// How something is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It works.
    Pass,
    /// It works, and something it has is not as it should be.
    Warn,
    /// It does not work.
    Fail,
}

/// A part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthComponent {
    /// How it is.
    pub status: HealthStatus,
    /// The same in words.
    pub message: String,
    /// When it was asked.
    #[schema(format = "date-time")]
    pub last_checked: String,
    /// What there is to know beyond that.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// Whether the service lives, or can work.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// How it is.
    pub status: HealthStatus,
    /// What it depends on, by name.
    #[schema(nullable = false)]
    pub components: Option<BTreeMap<String, HealthComponent>>,
}

/// How every part is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailedHealth {
    /// The worst of its parts.
    pub status: HealthStatus,
    /// The version of the program.
    pub version: String,
    /// By name.
    pub components: BTreeMap<String, HealthComponent>,
}

/// The same as draft-inadarei-api-health-check has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthDraft {
    /// The worst of its parts.
    pub status: HealthStatus,
    /// The version of the API.
    pub version: String,
    /// The version of the program.
    pub release_id: String,
    /// By the part and what was measured of it.
    pub checks: BTreeMap<String, Vec<HealthCheck>>,
}

/// What was measured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthCheck {
    /// `datastore`.
    pub component_type: String,
    /// How it is.
    pub status: HealthStatus,
    /// The same in words.
    pub output: String,
    /// How long the answer took.
    pub observed_value: i64,
    /// `ms`.
    pub observed_unit: String,
    /// When it was asked.
    #[schema(format = "date-time")]
    pub time: String,
}

/// A document of OpenAPI 3.1.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Description(pub Map<String, Value>);
