//! Tests that other clients can work between two steps of long work. The tests count the pauses between
//! commands and check which rebuild continues.

use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_core::ports::{
    Expected, Leaderboards, PutLeaderboard, PutRefusal, REBUILD_LEASE_MS, RateLimits, Scores,
};
use leaderboard_core::{Leaderboard, PeriodId, TenantId, Ties, Versioned};
use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply, Signal};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::steps::{put_leaderboard_with_days, put_uncounted_leaderboards};
use crate::world::{DAY_MS, NOW_MS, at, prepare, simple_leaderboard, submit_options, tenant};

/// The minimum number of pauses between two steps of the same work.
const PAUSES: u32 = 5;

/// A connection that counts the pauses before each script.
struct Paused {
    inner: NativeRedis,
    /// The number of pauses since the last script.
    pauses: RefCell<u32>,
    /// The number of pauses before each script.
    before: RefCell<Vec<u32>>,
}

impl Paused {
    async fn open(server: &Server) -> Self {
        Self {
            inner: server.connection().await,
            pauses: RefCell::default(),
            before: RefCell::default(),
        }
    }

    /// Returns the number of pauses before each script since the last call, without the first script.
    fn take_pauses_between_scripts(&self) -> Vec<u32> {
        self.pauses.take();
        self.before.take().split_off(1)
    }
}

impl Connection for &Paused {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        if name == "FCALL" {
            self.before.borrow_mut().push(self.pauses.take());
        }
        self.inner.command(name, arguments).await
    }

    async fn pause(&self) {
        *self.pauses.borrow_mut() += 1;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }
}

/// Creates a leaderboard with this many entries. Returns its configuration with another tie policy, which
/// requires a rebuild.
async fn put_filled_leaderboard(
    store: &RedisStore<NativeRedis>,
    tenant: &TenantId,
    name: &str,
    entries: i64,
) -> Leaderboard {
    let board = simple_leaderboard(name);
    let stored = Rc::new(Versioned {
        version: rebuild(store, tenant, &board).await.unwrap(),
        value: board.clone(),
    });
    let submissions: Vec<_> = (0..entries)
        .map(|n| prepare(&stored, &format!("p{n}"), n, NOW_MS))
        .collect();
    store
        .submit_with_options(tenant, &submissions, &submit_options())
        .await
        .unwrap();
    Leaderboard {
        ties: Ties::Dense,
        ..board
    }
}

/// Puts a leaderboard and rebuilds its entries. Returns its version.
async fn rebuild(
    store: &RedisStore<impl Connection>,
    tenant: &TenantId,
    board: &Leaderboard,
) -> Result<u64, PutRefusal> {
    let put = PutLeaderboard {
        tenant,
        leaderboard: board,
        expected: Expected::Any,
        current: &PeriodId::all_time(),
        rebuild: true,
        verified: None,
        expiries: &[],
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    store.put(&put).await.unwrap().map(|(version, _)| version)
}

#[tokio::test]
async fn long_work_pauses_for_other_clients_between_its_steps() {
    let server = Server::start().await;
    let native = server.store().await;
    let paused = Paused::open(&server).await;
    let store = RedisStore::new(&paused);

    let dense = put_filled_leaderboard(&native, &tenant(), "rebuilt", 2_500).await;
    // Each put also runs a script that looks for bans, and the store does not pause before that script.
    while rebuild(&store, &tenant(), &dense).await.is_err() {}
    let between = paused.take_pauses_between_scripts();
    let puts: Vec<_> = between.iter().filter(|pauses| **pauses > 0).collect();
    assert_eq!(puts.len(), 2, "{between:?}");
    assert!(puts.iter().all(|pauses| **pauses >= PAUSES), "{between:?}");

    let days = put_leaderboard_with_days(&native, 450).await;
    let expiries: Vec<_> = (0..450)
        .map(|day| {
            let period = days.value.schedule.period_at(at(NOW_MS + day * DAY_MS));
            (period.id, Some(at(NOW_MS + 2000 * DAY_MS)))
        })
        .collect();
    let mut more = days.value.clone();
    more.title = "more".into();
    let later = PutLeaderboard {
        tenant: &tenant(),
        leaderboard: &more,
        expected: Expected::Any,
        current: &PeriodId::all_time(),
        rebuild: false,
        verified: None,
        expiries: &expiries,
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    store.put(&later).await.unwrap().unwrap();
    let between = paused.take_pauses_between_scripts();
    let steps = between.iter().filter(|pauses| **pauses >= PAUSES).count();
    assert_eq!(steps, 4, "{between:?}");

    server.run_command("FLUSHALL").await;
    put_uncounted_leaderboards(&server, &native, 1_100).await;
    store.usage(&tenant(), 0).await.unwrap();
    let between = paused.take_pauses_between_scripts();
    let steps = between.iter().filter(|pauses| **pauses >= PAUSES).count();
    // A step counts a leaderboard and its period as two items.
    assert_eq!(steps, 4, "{between:?}");
}

#[tokio::test]
async fn a_tenant_rebuilds_one_leaderboard_at_a_time() {
    let server = Server::start().await;
    let store = server.store().await;
    let (own, other) = (tenant(), TenantId::new("other").unwrap());
    let first = put_filled_leaderboard(&store, &own, "first", 2_500).await;
    let second = put_filled_leaderboard(&store, &own, "second", 2_500).await;
    let small = put_filled_leaderboard(&store, &own, "small", 500).await;
    let elsewhere = put_filled_leaderboard(&store, &other, "first", 2_500).await;
    let copied = async |tenant: &str, board: &str| match server
        .run_command(&format!("HLEN eb:{tenant}:b:{board}:E:all"))
        .await[..]
    {
        [Reply::Integer(copied)] => copied,
        _ => panic!("no number"),
    };
    let unfinished = Err(PutRefusal::Unfinished);
    assert_eq!(rebuild(&store, &own, &first).await, unfinished);
    for _ in 0..3 {
        assert_eq!(rebuild(&store, &own, &second).await, unfinished);
    }
    assert_eq!(
        (copied("acme", "first").await, copied("acme", "second").await),
        (1_000, 0)
    );
    // A rebuild of one step does not wait. A rebuild of another tenant does not wait either.
    assert!(rebuild(&store, &own, &small).await.is_ok());
    assert_eq!(rebuild(&store, &other, &elsewhere).await, unfinished);
    assert_eq!(copied("other", "first").await, 1_000);
    assert_eq!(rebuild(&store, &own, &first).await, unfinished);
    assert!(rebuild(&store, &own, &first).await.is_ok());
    assert_eq!(rebuild(&store, &own, &second).await, unfinished);
    assert_eq!(copied("acme", "second").await, 1_000);
    // The turn of an abandoned rebuild expires.
    let [Reply::Integer(left)] = server.run_command("PTTL eb:acme:rebuilding").await[..] else {
        panic!("no turn")
    };
    assert!((1..=REBUILD_LEASE_MS).contains(&left), "{left}");
    for _ in 0..2 {
        let _ = rebuild(&store, &own, &second).await;
    }
    assert_eq!(
        server.run_command("EXISTS eb:acme:rebuilding").await,
        [Reply::Integer(0)]
    );
}
