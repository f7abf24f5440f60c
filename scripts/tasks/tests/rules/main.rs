//! The rules of this repository that no lint checks: who depends on whom, and what a reader may rely on in every source file.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod sources;

/// The root of the repository.
#[cfg(test)]
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
