//! Rebuilds in another order.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Expected, Leaderboards, PageFrom, PutLeaderboard, PutRefusal, RankDetail, Scores,
};
use leaderboard_core::{
    Column, Columns, Leaderboard, Order, PeriodId, PreparedSubmission, SubmissionTarget, Ties, Versioned,
};
use leaderboard_model::Model;
use leaderboard_redis::RedisStore;

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{NOW_MS, at, place, player, resolve, simple, submission, tenant};

/// A store and the core's model, which must agree.
struct Pair {
    store: RedisStore<NativeRedis>,
    model: Model,
}

impl Pair {
    async fn ban(&self, name: &str) {
        let ban = Ban::new(player(name), at(NOW_MS));
        self.store.ban(&tenant(), &ban).await.unwrap().unwrap();
        self.model.ban(&tenant(), &ban).await.unwrap().unwrap();
    }

    /// Puts a configuration until its rebuild is complete. Returns the version, or `None` for a refused put.
    async fn put(&self, leaderboard: &Leaderboard, rebuild: bool) -> Option<u64> {
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &tenant(),
            leaderboard,
            expected: Expected::Any,
            current: &PeriodId::all_time(),
            rebuild,
            expiries: &[],
            at: at(NOW_MS),
        };
        let stored = loop {
            match self.store.put(&put).await.unwrap() {
                Err(PutRefusal::Unfinished) => {}
                result => break result,
            }
        };
        assert_eq!(stored, self.model.put(&put).await.unwrap(), "{leaderboard:?}");
        stored.ok().map(|(version, _)| version)
    }

    async fn compare_entries(&self, board: &Rc<Versioned<Leaderboard>>, banned: &str) {
        let (tenant, all) = (tenant(), PeriodId::all_time());
        let here = place(&tenant, board, &all);
        let caller = Caller::Anonymous;
        assert_eq!(
            self.store.page(&here, &PageFrom::Top, 1000, &caller).await,
            self.model.page(&here, &PageFrom::Top, 1000, &caller).await
        );
        let banned = player(banned);
        assert_eq!(
            self.store.around(&here, &banned, 5, &Caller::Server).await,
            self.model.around(&here, &banned, 5, &Caller::Server).await
        );
    }

    /// Submits entries with many ties in columns `a` and `b`.
    async fn submit_entries(&self, board: &Rc<Versioned<Leaderboard>>) {
        let attempts: Vec<PreparedSubmission> = (0..1200)
            .map(|n| {
                let mut given = submission(&format!("p{n}"), &[]);
                let values = vec![("a".into(), n % 7 - 3), ("b".into(), n % 5 - 2)];
                given.values = SubmissionTarget::Named(values);
                given.occurred_at = Some(at(NOW_MS - n));
                resolve(&given, std::slice::from_ref(board), NOW_MS).unwrap()
            })
            .collect();
        let detail = RankDetail::Omitted;
        assert_eq!(
            self.store.submit(&tenant(), &attempts, detail).await.unwrap(),
            self.model.submit(&tenant(), &attempts, detail).await.unwrap()
        );
    }
}

#[tokio::test]
async fn a_rebuild_matches_columns_by_name() {
    let server = Server::start().await;
    let pair = Pair {
        store: server.store().await,
        model: Model::new(),
    };
    server.count_versions(&pair.model).await;
    let column = |name: &str, order| Column::new(name, order).unwrap();
    let shapes = [
        vec![column("a", Order::Descending), column("b", Order::Ascending)],
        vec![column("b", Order::Ascending), column("c", Order::Descending)],
        vec![
            column("c", Order::Ascending),
            column("b", Order::Descending),
            column("a", Order::Descending),
        ],
        vec![column("a", Order::Ascending)],
    ];
    let mut shape = simple("x");
    let mut board = Rc::new(Versioned {
        version: 0,
        value: shape.clone(),
    });
    pair.ban("p7").await;
    for (round, columns) in shapes.into_iter().enumerate() {
        for ties in [Ties::Dense, Ties::Latest, Ties::Shared, Ties::Earliest] {
            shape.columns = Columns::new(columns.clone()).unwrap();
            shape.ties = ties;
            for rebuild in [false, true] {
                if let Some(version) = pair.put(&shape, rebuild).await {
                    let value = shape.clone();
                    board = Rc::new(Versioned { version, value });
                }
            }
            pair.compare_entries(&board, "p7").await;
        }
        if round == 0 {
            pair.submit_entries(&board).await;
        }
    }
    let spare = server.ask("KEYS eb:acme:b:x:[MEVHTC]:*").await;
    assert_eq!(spare, []);
}
