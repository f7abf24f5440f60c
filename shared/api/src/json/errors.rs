//! What is wrong with a body, collected.

use std::collections::BTreeSet;

use leaderboard_core::Invalid;

use super::{IS_REQUIRED, Json, Pointer, has_place};
use crate::problem::{FieldError, Location, MAX_FIELD_ERRORS, Problem, ProblemType};

/// The errors of a body, in the order of their finding. Those beyond [`MAX_FIELD_ERRORS`] are counted only.
#[derive(Debug, Default)]
pub struct Errors {
    listed: Vec<FieldError>,
    count: usize,
}

impl Errors {
    /// Notes an error.
    pub fn add(&mut self, pointer: &Pointer<'_>, detail: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            self.listed.push(FieldError::body(pointer.to_string(), detail));
        }
    }

    /// Notes what the domain finds wrong below a place.
    pub fn add_invalid(&mut self, pointer: &Pointer<'_>, invalid: &Invalid) {
        self.count += 1;
        if self.listed.len() < MAX_FIELD_ERRORS {
            let place = format!("{pointer}{}", invalid.pointer);
            self.listed.push(FieldError::body(place, invalid.detail.as_str()));
        }
    }

    /// Notes everything that the domain finds wrong below a place, but for faults of fields at which an error was noted before:
    /// what stands for a field that could not be read is nobody's fault. An error below a field hides none of the field itself,
    /// so what stands for a part of a field must be right.
    pub fn add_faults(&mut self, pointer: &Pointer<'_>, faults: Vec<Invalid>) {
        let known: BTreeSet<String> = self.listed.iter().filter_map(place).collect();
        for fault in faults {
            if !known.contains(&format!("{pointer}{}", fault.pointer)) {
                self.add_invalid(pointer, &fault);
            }
        }
    }

    /// `Ok` when nothing is wrong.
    ///
    /// # Errors
    /// A `validation` problem that lists them.
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
    /// The same problem with errors only at places that the client sent. What is missing and required stays. When no error is
    /// left, all are reported at the whole body.
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

/// Where in the body an error is.
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
    fn an_error_hides_faults_of_its_own_field_alone() {
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
