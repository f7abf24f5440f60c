//! Runs the scenarios of open-feature's `flagd-testbed` from a checkout (see `tests/README.md`).

#[cfg(test)]
mod gherkin;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod suites;
