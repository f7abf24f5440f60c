//! The API over the in-memory model: requests in, whole answers out.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod bans;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod browsers;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod flags;
#[cfg(test)]
mod generations;
#[cfg(test)]
mod hidden;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod integers;
#[cfg(test)]
mod leaderboards;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod old_schedules;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod periods;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod preconditions;
#[cfg(test)]
mod ranks;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod scores;
#[cfg(test)]
mod service;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod views;
