//! Macros that define each test once and run it on every store.

/// Defines tests of the ports. Each test runs on both stores, on a fresh store, and on Redis with three shards.
macro_rules! on_both_stores {
    ($($(#[$doc:meta])* async fn $name:ident($fixture:ident) $body:block)*) => {
        $($(#[$doc])* async fn $name<B: leaderboard_test_support::StoreBackend>(
            $fixture: leaderboard_test_support::StoreFixture<B>,
        ) $body)*

        mod sqlite {
            use leaderboard_test_support::{SqliteBackend, run_on};
            $(#[test] fn $name() { run_on::<SqliteBackend>(super::$name); })*
        }

        mod redis {
            use leaderboard_test_support::{RedisBackend, run_on};
            $(#[test] fn $name() { run_on::<RedisBackend>(super::$name); })*
        }

        mod shards {
            use leaderboard_test_support::{ShardedBackend, run_on};
            $(#[test] fn $name() { run_on::<ShardedBackend>(super::$name); })*
        }
    };
}
pub(crate) use on_both_stores;

/// Defines tests of the API as functions that take a client. Each test runs in process, and over HTTP on both
/// stores. Each run has its own tenant.
macro_rules! api_cases {
    ($($(#[$doc:meta])* async fn $name:ident($api:ident) $body:block)*) => {
        $crate::cases::http_cases! { $($(#[$doc])* async fn $name($api) $body)* }

        mod in_process {
            use leaderboard_test_support::ApiClient;
            $(#[test] fn $name() {
                $crate::in_process::environment::run_case(async |api: &ApiClient| super::$name(api).await);
            })*
        }
    };
}
pub(crate) use api_cases;

/// Defines tests of the API that cannot run in process: they need network connections, the component that
/// serves files, or the document versions of a real store. Each test runs over HTTP on both stores.
macro_rules! http_cases {
    ($($(#[$doc:meta])* async fn $name:ident($api:ident) $body:block)*) => {
        $($(#[$doc])* async fn $name($api: &leaderboard_test_support::ApiClient) $body)*

        mod sqlite {
            use leaderboard_test_support::{ApiClient, StoreKind, run_on_shared_service};
            $(#[test] fn $name() {
                run_on_shared_service(StoreKind::Sqlite, async |api: &ApiClient| super::$name(api).await);
            })*
        }

        mod redis {
            use leaderboard_test_support::{ApiClient, StoreKind, run_on_shared_service};
            $(#[test] fn $name() {
                run_on_shared_service(StoreKind::Redis, async |api: &ApiClient| super::$name(api).await);
            })*
        }
    };
}
pub(crate) use http_cases;

/// Defines tests with a service of their own, from functions that take the kind of its store. Each test runs on
/// both kinds of stores.
macro_rules! on_both_kinds {
    ($($name:ident)*) => {
        mod sqlite {
            use leaderboard_test_support::{StoreKind, block_on};
            $(#[test] fn $name() { block_on(super::$name(StoreKind::Sqlite)); })*
        }

        mod redis {
            use leaderboard_test_support::{StoreKind, block_on};
            $(#[test] fn $name() { block_on(super::$name(StoreKind::Redis)); })*
        }
    };
}
pub(crate) use on_both_kinds;
