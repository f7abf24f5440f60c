//! Problem documents (RFC 9457): the types, the document, and the problems of errors of the domain.

mod causes;
mod document;
mod kind;
mod page;

pub use causes::ItemPlace;
pub use document::{FieldError, Location, MAX_FIELD_ERRORS, Problem, ProblemBody};
pub use kind::ProblemType;
pub use page::render_page;
