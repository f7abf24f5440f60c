//! Tests of callers that close one period at the same instant: the standings are frozen once, and each player has one claim.

use std::rc::Rc;
use std::sync::Barrier;
use std::thread;

use leaderboard_core::ports::{
    Claim, ClaimOutcome, Expected, Freeze, Leaderboards, PeriodRef, RankDetail, ReadError, ReadSource, Scores,
};
use leaderboard_core::{Leaderboard, Period, StoreError, TenantId};
use leaderboard_host::{Host, Running};
use leaderboard_test_support::values::{DAY_MS, at, daily, player, prepared, submission, tenant};
use leaderboard_test_support::{
    AllPorts, ApiClient, RedisBackend, RedisServer, SqliteBackend, StoreBackend, block_on, host_config,
    put_leaderboard, state_dir,
};
use serde_json::{Value, json};

/// The number of caller threads. Each thread has its own connection.
const CALLERS: u64 = 6;
/// The number of players, which have the ranks from 1 on.
const PLAYERS: u64 = 40;

/// Repeats a call until the store is available. A call that waits too long for the lock of the database has no effect.
async fn retry_while_unavailable<T>(call: impl AsyncFn() -> Result<T, ReadError>) -> T {
    loop {
        match call().await {
            Ok(done) => return done,
            Err(ReadError::Store(StoreError::Unavailable(_))) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn name(rank: u64) -> String {
    format!("p{rank}")
}

/// Freezes the standings and claims for every player. Returns the freeze, and for each player what the store did.
async fn close_period<S: AllPorts>(
    store: &S,
    tenant: &TenantId,
    period: &Period,
    caller: u64,
) -> (Freeze, Vec<ClaimOutcome>) {
    let board = Leaderboards::get(store, tenant, &daily("race").id).await.unwrap();
    let board: Rc<leaderboard_core::Versioned<Leaderboard>> = Rc::new(board.unwrap());
    // Each caller has another instant.
    let now = at(DAY_MS).saturating_add_ms(i64::try_from(caller).unwrap());
    let period_ref = PeriodRef {
        tenant,
        leaderboard: &board,
        period: &period.id,
        now,
        source: ReadSource::Primary,
    };
    let freeze = retry_while_unavailable(async || store.freeze(&period_ref, period, None).await).await;
    let mut outcomes = Vec::new();
    for rank in 1..=PLAYERS {
        let claim = Claim {
            prize: "cup".into(),
            rank,
            claimed_at: now,
            replaces: None,
        };
        let player = player(&name(rank));
        outcomes.push(
            retry_while_unavailable(async || store.claim_prize(&period_ref, &player, &freeze, &claim).await)
                .await,
        );
    }
    (freeze, outcomes)
}

fn callers_freeze_once_and_claim_once<B: StoreBackend + Sync>() {
    let backend = B::new();
    let tenant = tenant("acme");
    let period = daily("race").schedule.period_at(at(0));
    block_on(async {
        let store = backend.open().await;
        let put = put_leaderboard(&store, &tenant, &daily("race"), Expected::Any, false, at(0)).await;
        put.unwrap();
        let board = Rc::new(store.get(&tenant, &daily("race").id).await.unwrap().unwrap());
        for rank in 1..=PLAYERS {
            let score = submission(&[&board], &name(rank), &[1000 - i64::try_from(rank).unwrap()]);
            let scores = [prepared(&score, &[&board], at(0))];
            store.submit(&tenant, &scores, RankDetail::Omitted).await.unwrap()[0]
                .as_ref()
                .unwrap();
        }
    });
    let start = Barrier::new(usize::try_from(CALLERS).unwrap());
    let closed: Vec<(Freeze, Vec<ClaimOutcome>)> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (backend, tenant, period, start) = (&backend, &tenant, &period, &start);
                scope.spawn(move || {
                    block_on(async {
                        let store = backend.open().await;
                        start.wait();
                        close_period(&store, tenant, period, caller).await
                    })
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let (first, _) = &closed[0];
    assert_eq!((first.count, first.reopened), (PLAYERS, 0));
    assert!(closed.iter().all(|(freeze, _)| freeze == first));
    for player in 0..usize::try_from(PLAYERS).unwrap() {
        let outcomes: Vec<_> = closed.iter().map(|(_, outcomes)| &outcomes[player]).collect();
        let created = outcomes
            .iter()
            .filter(|outcome| ***outcome == ClaimOutcome::Created);
        assert_eq!(created.count(), 1, "{outcomes:?}");
        let mut claims = outcomes.iter().filter_map(|outcome| match outcome {
            ClaimOutcome::Existing(claim) => Some(claim),
            ClaimOutcome::Created | ClaimOutcome::Changed => None,
        });
        let earlier = claims.next().unwrap();
        assert_eq!(
            claims.filter(|claim| *claim == earlier).count() as u64,
            CALLERS - 2
        );
    }
}

#[test]
fn callers_freeze_once_and_claim_once_on_sqlite() {
    callers_freeze_once_and_claim_once::<SqliteBackend>();
}

#[test]
fn callers_freeze_once_and_claim_once_on_redis() {
    callers_freeze_once_and_claim_once::<RedisBackend>();
}

/// Starts a region whose store is this Redis server.
async fn start_region(redis: &RedisServer) -> (Running, tempfile::TempDir) {
    let state = state_dir();
    let url = redis.url();
    let host = Host::start(host_config(state.path(), Some(&url))).await.unwrap();
    (host, state)
}

/// Claims the prizes of all players. Returns for each player the status and the document.
async fn claim_all(api: &ApiClient) -> Vec<(u16, Value)> {
    let mut claimed = Vec::new();
    for rank in 1..=PLAYERS {
        let body = json!({"player": name(rank), "period": "2001-05-05"});
        let response = api.post("/leaderboards/race/claims", &body).await;
        claimed.push((response.status, response.json()));
    }
    claimed
}

#[test]
fn two_regions_that_close_a_period_at_the_same_instant_agree() {
    block_on(async {
        let redis = RedisServer::start();
        let (one, two) = tokio::join!(start_region(&redis), start_region(&redis));
        let first = ApiClient::over_http(&one.0.url());
        let second = ApiClient::over_http(&two.0.url()).for_tenant(&first.tenant);
        let off = json!({"client": "off", "credentials": "off", "key": "off", "player": "off"});
        let limits = first.put("/operator/limits", &json!({"policies": off})).await;
        limits.expect_status(201);
        let fields = json!({
            "reset": {"cron": "0 0 1 1 *", "time_zone": "UTC"}, "keep_periods": 1000,
            "prizes": [{"name": "Gold", "from_rank": 1, "to_rank": 1}, {"name": "Chest", "top_percent": 100}],
        });
        first.create_leaderboard("race", &fields).await;
        let scores = (1..=PLAYERS).map(
            |rank| json!({"player": name(rank), "score": 1000 - rank, "occurred_at": "2001-05-05T00:00:00Z"}),
        );
        first.submit_all("race", &scores.collect::<Vec<_>>()).await;
        let path = "/leaderboards/race/standings?period=2001-05-05";
        let (of_first, of_second) = tokio::join!(first.get(path), second.get(path));
        let (of_first, of_second) = (of_first.expect_status(200), of_second.expect_status(200));
        assert_eq!(of_first["final"], of_second["final"]);
        assert_eq!(of_first["final"]["count"], PLAYERS);
        let (of_first, of_second) = tokio::join!(claim_all(&first), claim_all(&second));
        for ((status, claim), (other_status, other)) in of_first.into_iter().zip(of_second) {
            let mut statuses = [status, other_status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 201]);
            assert_eq!(claim, other);
        }
        one.0.stop().await;
        two.0.stop().await;
    });
}
