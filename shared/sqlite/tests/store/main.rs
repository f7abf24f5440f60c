//! The store on real files.

#[path = "../../../../tests/suite/src/native_sqlite.rs"]
#[expect(unreachable_pub, reason = "the contract suite shares this file")]
mod native_sqlite;

#[cfg(test)]
mod configuration;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod expiries;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod migrations;
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
