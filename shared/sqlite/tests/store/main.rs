//! The store on real files.

#[path = "../../../../tests/suite/src/native_sqlite.rs"]
#[expect(unreachable_pub, reason = "the contract suite shares this file")]
mod native_sqlite;

#[cfg(test)]
mod first;
#[cfg(test)]
mod support;
