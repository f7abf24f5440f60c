//! Scores in, ranks out.

use futures::executor::block_on;
use leaderboard_core::{Status, Ties};

use crate::support::*;

#[test]
fn scores_rank_best_first() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        let ann = score(&store, &board, "ann", 5, 0).await;
        assert_eq!((ann.status, ann.rank, ann.version), (Status::Created, Some(1), 2));
        let bob = score(&store, &board, "bob", 7, 1).await;
        assert_eq!((bob.rank, bob.version), (Some(1), 3));
        let kept = score(&store, &board, "ann", 4, 2).await;
        assert_eq!((kept.status, kept.rank, kept.version), (Status::Kept, Some(2), 3));
        let better = score(&store, &board, "ann", 9, 3).await;
        assert_eq!((better.rank, better.version), (Some(1), 5));
        assert_eq!(better.previous.unwrap().rank, Some(2));
        assert_eq!(
            lines(&top(&store, &board, 10).await),
            [line(1, "ann", 9), line(2, "bob", 7)]
        );
    });
}

#[test]
fn dense_ranks_close_up_when_a_tuple_is_left() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut dense = board("goals");
        dense.ties = Ties::Dense;
        dense.operator = leaderboard_core::Operator::Set;
        let board = configured(&store, &dense).await;
        for (name, points) in [("a", 9), ("b", 9), ("c", 7), ("d", 5)] {
            score(&store, &board, name, points, 0).await;
        }
        let alone = score(&store, &board, "c", 1, 1).await;
        assert_eq!((alone.rank, alone.previous.unwrap().rank), (Some(3), Some(2)));
        let tied = score(&store, &board, "a", 0, 1).await;
        assert_eq!((tied.rank, tied.previous.unwrap().rank), (Some(4), Some(1)));
    });
}
