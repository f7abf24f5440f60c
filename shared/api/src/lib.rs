//! The wire format of Edgeboard: what clients send and receive.
//!
//! It holds the documents of each version of the API ([`wire`]), JSON ([`json`]), problem documents ([`problem`]), the parameters of
//! paths and queries, and the headers that documents depend on. It knows neither a store nor a route.

#[macro_use]
mod schema_macros;

mod function_name;
pub mod headers;
mod identity;
pub mod issuer_record;
pub mod json;
pub mod media;
mod path_params;
mod permission;
mod preconditions;
pub mod problem;
mod put_refusals;
pub mod query;
pub mod rate_limits;
mod response;
#[cfg(feature = "schema")]
pub mod schema;
pub mod tenant_record;
mod version;
pub mod webhook_record;
pub mod wire;

pub use function_name::FunctionName;
pub use identity::{Credential, Identity};
pub use json::IntegerFormat;
pub use media::{BodyKind, MediaType};
pub use path_params::{MAX_WEBHOOK_ID_BYTES, MESSAGE_ID_PREFIX, PathParams};
pub use permission::Permission;
pub use preconditions::{IF_MATCH, Preconditions, precondition_failed};
pub use problem::{FieldError, ItemPlace, Location, MAX_FIELD_ERRORS, Problem, ProblemType};
pub use query::Query;
pub use response::{BodyWriter, JsonForm, LaterBody, PartWrite, Response};
pub use version::{ApiVersion, Deprecation, describe};

/// Adds the schemas of all documents of this crate.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut schema::Schemas) {
    all.add::<problem::ProblemBody<'_>>();
    rate_limits::add_schemas(all);
    wire::add_schemas(all);
}
