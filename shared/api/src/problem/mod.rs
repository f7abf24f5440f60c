//! Problems: what goes wrong, as RFC 9457 says it. Every problem of the API is made here.

mod causes;
mod document;
mod kind;
mod page;

pub use causes::ItemPlace;
pub use document::{FieldError, Location, MAX_FIELD_ERRORS, Problem, ProblemBody};
pub use kind::{CatalogueEntry, ProblemType, catalogue};
pub use page::render_page;
