//! Tests of the rules of this repository that no lint checks: which packages and modules may depend on which,
//! and the rules of every source file.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod sources;

/// The root of the repository.
#[cfg(test)]
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
