//! The documents of the API: what is read from bodies, and what is written into them.

pub(crate) mod cursor;
pub(crate) mod entries;
pub(crate) mod leaderboard;
mod names;
pub(crate) mod outcome;
pub(crate) mod submission;
mod values;

pub(crate) use names::Names;
pub(crate) use values::NamedValues;
