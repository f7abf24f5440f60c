//! Tests of bans: how many commands a ban takes, and what happens when its request fails halfway.

use std::cell::Cell;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, Events, PageFrom, RankDetail, Scores};
use leaderboard_core::{EventBody, Leaderboard, PeriodId, Versioned};
use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply, Signal};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    NOW_MS, at, make_period_ref, player, put, resolve, simple_leaderboard, submission, tenant,
};

type Board = Rc<Versioned<Leaderboard>>;

/// A connection that counts commands, and fails after a number of commands.
struct Counted {
    inner: NativeRedis,
    /// The number of commands that were sent.
    sent: Rc<Cell<u32>>,
    /// The number of commands that can still be sent.
    left: Rc<Cell<u32>>,
}

impl Connection for Counted {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        if self.left.get() == 0 {
            return Err(ConnectionError::Unavailable("the request died".into()));
        }
        self.left.set(self.left.get() - 1);
        self.sent.set(self.sent.get() + 1);
        self.inner.command(name, arguments).await
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }

    fn signal(&self) -> Signal {
        self.inner.signal()
    }
}

/// Returns a store on a [`Counted`] connection, and its counters `sent` and `left`.
async fn open_counted_store(server: &Server) -> (RedisStore<Counted>, Rc<Cell<u32>>, Rc<Cell<u32>>) {
    let (sent, left) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(u32::MAX)));
    let connection = Counted {
        inner: server.connection().await,
        sent: Rc::clone(&sent),
        left: Rc::clone(&left),
    };
    let store = RedisStore::new(connection);
    (store, sent, left)
}

/// Creates `count` leaderboards. In each of them, `p` is first and `q` is second.
async fn put_leaderboards(store: &RedisStore<Counted>, count: u32) -> Vec<Board> {
    let mut boards = Vec::new();
    for number in 0..count {
        boards.push(put(store, &simple_leaderboard(&format!("b{number:04}"))).await);
    }
    let mut submissions = Vec::new();
    for several in boards.chunks(16) {
        submissions.push(resolve(&submission("p", &[2]), several, NOW_MS).unwrap());
        submissions.push(resolve(&submission("q", &[1]), several, NOW_MS).unwrap());
    }
    let results = store.submit(&tenant(), &submissions, RankDetail::Omitted).await;
    assert!(results.unwrap().iter().all(Result::is_ok));
    boards
}

/// Returns the players of the first page at an instant.
async fn list_names(store: &RedisStore<Counted>, board: &Board, now_ms: i64) -> Vec<String> {
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let mut period_ref = make_period_ref(&tenant, board, &all);
    period_ref.now = at(now_ms);
    let page = store
        .page(&period_ref, &PageFrom::Top, 5, &Caller::Anonymous)
        .await
        .unwrap();
    let names: Vec<String> = page
        .entries
        .iter()
        .map(|ranked| ranked.entry.player.to_string())
        .collect();
    assert_eq!(page.count, names.len() as u64);
    assert_eq!(page.entries[0].rank, 1);
    names
}

#[tokio::test]
async fn a_ban_in_a_thousand_leaderboards_takes_a_few_commands() {
    let server = Server::start().await;
    let (store, sent, _) = open_counted_store(&server).await;
    let boards = put_leaderboards(&store, 1000).await;
    for banned in [true, false] {
        sent.set(0);
        if banned {
            let ban = Ban::new(player("p"), at(NOW_MS));
            store.ban(&tenant(), &ban).await.unwrap().unwrap();
        } else {
            store.unban(&tenant(), &player("p"), at(NOW_MS)).await.unwrap();
        }
        assert!(sent.get() <= 4, "{} commands", sent.get());
        // The change is applied in all leaderboards, so each read takes one command.
        sent.set(0);
        let expected: &[&str] = if banned { &["q"] } else { &["p", "q"] };
        for board in &boards {
            assert_eq!(list_names(&store, board, NOW_MS).await, expected);
        }
        assert!(sent.get() <= 1001, "{}", sent.get());
    }
    assert_eq!(
        server.run_command("EXISTS eb:acme:bans:changes").await,
        [Reply::Integer(0)]
    );
}

