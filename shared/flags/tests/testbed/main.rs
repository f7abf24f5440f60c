//! The scenarios of open-feature's `flagd-testbed`, read from a checkout of it (see `tests/README.md`).

#[cfg(test)]
mod gherkin;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod suites;
