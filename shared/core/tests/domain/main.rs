//! Tests that compare the domain's rules with their definitions.

#[cfg(test)]
mod given;

#[cfg(test)]
mod codec;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod decide_bounds;
#[cfg(test)]
mod fingerprint;
#[cfg(test)]
mod order_key;
#[cfg(test)]
mod projection;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod schedule_changes;
#[cfg(test)]
mod schedule_daylight;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod ties;
#[cfg(test)]
mod usecases;
