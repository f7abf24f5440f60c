//! The tests that use several crates, in one binary.

#[cfg(test)]
mod cases;

#[cfg(test)]
mod api;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod in_process;
#[cfg(test)]
mod manifest_routes;
#[cfg(test)]
mod model;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod regressions;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tool;
#[cfg(test)]
mod transfers;
#[cfg(test)]
mod webhooks;
