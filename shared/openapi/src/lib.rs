//! The description of the API (OpenAPI 3.1), made from the code: the paths from the families' route tables, the problems
//! from their catalogue, the schemas from types of its own. [`conformance`] holds the answers that tests get to it.
//!
//! `UPDATE_OPENAPI=1 cargo test --release -p leaderboard-openapi` writes the files of `docs/openapi/`. A new route needs a row
//! in [`operations`]: the test says which one is missing. This crate is native; no component contains it.
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
mod patch;
mod references;
mod routes;
mod schemas;

pub use document::{document, undescribed};
pub use routes::{ListedRoute, all_routes};
