//! Tests of reads from a replica, on a replica of a real server.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, NeededChanges, Page, PageFrom, RankDetail, ReadError, ReadSource, Replica, ReplicaRefusal,
    Scores,
};
use leaderboard_core::{PeriodId, Timestamp};
use leaderboard_redis::{Connection, RedisStore};
use leaderboard_test_support::{RedisServer, wait_until};

use crate::native_redis::{NativeRedis, connect};
use crate::world::{NOW_MS, at, make_period_ref, player, prepare, put, simple_leaderboard, tenant};

/// The beginning of the clock: every stored time is later.
const BEGINNING: i64 = 0;

/// A primary, its replica, and a store on both.
struct Pair {
    primary: RedisServer,
    replica: RedisServer,
    store: RedisStore<NativeRedis>,
}

impl Pair {
    async fn start() -> Self {
        let primary = RedisServer::start();
        let replica = RedisServer::start_replica(primary.port());
        let store = RedisStore::new(connect(&primary.url()).await);
        Self {
            store: store.with_replica(connect(&replica.url()).await),
            primary,
            replica,
        }
    }

    /// Writes the primary's clock, and waits until the replica has it.
    async fn write_clock(&self) -> Timestamp {
        let before = self.store.read_replica_clock().await.unwrap();
        // The clock counts milliseconds.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        self.store.write_clock().await.unwrap();
        let read = async || self.store.read_replica_clock().await.unwrap();
        wait_until(read, |clock| *clock > before).await.unwrap()
    }
}

fn needed(position: u64, until_ms: i64) -> ReadSource {
    ReadSource::Replica(NeededChanges {
        position,
        until: at(until_ms),
    })
}

/// Returns the players of the best entries.
fn players(page: Result<Page, ReadError>) -> Result<Vec<String>, ReadError> {
    let entries = page?.entries.into_iter();
    Ok(entries
        .map(|ranked| ranked.entry.player.as_str().to_owned())
        .collect())
}

const BEHIND: Result<Vec<String>, ReadError> = Err(ReadError::Replica(ReplicaRefusal::Behind));

#[tokio::test]
async fn a_replica_answers_only_with_the_needed_changes() {
    let pair = Pair::start().await;
    let board = put(&pair.store, &simple_leaderboard("a")).await;
    let submitted = pair
        .store
        .submit(&tenant(), &[prepare(&board, "p", 1, NOW_MS)], RankDetail::Full)
        .await
        .unwrap();
    let position = submitted[0].as_ref().unwrap()[0].version;
    let (tenant, period) = (tenant(), PeriodId::all_time());
    let read = async |source| {
        let mut period_ref = make_period_ref(&tenant, &board, &period);
        period_ref.source = source;
        players(
            pair.store
                .page(&period_ref, &PageFrom::Top, 5, &Caller::Reader)
                .await,
        )
    };
    // Without a clock, nobody knows how far the replica has come.
    assert_eq!(pair.store.read_replica_clock().await, Ok(None));
    assert_eq!(read(needed(0, BEGINNING)).await, BEHIND);
    assert_eq!(read(ReadSource::Primary).await, Ok(vec!["p".to_owned()]));
    let clock = pair.write_clock().await.as_unix_ms();
    for (source, is_answered) in [
        (needed(0, BEGINNING), true),
        (needed(position, clock), true),
        (needed(position + 1, clock), false),
        (needed(0, clock + 1), false),
    ] {
        let expected = if is_answered {
            Ok(vec!["p".to_owned()])
        } else {
            BEHIND
        };
        assert_eq!(read(source).await, expected, "{source:?}");
    }
    // Another configuration than the caller's: the replica or the caller is behind, and the primary knows.
    let mut renamed = simple_leaderboard("a");
    renamed.title = "Another title".into();
    put(&pair.store, &renamed).await;
    pair.write_clock().await;
    assert_eq!(read(needed(0, BEGINNING)).await, BEHIND);
    assert_eq!(
        read(ReadSource::Primary).await,
        Err(ReadError::StaleConfiguration)
    );
}

#[tokio::test]
async fn bans_that_only_the_primary_can_apply_are_not_hidden_by_the_replica() {
    let pair = Pair::start().await;
    let board = put(&pair.store, &simple_leaderboard("a")).await;
    for name in ["p", "q"] {
        let submissions = [prepare(&board, name, 1, NOW_MS)];
        let submitted = pair
            .store
            .submit(&tenant(), &submissions, RankDetail::Omitted)
            .await;
        submitted.unwrap()[0].as_ref().unwrap();
    }
    let ban = Ban {
        player: player("p"),
        reason: None,
        banned_at: at(NOW_MS - 10),
        expires_at: Some(at(NOW_MS - 1)),
    };
    pair.store.ban(&tenant(), &ban).await.unwrap().unwrap();
    pair.write_clock().await;
    let (tenant, period) = (tenant(), PeriodId::all_time());
    let mut period_ref = make_period_ref(&tenant, &board, &period);
    period_ref.source = needed(0, BEGINNING);
    let page = async |period_ref| {
        let page = pair.store.page(period_ref, &PageFrom::Top, 5, &Caller::Reader);
        players(page.await)
    };
    // The ban is over, and somebody has to write this.
    assert_eq!(page(&period_ref).await, BEHIND);
    let on_primary = make_period_ref(&tenant, &board, &period);
    assert_eq!(page(&on_primary).await.unwrap().len(), 2);
    pair.write_clock().await;
    assert_eq!(page(&period_ref).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_replica_that_is_down_refuses_and_the_primary_answers() {
    let mut pair = Pair::start().await;
    let board = put(&pair.store, &simple_leaderboard("a")).await;
    pair.write_clock().await;
    pair.replica.kill();
    let (tenant, period) = (tenant(), PeriodId::all_time());
    let mut period_ref = make_period_ref(&tenant, &board, &period);
    period_ref.source = needed(0, BEGINNING);
    let page = pair
        .store
        .page(&period_ref, &PageFrom::Top, 5, &Caller::Reader)
        .await;
    assert!(
        matches!(page, Err(ReadError::Replica(ReplicaRefusal::Unavailable(_)))),
        "{page:?}"
    );
    period_ref.source = ReadSource::Primary;
    let page = pair
        .store
        .page(&period_ref, &PageFrom::Top, 5, &Caller::Reader)
        .await;
    assert_eq!(players(page), Ok(Vec::new()));
    // A replica that has lost its primary and is told to refuse reads.
    pair.replica.restart();
    let replica = connect(&pair.replica.url()).await;
    let command = ["replica-serve-stale-data", "no"].map(str::as_bytes);
    replica
        .command("CONFIG", &[b"SET", command[0], command[1]])
        .await
        .unwrap();
    pair.primary.kill();
    let store = RedisStore::new(replica.clone()).with_replica(replica);
    period_ref.source = needed(0, BEGINNING);
    let refused = wait_until(
        async || store.page(&period_ref, &PageFrom::Top, 5, &Caller::Reader).await,
        |page| matches!(page, Err(ReadError::Replica(ReplicaRefusal::Unavailable(_)))),
    );
    assert!(refused.await.is_err());
}
