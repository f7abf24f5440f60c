//! Collects the errors of a body.

use std::collections::BTreeSet;

use leaderboard_core::Invalid;

use super::{IS_REQUIRED, Json, Pointer, has_place};
use crate::problem::{FieldError, Location, MAX_FIELD_ERRORS, Problem, ProblemType};

/// The errors of a body, in the order in which they were found. Errors beyond [`MAX_FIELD_ERRORS`] are only counted.
#[derive(Debug, Default)]
pub struct Errors {
    listed: Vec<FieldError>,
    count: usize,
}

impl Errors {
    /// Adds an error.
    pub fn add(&mut self, pointer: &Pointer<'_>, detail: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            self.listed.push(FieldError::body(pointer.to_string(), detail));
        }
    }

    /// Adds an error that the domain reports about the value at a pointer.
    pub fn add_invalid(&mut self, pointer: &Pointer<'_>, invalid: &Invalid) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            let place = format!("{pointer}{}", invalid.pointer);
            self.listed.push(FieldError::body(place, invalid.detail.as_str()));
        }
    }

    /// Adds all errors that the domain reports about the value at a pointer, except errors of a field that has an error already: a field
    /// that could not be read has a substitute value, and the client did not send it. An error of a part of a field does not hide
    /// errors of the field itself, so the substitute value of a part must be valid.
    pub fn add_faults(&mut self, pointer: &Pointer<'_>, faults: Vec<Invalid>) {
        let known: BTreeSet<String> = self.listed.iter().filter_map(place).collect();
        for fault in faults {
            if !known.contains(&format!("{pointer}{}", fault.pointer)) {
                self.add_invalid(pointer, &fault);
            }
        }
    }

    /// Returns `Ok` when there is no error.
    ///
    /// # Errors
    /// A `validation` problem that lists the errors.
    pub fn check(self) -> Result<(), Problem> {
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

impl Problem {
    /// Removes errors about fields that the client did not send, except errors about missing required fields. If no error is
    /// left, reports all errors at the whole body instead.
    #[must_use]
    pub fn pointing_into(mut self, sent: &Json<'_>) -> Self {
        let was_sent = |error: &FieldError| match &error.location {
            Location::Body(pointer) => has_place(sent, pointer) || error.detail == IS_REQUIRED,
            Location::Parameter(_) | Location::Header(_) => true,
        };
        if self.errors.iter().any(was_sent) {
            self.errors_mut().retain(was_sent);
        } else {
            for error in self.errors_mut() {
                let place = match &error.location {
                    Location::Body(pointer) => pointer.trim_start_matches("#/").to_owned(),
                    Location::Parameter(name) => name.clone(),
                    Location::Header(name) => (*name).to_owned(),
                };
                error.detail = format!("{place}: {}", error.detail);
                error.location = Location::Body("#".to_owned());
            }
        }
        self
    }
}

/// Returns the pointer of an error in the body.
fn place(error: &FieldError) -> Option<String> {
    match &error.location {
        Location::Body(place) => Some(place.clone()),
        Location::Parameter(_) | Location::Header(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_hides_only_the_faults_of_its_own_field() {
        let mut errors = Errors::default();
        let limits = Pointer::Key(&Pointer::Root, "limits");
        errors.add(&Pointer::Key(&limits, "max_attempts"), "must be an integer");
        let faults = ["/limits/max", "/limits/max", "/limits/max_attempts", "/limits"];
        let faults = faults.map(|place| Invalid::new(place, "is wrong"));
        errors.add_faults(&Pointer::Root, faults.to_vec());
        let problem = errors.check().unwrap_err();
        let places: Vec<String> = problem.errors.iter().filter_map(place).collect();
        assert_eq!(
            places,
            [
                "#/limits/max_attempts",
                "#/limits/max",
                "#/limits/max",
                "#/limits"
            ]
        );
    }
}
