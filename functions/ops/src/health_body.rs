//! The documents about health. Their fields are written in the order of their names.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The state of a component, or of the whole service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) enum HealthStatus {
    /// The component works.
    Pass,
    /// The component works, but a setting or a dependency needs attention.
    Warn,
    /// The component does not work.
    Fail,
}

/// Whether the service runs, or can answer requests.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Health<'a> {
    /// The worst state of the components.
    pub status: HealthStatus,
    /// The components that the service depends on, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub components: Option<BTreeMap<&'static str, HealthComponent<'a>>>,
}

/// A component that the service depends on, and its state.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct HealthComponent<'a> {
    /// The state of the component.
    pub status: HealthStatus,
    /// The state in words.
    pub message: &'a str,
    /// When the component was checked.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    pub last_checked: &'a str,
    /// Further facts about the component.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub metadata: &'a Value,
}

/// The state of every component.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct DetailedHealth<'a> {
    /// The components by name.
    pub components: BTreeMap<&'static str, HealthComponent<'a>>,
    /// The worst state of the components.
    pub status: HealthStatus,
    /// The version of the program.
    pub version: &'static str,
}

/// The state of every component, in the form of draft-inadarei-api-health-check.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct HealthDraft<'a> {
    /// The measurements, by the component and the measured quantity.
    pub checks: BTreeMap<String, Vec<HealthCheck<'a>>>,
    /// The version of the program.
    pub release_id: &'static str,
    /// The worst state of the components.
    pub status: HealthStatus,
    /// The version of the API.
    pub version: &'static str,
}

/// One measurement of a component.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct HealthCheck<'a> {
    /// The type of the component: `datastore`.
    pub component_type: &'static str,
    /// The unit of the value: `ms`.
    pub observed_unit: &'static str,
    /// How long the component took to answer.
    pub observed_value: i64,
    /// The result in words.
    pub output: &'a str,
    /// The state of the component.
    pub status: HealthStatus,
    /// When the component was checked.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    pub time: &'a str,
}

/// Adds the schemas of health.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add::<Health<'_>>();
    all.add::<DetailedHealth<'_>>();
    all.add::<HealthDraft<'_>>();
}
