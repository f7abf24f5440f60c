//! Feature flags with [flagd definitions](https://flagd.dev/reference/flag-definitions/), evaluated in the process.
//!
//! This crate has no I/O, no clock and no randomness: the document is bytes, the context is a JSON object and `now` is an
//! argument. Documents are not trusted: [`limits`] bounds their size, their depth and the work of one evaluation, and references
//! are followed instead of expanded.

mod compile;
mod document;
mod eval;
mod evaluation;
mod flag;
pub mod limits;
mod problem;
mod references;
mod rule;
mod set;

pub use evaluation::{ErrorCode, Evaluation, EvaluationError, FlagType, Reason};
pub use problem::FlagProblem;
pub use set::{FlagSet, Outline};
