//! Tests that ties of `best` do not depend on the order in which submissions arrive.

use std::collections::BTreeMap;

use leaderboard_core::{
    Decision, Entry, Leaderboard, Operator, Order, PlayerId, Status, Submission, Ties, Timestamp,
};
use leaderboard_model::sorted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::decide::{decided, existing, leaderboard, submission};
use crate::given::{at, metadata, player};

/// An instant before the time of the existing entry.
const EARLIER: &str = "2025-12-31T00:00:00Z";

fn best_leaderboard(ties: Ties, order: Order) -> Leaderboard {
    Leaderboard {
        ties,
        ..leaderboard(Operator::Best, &[order])
    }
}

/// Decides on a submission that occurred at this instant.
fn decide_at(existing: &Entry, value: i64, occurred_at: &str) -> Decision {
    let late = Submission {
        occurred_at: Some(at(occurred_at)),
        ..submission(&[value])
    };
    decided(
        &best_leaderboard(Ties::Earliest, Order::Descending),
        Some(existing),
        &late,
    )
    .unwrap()
}

#[test]
fn an_equal_earlier_best_changes_only_the_time_of_the_entry() {
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
    // An earlier worse score and an equal score that is not earlier change nothing.
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

/// A score: the player, the value, and the second of its time.
type Score = (u8, i64, u8);

/// Returns player, value and time of each entry after these scores, in the order of ranks.
fn list_entries(board: &Leaderboard, scores: &[Score]) -> Vec<(PlayerId, i64, Timestamp)> {
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
        let board = best_leaderboard(ties, order);
        prop_assert_eq!(list_entries(&board, &scores), list_entries(&board, &arrived));
    }
}
