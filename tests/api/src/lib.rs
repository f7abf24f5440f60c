//! Tests of the API in process; see `tests/api`.
