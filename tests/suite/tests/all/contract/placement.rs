//! Tests of several Redis servers: which tenants each one holds, and what happens when one is down or is added.

use leaderboard_core::StoreError;
use leaderboard_core::ports::{MoveProgress, PageFrom, RankDetail, Scores, Shards};
use leaderboard_redis::{Connection, Reply};
use leaderboard_test_support::values::{Board, board, prepared, submission, tenant};
use leaderboard_test_support::{
    RedisServer, ShardedBackend, StoreBackend, StoreFixture, block_on, native_redis, ranked_line,
    ranked_lines,
};

/// So many tenants that each of three servers gets some.
const TENANTS: usize = 16;

fn start_servers(count: usize) -> ShardedBackend {
    ShardedBackend((0..count).map(|_| RedisServer::start_durable()).collect())
}

/// Opens a fixture for a tenant on a store. Each fixture is like another instance.
async fn open_as(backend: ShardedBackend, name: &str) -> StoreFixture<ShardedBackend> {
    let mut fixture = StoreFixture::on(backend).await;
    fixture.tenant = tenant(name);
    fixture
}

/// Creates a leaderboard with one entry for each of these tenants. Returns the leaderboards.
async fn fill(
    fixture: &mut StoreFixture<ShardedBackend>,
    numbers: std::ops::Range<usize>,
) -> Vec<(String, Board)> {
    let mut filled = Vec::new();
    for number in numbers {
        let name = format!("t{number}");
        fixture.tenant = tenant(&name);
        let board = fixture.put(&board("b")).await;
        fixture.submit_score(&board, "ann", 1).await;
        filled.push((name, board));
    }
    filled
}

/// Submits a score of a tenant, and returns the error of the store.
async fn submit_as(
    fixture: &StoreFixture<ShardedBackend>,
    (name, board): &(String, Board),
    value: i64,
) -> Result<(), StoreError> {
    let prepared = prepared(&submission(&[board], "ann", &[value]), &[board], fixture.now());
    let outcomes = fixture
        .store
        .submit(&tenant(name), &[prepared], RankDetail::Full)
        .await?;
    outcomes.into_iter().for_each(|outcome| drop(outcome.unwrap()));
    Ok(())
}

/// Returns the places in the list of servers of those that have the log of a tenant.
async fn find_homes(backend: &ShardedBackend, name: &str) -> Vec<usize> {
    let key = format!("eb:{name}:b:b:log");
    let mut homes = Vec::new();
    for (at, server) in backend.0.iter().enumerate() {
        let connection = native_redis::connect(&server.url()).await;
        let exists = connection.command("EXISTS", &[key.as_bytes()]).await.unwrap();
        if matches!(exists.as_slice(), [Reply::Integer(1)]) {
            homes.push(at);
        }
    }
    homes
}

/// Returns the server of each tenant. Each tenant has one.
async fn list_homes(backend: &ShardedBackend, filled: &[(String, Board)]) -> Vec<usize> {
    let mut all = Vec::new();
    for (name, _) in filled {
        let homes = find_homes(backend, name).await;
        assert_eq!(homes.len(), 1, "{name}: {homes:?}");
        all.extend(homes);
    }
    all
}

async fn assert_entries(fixture: &mut StoreFixture<ShardedBackend>, filled: &[(String, Board)], value: i64) {
    for (name, board) in filled {
        fixture.tenant = tenant(name);
        let page = fixture.page(board, &PageFrom::Top, 10).await;
        assert_eq!(
            ranked_lines(&page.entries),
            [ranked_line(1, "ann", value)],
            "{name}"
        );
    }
}

/// Moves every second tenant to the other one of two servers.
async fn move_some(fixture: &StoreFixture<ShardedBackend>, filled: &[(String, Board)], homes: &[usize]) {
    let some = filled.iter().zip(homes).step_by(2);
    let mut moving: Vec<_> = some
        .map(|((name, _), home)| (name, if *home == 0 { 2 } else { 1 }))
        .collect();
    // A move waits most of the time, so all go on together.
    while !moving.is_empty() {
        let mut left = Vec::new();
        for (name, to) in moving {
            let moved = fixture.store.move_tenant(&tenant(name), to).await;
            if moved.unwrap().unwrap() != MoveProgress::Done {
                left.push((name, to));
            }
        }
        moving = left;
    }
}

