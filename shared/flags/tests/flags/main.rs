//! Tests of flag documents and their evaluation, through the public interface of the crate.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
