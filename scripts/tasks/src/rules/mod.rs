//! The rules of this repository that a program can check: who depends on whom, and tidiness.

mod benchmarks;
mod dependencies;
mod entry_points;
mod tidiness;

#[cfg(test)]
mod fixture;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The rule's short name.
    rule: &'static str,
    /// The file and line, or the package.
    place: String,
    detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.rule, self.place, self.detail)
    }
}

/// Prints one line for each violation; exit code 1 when there is one.
///
/// # Errors
/// When cargo or a file cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let violations = check(workspace)?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    Ok(if violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Every place where a rule is broken.
///
/// # Errors
/// When cargo or a file cannot be read.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let mut violations = dependencies::check(workspace)?;
    violations.extend(benchmarks::check(workspace)?);
    let files = tidiness::read_sources(&workspace.root)?;
    violations.extend(tidiness::check(&files));
    violations.extend(entry_points::check(&files));
    Ok(violations)
}
