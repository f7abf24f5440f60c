//! Tests of samples (values at fractions of the list) and of positions (where tuples would rank).

use leaderboard_core::ports::{Position, Positions, Sample, Scores};
use leaderboard_core::{Leaderboard, Order, Ties};
use leaderboard_test_support::values::{Board, board, columns, submission, values, with_ties};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

async fn read_sample<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board, fractions: &[u16]) -> Sample {
    let period = fixture.current_period(board);
    fixture
        .store
        .sample(&fixture.period_ref(board, &period), fractions)
        .await
        .unwrap()
}

async fn read_positions<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    tuples: &[&[i64]],
) -> Positions {
    let period = fixture.current_period(board);
    let layout = board.value.layout();
    // The bytes of the first columns are a prefix of the bytes of all columns.
    let prefix = |tuple: &&[i64]| layout.tuple(&values(tuple));
    let tuples: Vec<Vec<u8>> = tuples.iter().map(prefix).collect();
    fixture
        .store
        .positions(&fixture.period_ref(board, &period), &tuples)
        .await
        .unwrap()
}

fn position(better: u64, equal: u64, better_tuples: u64) -> Position {
    Position {
        better,
        equal,
        better_tuples,
    }
}

on_both_stores! {
    async fn a_sample_is_taken_at_positions_rounded_down(fixture) {
        let board = fixture.put(&board("l")).await;
        let none = read_sample(&fixture, &board, &[0, 500, 1000]).await;
        assert_eq!((none.layout, none.version, none.count, none.values), (None, 0, 0, vec![]));
        for n in 0..10 {
            fixture.submit_score(&board, &format!("p{n}"), 90 - 10 * n).await;
        }
        fixture.submit_score(&board, "hidden", 1000).await;
        fixture.ban("hidden").await;
        let found = read_sample(&fixture, &board, &[0, 100, 111, 112, 500, 999, 1000]).await;
        let firsts: Vec<i64> = found.values.iter().map(leaderboard_core::Values::first).collect();
        assert_eq!(firsts, [90, 90, 90, 80, 50, 10, 0]);
        assert_eq!((found.count, found.version, found.layout), (10, 13, Some(board.value.layout())));
    }

    async fn positions_count_tuples_by_the_tie_policy(fixture) {
        for (name, ties) in [("shared", Ties::Shared), ("dense", Ties::Dense), ("earliest", Ties::Earliest)] {
            let board = fixture.put(&with_ties(name, ties)).await;
            let none = read_positions(&fixture, &board, &[&[5]]).await;
            assert_eq!((none.count, none.positions), (0, vec![position(0, 0, 0)]));
            for (player, value) in [("a", 9), ("b", 5), ("c", 5), ("d", 5), ("e", 1)] {
                fixture.submit_score(&board, &format!("{name}-{player}"), value).await;
            }
            let found = read_positions(&fixture, &board, &[&[10], &[9], &[7], &[5], &[1], &[0]]).await;
            let tuples = |different: u64, all: u64| if ties == Ties::Dense { different } else { all };
            assert_eq!(found.positions, [
                position(0, 0, 0),
                position(0, 1, 0),
                position(1, 0, 1),
                position(1, 3, 1),
                position(4, 1, tuples(2, 4)),
                position(5, 0, tuples(3, 5)),
            ], "{name}");
            assert_eq!((found.count, found.version), (5, 6));
        }
    }

    async fn a_tuple_of_fewer_columns_is_compared_by_those_columns(fixture) {
        let board = fixture.put(&Leaderboard {
            columns: columns(&[Order::Descending, Order::Ascending]),
            ties: Ties::Dense,
            ..board("l")
        }).await;
        for (name, tuple) in [("a", [9, 1]), ("b", [5, 1]), ("c", [5, 2]), ("d", [5, 2]), ("e", [1, 7])] {
            fixture.submit(&submission(&[&board], name, &tuple), &[&board]).await.unwrap();
        }
        let found = read_positions(&fixture, &board, &[&[5], &[5, 2], &[1], &[5, 0], &[0, 0]]).await;
        assert_eq!(found.positions, [
            position(1, 3, 1),
            position(2, 2, 2),
            position(4, 1, 3),
            position(1, 0, 1),
            position(5, 0, 4),
        ]);
    }

    async fn a_tuple_is_no_longer_counted_when_its_last_entry_goes(fixture) {
        let board = fixture.put(&with_ties("l", Ties::Dense)).await;
        for (player, value) in [("a", 9), ("b", 9), ("c", 7), ("d", 1)] {
            fixture.submit_score(&board, player, value).await;
        }
        assert_eq!(fixture.find_rank(&board, "d").await, Some(3));
        fixture.remove(&board, "a").await;
        assert_eq!(fixture.find_rank(&board, "d").await, Some(3));
        fixture.ban("b").await;
        assert_eq!(fixture.find_rank(&board, "d").await, Some(2));
        fixture.submit_score(&board, "c", 0).await;
        assert_eq!(fixture.find_rank(&board, "d").await, Some(1));
        fixture.unban("b").await;
        assert_eq!(fixture.find_rank(&board, "d").await, Some(2));
    }
}
