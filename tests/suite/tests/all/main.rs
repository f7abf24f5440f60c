//! The tests that cross crates, in one binary.

#[cfg(test)]
mod given;
#[cfg(test)]
mod harness;

#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
#[cfg(test)]
mod regressions;
