//! The description of the API (OpenAPI 3.1). It is made from the code: the paths from the route tables of the functions, the
//! problems from their catalogue, and the schemas from the types that the code reads and writes (docs/decisions/0039).
//! [`conformance`] compares the responses in tests with the description.
//!
//! `UPDATE_OPENAPI=1 cargo test --release -p leaderboard-openapi` writes the files of `docs/openapi/`. A new route needs a row in
//! [`operations`]; a test names the missing row. This crate is native; no component contains it.
#![expect(
    clippy::indexing_slicing,
    reason = "documents are written member by member, and this never runs in a component"
)]

mod answers;
mod components;
pub mod conformance;
mod document;
mod examples;
pub mod operation;
mod operations;
mod parameters;
mod patch;
mod references;
mod routes;
mod schemas;

pub use document::{document, undescribed};
pub use routes::all_routes;
