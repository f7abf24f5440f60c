//! What is wrong with a body, collected.

use leaderboard_core::Invalid;

use super::Pointer;
use crate::problem::{FieldError, Location, MAX_FIELD_ERRORS, Problem, ProblemType};

/// The errors of a body, in the order of their finding. Those beyond [`MAX_FIELD_ERRORS`] are counted only.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    listed: Vec<FieldError>,
    count: usize,
}

impl Errors {
    /// Notes an error.
    pub(crate) fn add(&mut self, pointer: &Pointer<'_>, detail: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            self.listed.push(FieldError::body(pointer.to_string(), detail));
        }
    }

    /// Notes what the domain finds wrong below a place.
    pub(crate) fn add_invalid(&mut self, pointer: &Pointer<'_>, invalid: &Invalid) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            let place = format!("{pointer}{}", invalid.pointer);
            self.listed.push(FieldError::body(place, invalid.detail.as_str()));
        }
    }

    /// Notes everything that the domain finds wrong below a place, but for what is noted there already: where a field could not
    /// be read, the domain saw a default.
    pub(crate) fn add_faults(&mut self, pointer: &Pointer<'_>, faults: Vec<Invalid>) {
        for fault in faults {
            let place = format!("{pointer}{}", fault.pointer);
            let known = |error: &FieldError| matches!(&error.location, Location::Body(known) if known.starts_with(&place));
            if !self.listed.iter().any(known) {
                self.add_invalid(pointer, &fault);
            }
        }
    }

    /// `Ok` when nothing is wrong.
    ///
    /// # Errors
    /// A `validation` problem that lists them.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self.count == 0 {
            return Ok(());
        }
        let mut problem = Problem::new(ProblemType::Validation);
        if self.count > self.listed.len() {
            problem = problem.with_detail(format!(
                "{} values are not valid; the first {} are listed.",
                self.count,
                self.listed.len()
            ));
        }
        Err(self.listed.into_iter().fold(problem, Problem::with_error))
    }
}
