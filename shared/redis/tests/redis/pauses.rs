//! Other clients can work between two steps of long work. The tests count the pauses between commands and check which rebuild continues.

use std::cell::RefCell;
use std::rc::Rc;

use leaderboard_core::ports::{
    Expected, Leaderboards, PutLeaderboard, PutRefusal, REBUILD_LEASE_MS, RateLimits, Scores,
};
use leaderboard_core::{Leaderboard, PeriodId, TenantId, Ties, Versioned};
use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply, Signal};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::steps::{uncounted, with_days};
use crate::world::{DAY_MS, NOW_MS, at, attempt, simple, tenant, terms};

/// The minimum number of pauses between two steps of the same work.
const PAUSES: u32 = 5;

/// A connection that counts the pauses before each script.
struct Paused {
    inner: NativeRedis,
    pauses: RefCell<u32>,
    before: RefCell<Vec<u32>>,
}

impl Paused {
    async fn on(server: &Server) -> Self {
        Self {
            inner: server.connection().await,
            pauses: RefCell::default(),
            before: RefCell::default(),
        }
    }

    /// Returns the number of pauses before each script since the last call, without the first script.
    fn between_steps(&self) -> Vec<u32> {
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

/// Creates a leaderboard with this many entries.
async fn filled(store: &RedisStore<NativeRedis>, tenant: &TenantId, name: &str, entries: i64) -> Leaderboard {
    let board = simple(name);
    let stored = Rc::new(Versioned {
        version: rebuilt(store, tenant, &board).await.unwrap(),
        value: board.clone(),
    });
    let attempts: Vec<_> = (0..entries)
        .map(|n| attempt(&stored, &format!("p{n}"), n, NOW_MS))
        .collect();
    store
        .submit_with_options(tenant, &attempts, &terms())
        .await
        .unwrap();
    Leaderboard {
        ties: Ties::Dense,
        ..board
    }
}

/// Puts a leaderboard and rebuilds its entries.
async fn rebuilt(
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
        expiries: &[],
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    store.put(&put).await.unwrap().map(|(version, _)| version)
}

#[tokio::test]
async fn others_get_on_between_two_steps() {
    let server = Server::start().await;
    let native = server.store().await;
    let paused = Paused::on(&server).await;
    let store = RedisStore::new(&paused);

    let turned = filled(&native, &tenant(), "rebuilt", 2_500).await;
    // The scripts of a put are known to the server from now on, and bans are looked at before each.
    while rebuilt(&store, &tenant(), &turned).await.is_err() {}
    let between = paused.between_steps();
    let puts: Vec<_> = between.iter().filter(|pauses| **pauses > 0).collect();
    assert_eq!(puts.len(), 2, "{between:?}");
    assert!(puts.iter().all(|pauses| **pauses >= PAUSES), "{between:?}");

    let days = with_days(&native, 450).await;
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
        expiries: &expiries,
        max_leaderboards: None,
        at: at(NOW_MS),
    };
    store.put(&later).await.unwrap().unwrap();
    let between = paused.between_steps();
    let steps = between.iter().filter(|pauses| **pauses >= PAUSES).count();
    assert_eq!(steps, 4, "{between:?}");

    server.ask("FLUSHALL").await;
    uncounted(&server, &native, 1_100).await;
    store.usage(&tenant(), 0).await.unwrap();
    let between = paused.between_steps();
    let steps = between.iter().filter(|pauses| **pauses >= PAUSES).count();
    // A leaderboard and its period count as two.
    assert_eq!(steps, 4, "{between:?}");
}

#[tokio::test]
async fn a_tenant_rebuilds_one_leaderboard_at_a_time() {
    let server = Server::start().await;
    let store = server.store().await;
    let (own, other) = (tenant(), TenantId::new("other").unwrap());
    let first = filled(&store, &own, "first", 2_500).await;
    let second = filled(&store, &own, "second", 2_500).await;
    let small = filled(&store, &own, "small", 500).await;
    let elsewhere = filled(&store, &other, "first", 2_500).await;
    let copied = async |tenant: &str, board: &str| match server
        .ask(&format!("HLEN eb:{tenant}:b:{board}:E:all"))
        .await[..]
    {
        [Reply::Integer(copied)] => copied,
        _ => panic!("no number"),
    };
    let unfinished = Err(PutRefusal::Unfinished);
    assert_eq!(rebuilt(&store, &own, &first).await, unfinished);
    for _ in 0..3 {
        assert_eq!(rebuilt(&store, &own, &second).await, unfinished);
    }
    assert_eq!(
        (copied("acme", "first").await, copied("acme", "second").await),
        (1_000, 0)
    );
    // A rebuild of one step does not wait, nor does a rebuild of another tenant.
    assert!(rebuilt(&store, &own, &small).await.is_ok());
    assert_eq!(rebuilt(&store, &other, &elsewhere).await, unfinished);
    assert_eq!(copied("other", "first").await, 1_000);
    assert_eq!(rebuilt(&store, &own, &first).await, unfinished);
    assert!(rebuilt(&store, &own, &first).await.is_ok());
    assert_eq!(rebuilt(&store, &own, &second).await, unfinished);
    assert_eq!(copied("acme", "second").await, 1_000);
    // An abandoned turn expires.
    let [Reply::Integer(left)] = server.ask("PTTL eb:acme:rebuilding").await[..] else {
        panic!("no turn")
    };
    assert!((1..=REBUILD_LEASE_MS).contains(&left), "{left}");
    for _ in 0..2 {
        let _ = rebuilt(&store, &own, &second).await;
    }
    assert_eq!(server.ask("EXISTS eb:acme:rebuilding").await, [Reply::Integer(0)]);
}
