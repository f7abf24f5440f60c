//! The whole application as clients see it: the real components on the local host, over real HTTP.

mod call;
mod client;
mod expected;
mod shared;
mod site;
mod tool;

pub(crate) use call::{Call, Reply, segment};
pub(crate) use client::Edgeboard;
pub(crate) use expected::{Numbers, Order, Scored, Standing, Ties, standings};
pub(crate) use shared::run;
pub(crate) use site::{KEY, Site, Store, configuration, root, state_dir};
pub(crate) use tool::tool;

/// Defines tests that run on both stores, each with a tenant of its own. A test that has no name here does not
/// exist on either.
macro_rules! over_http {
    ($($(#[$doc:meta])* async fn $name:ident($edgeboard:ident) $body:block)*) => {
        $($(#[$doc])* async fn $name($edgeboard: &$crate::edgeboard::Edgeboard) $body)*

        mod sqlite {
            use $crate::edgeboard::{Edgeboard, Store, run};
            $(#[test] fn $name() { run(Store::Sqlite, async |edgeboard: &Edgeboard| super::$name(edgeboard).await); })*
        }

        mod redis {
            use $crate::edgeboard::{Edgeboard, Store, run};
            $(#[test] fn $name() { run(Store::Redis, async |edgeboard: &Edgeboard| super::$name(edgeboard).await); })*
        }
    };
}
pub(crate) use over_http;

/// Asks again until the answer is the one hoped for; tells the last one when it never comes.
pub(crate) async fn eventually<T: std::fmt::Debug>(
    mut ask: impl AsyncFnMut() -> T,
    hoped: impl Fn(&T) -> bool,
) -> T {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
    let give_up_at = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if hoped(&answer) {
            return answer;
        }
        assert!(std::time::Instant::now() < give_up_at, "still {answer:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
