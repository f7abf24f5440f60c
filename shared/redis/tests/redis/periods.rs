//! Tests of how many commands a read of periods runs on the server.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::Scores;

use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, daily_schedule, put, resolve, simple_leaderboard, submission, submit_options, tenant,
};

/// Returns how many commands the server has run, with the commands of scripts.
async fn count_commands(server: &Server) -> u64 {
    let mut calls = server.count_commands().await;
    calls.remove("info");
    calls.into_values().sum()
}

/// Returns the numbers of commands of three reads on a leaderboard with this many periods: of one period, of
/// the first page, and of a later page.
async fn measure_costs(periods: i64) -> [u64; 3] {
    let server = Server::start().await;
    let store = server.store().await;
    let mut board = simple_leaderboard("l");
    board.schedule = daily_schedule();
    board.keep_periods = 1000;
    let board = put(&store, &board).await;
    let boards = std::slice::from_ref(&board);
    let submissions: Vec<_> = (0..periods)
        .map(|day| {
            let mut late = submission("ann", &[1]);
            late.occurred_at = Some(at(NOW_MS - day * DAY_MS));
            resolve(&late, boards, NOW_MS).unwrap()
        })
        .collect();
    for answer in store
        .submit_with_options(&tenant(), &submissions, &submit_options())
        .await
        .unwrap()
        .answers
    {
        answer.unwrap();
    }
    let (tenant, id, now) = (tenant(), &board.value.id, at(NOW_MS));
    let oldest = board
        .value
        .schedule
        .period_at(at(NOW_MS - (periods - 1) * DAY_MS))
        .id;
    let mut costs = [0; 3];
    let mut before: Option<Timestamp> = None;
    for (look, cost) in costs.iter_mut().enumerate() {
        // The first call also loads the script, so the second call counts.
        for _ in 0..2 {
            let start = count_commands(&server).await;
            if look == 0 {
                let found = store.find_period(&tenant, id, &oldest, now).await.unwrap();
                assert_eq!(found.unwrap().count, 1);
            } else {
                let page = store.list_periods(&tenant, id, before, 10, now).await.unwrap();
                assert_eq!(page.periods.len(), 10);
            }
            *cost = count_commands(&server).await - start;
        }
        if look == 1 {
            before = store
                .list_periods(&tenant, id, None, 10, now)
                .await
                .unwrap()
                .before;
        }
    }
    costs
}

#[tokio::test]
async fn reads_of_periods_cost_the_same_with_30_and_1000_periods() {
    let few = measure_costs(30).await;
    assert_eq!(measure_costs(1000).await, few);
    let [one, page, _] = few;
    assert!(one <= 6 && page <= 3 * 11 + 3, "{few:?}");
}
