//! Tests of a Redis server that fails: an acknowledged write is never lost, and an unacknowledged write can
//! be repeated.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, Events, Leaderboards, PageFrom, RankDetail, Readiness, Scores};
use leaderboard_core::{Leaderboard, Operator, Outcome, StoreError, Ties};
use leaderboard_test_support::values::{Board, at, board, player, prepared, submission};
use leaderboard_test_support::{
    ALL, AllPorts, RedisBackend, RedisServer, StoreBackend, StoreFixture, block_on, ranked_line,
    with_submission_id,
};

/// Returns a leaderboard with the operator `increment` and dense ranks.
fn incrementing_board(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ties: Ties::Dense,
        ..board(name)
    }
}

/// Creates a fixture on a server that writes each change to the disk before it answers.
async fn start_durable_fixture() -> StoreFixture<RedisBackend> {
    StoreFixture::on(RedisBackend(RedisServer::start_durable())).await
}

/// Adds 1 to the score of the player `ann`, in a submission with this id.
async fn add_one<S: AllPorts>(
    fixture: &StoreFixture<RedisBackend>,
    store: &S,
    board: &Board,
    id: &str,
) -> Result<Outcome, StoreError> {
    let prepared_submission = prepared(&submission(&[board], "ann", &[1]), &[board], fixture.now());
    let outcomes = store
        .submit(
            &fixture.tenant,
            &[with_submission_id(prepared_submission, id)],
            RankDetail::Full,
        )
        .await?;
    Ok(outcomes.into_iter().next().unwrap().unwrap().remove(0))
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

#[test]
fn a_killed_server_is_unavailable_and_keeps_acknowledged_writes() {
    block_on(async {
        let mut fixture = start_durable_fixture().await;
        let board = fixture.put(&incrementing_board("l")).await;
        let mut acknowledged = 0;
        for round in 0..3 {
            for n in 0..50 {
                let actual = add_one(&fixture, &fixture.store, &board, &format!("{round}/{n}"))
                    .await
                    .unwrap();
                acknowledged += 1;
                assert_eq!(actual.values.first(), acknowledged);
            }
            fixture.backend.0.kill();
            assert!(is_unavailable(
                &add_one(&fixture, &fixture.store, &board, "down").await
            ));
            assert!(is_unavailable(&fixture.store.check_ready().await));
            assert!(is_unavailable(
                &Leaderboards::get(&fixture.store, &fixture.tenant, &board.value.id).await
            ));
            let ban = Ban::new(player("ann"), at(0));
            assert!(is_unavailable(&fixture.store.ban(&fixture.tenant, &ban).await));
            let period = fixture.current_period(&board);
            let page = fixture
                .store
                .page(
                    &fixture.period_ref(&board, &period),
                    &PageFrom::Top,
                    10,
                    &Caller::Anonymous,
                )
                .await;
            assert!(matches!(
                page,
                Err(leaderboard_core::ports::ReadError::Store(
                    StoreError::Unavailable(_)
                ))
            ));
            fixture.backend.0.restart();
            fixture.store = fixture.backend.open().await;
            assert_eq!(
                fixture.list_entries(&board).await,
                [ranked_line(1, "ann", acknowledged)]
            );
            let log = Events::read(&fixture.store, &fixture.tenant, &board.value.id, 0, ALL)
                .await
                .unwrap();
            assert_eq!(i64::try_from(log.len()), Ok(acknowledged + 1));
        }
    });
}

#[test]
fn a_submission_that_is_repeated_after_a_kill_counts_once() {
    block_on(async {
        let mut fixture = start_durable_fixture().await;
        let board = fixture.put(&incrementing_board("l")).await;
        for n in 0..20 {
            let id = format!("{n}");
            // The server is killed at about the time when the command reaches it.
            let first_result = {
                let store = fixture.backend.open().await;
                let one = prepared(&submission(&[&board], "ann", &[1]), &[&board], fixture.now());
                let prepared_submission = with_submission_id(one, &id);
                let sending = std::pin::pin!(async {
                    store
                        .submit(
                            &fixture.tenant,
                            std::slice::from_ref(&prepared_submission),
                            RankDetail::Full,
                        )
                        .await
                });
                let pause = tokio::time::sleep(std::time::Duration::from_micros(40 * n));
                finish_before(sending, pause).await
            };
            fixture.backend.0.kill();
            if let Some(answer) = &first_result {
                assert!(answer.is_ok() || matches!(answer, Err(StoreError::Unavailable(_))));
            }
            fixture.backend.0.restart();
            fixture.store = fixture.backend.open().await;
            let actual = add_one(&fixture, &fixture.store, &board, &id).await.unwrap();
            if let Some(Ok(_)) = first_result {
                assert!(actual.replayed, "an acknowledged write was lost");
            }
            assert_eq!(actual.values.first(), i64::try_from(n).unwrap() + 1);
        }
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 20)]);
    });
}

/// Returns the result of `work`, or `None` if `limit` ends first.
async fn finish_before<T>(
    mut work: std::pin::Pin<&mut impl Future<Output = T>>,
    limit: impl Future<Output = ()>,
) -> Option<T> {
    let mut limit = std::pin::pin!(limit);
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(done) = work.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(done));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}