#[test]
fn while_a_server_is_down_the_tenants_of_the_others_go_on() {
    block_on(async {
        for down in [0, 1] {
            let mut fixture = open_as(start_servers(2), "t0").await;
            let filled = fill(&mut fixture, 0..TENANTS).await;
            let homes = list_homes(&fixture.backend, &filled).await;
            // So some tenants do not live where an instance that remembers nothing looks first.
            move_some(&fixture, &filled, &homes).await;
            let homes = list_homes(&fixture.backend, &filled).await;
            assert!(homes.contains(&0) && homes.contains(&1), "{homes:?}");
            let mut fresh = Vec::new();
            for _ in &filled {
                fresh.push(fixture.backend.open().await);
            }

            fixture.backend.0[down].kill();
            for ((filled, home), store) in filled.iter().zip(&homes).zip(fresh) {
                fixture.store = store;
                let submitted = submit_as(&fixture, filled, 2).await;
                // Its circuit breaker opens.
                let shard = fixture.store.guess_shard(Some(&tenant(&filled.0)));
                assert_eq!(usize::from(shard), home + 1, "{}", filled.0);
                if *home == down {
                    assert!(
                        matches!(submitted, Err(StoreError::Unavailable(_))),
                        "{submitted:?}"
                    );
                } else {
                    assert_eq!(submitted, Ok(()), "{}", filled.0);
                }
            }

            fixture.backend.0[down].restart();
            // The native client does not connect again.
            let mut fixture = open_as(fixture.backend, "t0").await;
            for tenant in &filled {
                assert_eq!(submit_as(&fixture, tenant, 3).await, Ok(()));
            }
            assert_entries(&mut fixture, &filled, 3).await;
            assert_eq!(list_homes(&fixture.backend, &filled).await, homes);
        }
    });
}

#[test]
fn tenants_stay_where_they_are_when_a_server_is_added() {
    block_on(async {
        for count in [1, 2] {
            let mut earlier = open_as(start_servers(count), "t0").await;
            let filled = fill(&mut earlier, 0..TENANTS).await;
            let homes = list_homes(&earlier.backend, &filled).await;

            let StoreFixture {
                mut backend, store, ..
            } = earlier;
            backend.0.push(RedisServer::start_durable());
            let mut later = open_as(backend, "t0").await;
            assert_entries(&mut later, &filled, 1).await;
            for tenant in &filled {
                assert_eq!(submit_as(&later, tenant, 2).await, Ok(()));
            }
            assert_entries(&mut later, &filled, 2).await;
            assert_eq!(list_homes(&later.backend, &filled).await, homes);

            let new = fill(&mut later, TENANTS..2 * TENANTS).await;
            let homes_of_new = list_homes(&later.backend, &new).await;
            assert!(homes_of_new.contains(&count), "{homes_of_new:?}");
            if count > 1 {
                assert_instance_without_the_server_is_refused(later, store, &new, &homes_of_new).await;
            }
        }
    });
}

/// Checks that an instance that knows two of three servers writes nothing to them for tenants of the third one.
async fn assert_instance_without_the_server_is_refused(
    later: StoreFixture<ShardedBackend>,
    store: <ShardedBackend as StoreBackend>::Store,
    new: &[(String, Board)],
    homes: &[usize],
) {
    let earlier = StoreFixture { store, ..later };
    for (tenant, home) in new.iter().zip(homes) {
        let submitted = submit_as(&earlier, tenant, 3).await;
        assert_eq!(submitted.is_ok(), *home < 2, "{}: {submitted:?}", tenant.0);
    }
    assert_eq!(list_homes(&earlier.backend, new).await, homes);
}
