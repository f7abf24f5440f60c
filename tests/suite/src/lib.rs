//! The tests that cross crates; see `tests/all`.
