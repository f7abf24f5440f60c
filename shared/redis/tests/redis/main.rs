//! Tests of the store on a real Redis server. Each test starts a server of its own.

#[cfg(test)]
use leaderboard_test_support::native_redis;

#[cfg(test)]
mod announcements;
#[cfg(test)]
mod atomicity;
#[cfg(test)]
mod bans;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod damaged_data;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod entry_quota;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod group_commit;
#[cfg(test)]
mod group_equality;
#[cfg(test)]
mod lifetime;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod long_calls;
#[cfg(test)]
mod out_of_memory;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod periods;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod records;
#[cfg(test)]
mod replica;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod server;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod world;