#[tokio::test]
async fn an_unfinished_ban_holds_everywhere_and_the_next_ban_finishes_it() {
    let server = Server::start().await;
    let (store, sent, left) = open_counted_store(&server).await;
    let boards = put_leaderboards(&store, 2000).await;
    // The store sends a script twice the first time. This call does so before commands are limited.
    store
        .unban(&tenant(), &player("nobody"), at(NOW_MS))
        .await
        .unwrap();
    left.set(1);
    let ban = Ban::new(player("p"), at(NOW_MS));
    store.ban(&tenant(), &ban).await.unwrap().unwrap();
    left.set(u32::MAX);
    let waits = server.run_command("ZCARD eb:acme:bans:changes").await;
    assert_eq!(waits, [Reply::Integer(1)], "the ban is not finished");
    // A read of the last leaderboard and a write of another leaderboard apply the ban first.
    let [.., other, last] = boards.as_slice() else {
        panic!("too few leaderboards")
    };
    sent.set(0);
    assert_eq!(list_names(&store, last, NOW_MS).await, ["q"]);
    assert!(sent.get() <= 5, "{} commands", sent.get());
    let prepared = resolve(&submission("q", &[3]), std::slice::from_ref(other), NOW_MS).unwrap();
    let results = store
        .submit(&tenant(), &[prepared], RankDetail::Full)
        .await
        .unwrap();
    let outcome = &results[0].as_ref().unwrap()[0];
    assert_eq!(outcome.previous.as_ref().unwrap().rank, Some(1));
    let log = store.read(&tenant(), &other.value.id, 0, 10).await.unwrap();
    let kinds: Vec<bool> = log
        .iter()
        .map(|recorded| {
            recorded
                .event
                .as_ref()
                .is_ok_and(|event| matches!(event.body, EventBody::Banned { .. }))
        })
        .collect();
    assert_eq!(
        kinds,
        [false, false, false, true, false],
        "the ban comes before the submission"
    );
    // The next call for a ban applies the rest.
    let next = Ban::new(player("nobody"), at(NOW_MS));
    store.ban(&tenant(), &next).await.unwrap().unwrap();
    assert_eq!(
        server.run_command("EXISTS eb:acme:bans:changes").await,
        [Reply::Integer(0)]
    );
    for board in &boards {
        assert_eq!(list_names(&store, board, NOW_MS).await, ["q"]);
    }
}

#[tokio::test]
async fn bans_that_end_together_are_ended_by_reads_in_bounded_steps() {
    let server = Server::start().await;
    let (store, sent, _) = open_counted_store(&server).await;
    let board = put(&store, &simple_leaderboard("b")).await;
    let submissions: Vec<_> = (0..600)
        .map(|number| {
            let name = format!("p{number:03}");
            resolve(
                &submission(&name, &[number]),
                std::slice::from_ref(&board),
                NOW_MS,
            )
            .unwrap()
        })
        .collect();
    store
        .submit(&tenant(), &submissions, RankDetail::Omitted)
        .await
        .unwrap();
    for number in 0..600 {
        let ban = Ban {
            expires_at: Some(at(NOW_MS + 1000)),
            ..Ban::new(player(&format!("p{number:03}")), at(NOW_MS))
        };
        store.ban(&tenant(), &ban).await.unwrap().unwrap();
    }
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let mut period_ref = make_period_ref(&tenant, &board, &all);
    let count = async |period_ref: &leaderboard_core::ports::PeriodRef<'_>| {
        let page = store
            .page(period_ref, &PageFrom::Top, 1, &Caller::Anonymous)
            .await;
        page.unwrap().count
    };
    period_ref.now = at(NOW_MS + 999);
    assert_eq!(count(&period_ref).await, 0);
    period_ref.now = at(NOW_MS + 1000);
    sent.set(0);
    assert_eq!(count(&period_ref).await, 600);
    assert!(sent.get() <= 12, "{} commands", sent.get());
    assert_eq!(server.run_command("HLEN eb:acme:bans").await, [Reply::Integer(0)]);
    assert_eq!(store.list_bans(&tenant, None, 10, at(NOW_MS)).await.unwrap(), []);
}
