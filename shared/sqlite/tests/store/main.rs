//! Tests of the SQLite store on real database files.

#[cfg(test)]
use leaderboard_test_support::native_sqlite;

#[cfg(test)]
mod block_damage;
#[cfg(test)]
mod block_history;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod expiries;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod group_commit;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod rank_blocks;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod support;
#[cfg(test)]
mod undo;
#[cfg(test)]
mod waiting_writers;
