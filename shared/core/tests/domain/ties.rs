//! Ties of `best` do not depend on the order in which submissions arrive.

use std::collections::BTreeMap;

use leaderboard_core::{
    Decision, Entry, Leaderboard, Operator, Order, PlayerId, Status, Submission, Ties, Timestamp,
};
use leaderboard_model::sorted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::decide::{decided, existing, leaderboard, submission};
use crate::given::{at, metadata, player};

const EARLIER: &str = "2025-12-31T00:00:00Z";

fn best(ties: Ties, order: Order) -> Leaderboard {
    Leaderboard {
        ties,
        ..leaderboard(Operator::Best, &[order])
    }
}

fn decide_at(existing: &Entry, value: i64, occurred_at: &str) -> Decision {
    let late = Submission {
        occurred_at: Some(at(occurred_at)),
        ..submission(&[value])
    };
    decided(&best(Ties::Earliest, Order::Descending), Some(existing), &late).unwrap()
}

#[test]
fn an_equal_best_from_earlier_takes_the_earlier_time_and_nothing_else() {
    let before = existing(&[5]);
    let decision = decide_at(&before, 5, EARLIER);
    assert_eq!(decision.status, Status::Changed);
    let after = Entry {
        reached_at: at(EARLIER),
        metadata: Some(metadata("\"old\"")),
        attempts: 4,
        ..before.clone()
    };
    assert_eq!(decision.entry, after);
    // A worse one from earlier, an equal one from the same time or later: nothing changes.
    for (value, occurred_at) in [
        (4, EARLIER),
        (5, "2026-01-01T00:00:00Z"),
        (5, "2026-02-01T00:00:00Z"),
    ] {
        let decision = decide_at(&before, value, occurred_at);
        assert_eq!(
            (decision.status, decision.entry.reached_at),
            (Status::Kept, before.reached_at),
            "{value} at {occurred_at}"
        );
    }
}

/// A score: player, value, the second in which it happened.
type Score = (u8, i64, u8);

fn list(board: &Leaderboard, scores: &[Score]) -> Vec<(PlayerId, i64, Timestamp)> {
    let mut entries: BTreeMap<PlayerId, Entry> = BTreeMap::new();
    for (name, value, second) in scores {
        let player = player(&name.to_string());
        let score = Submission {
            player: player.clone(),
            occurred_at: Some(at(&format!("2026-01-01T00:00:{second:02}Z"))),
            ..submission(&[*value])
        };
        let decision = decided(board, entries.get(&player), &score).unwrap();
        entries.insert(player, decision.entry);
    }
    let sorted = sorted(&board.layout(), entries.values());
    let lines = sorted.into_iter();
    lines
        .map(|entry| (entry.player.clone(), entry.values.first(), entry.reached_at))
        .collect()
}

proptest! {
    #[test]
    fn the_list_does_not_depend_on_the_order_of_arrival(
        (scores, arrived) in prop::collection::vec((0..4_u8, 0..3_i64, 0..6_u8), 1..24)
            .prop_flat_map(|scores| (Just(scores.clone()), Just(scores).prop_shuffle())),
        ties in select(vec![Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]),
        order in select(vec![Order::Ascending, Order::Descending]),
    ) {
        let board = best(ties, order);
        prop_assert_eq!(list(&board, &scores), list(&board, &arrived));
    }
}
