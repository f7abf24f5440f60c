//! Flag documents and their evaluation, through the public face of the crate.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
