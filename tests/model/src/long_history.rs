//! Random histories of long lists: ranks are counted in several steps, and a call has many submissions.

use leaderboard_core::{IdScope, Leaderboard, Operator, PlayerId, Ties};
use leaderboard_test_support::values as examples;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::history::{BOARDS, CallLimits, History, RandomSubmission, Step};

/// The number of players of a history.
const PLAYERS: usize = 700;
/// The number of submissions of a call.
const SUBMISSIONS: std::ops::Range<usize> = 200..500;
/// The largest number of steps of a history.
const MOST_STEPS: usize = 8;

fn submissions() -> impl Strategy<Value = RandomSubmission> {
    (
        prop::collection::vec(prop::bool::weighted(0.6), BOARDS.len()),
        any::<Index>(),
        -60..60_i64,
        select(vec![Operator::Best, Operator::Set, Operator::Increment]),
        -50..50_i64,
        weighted(0.2, any::<u8>()),
    )
        .prop_map(|(boards, player, value, operator, ago_ms, id)| RandomSubmission {
            boards,
            player,
            values: vec![value],
            operator,
            metadata: None,
            ago_ms,
            id,
            id_scope: IdScope::Leaderboard,
            refused: false,
        })
}

fn steps() -> impl Strategy<Value = Step> {
    let calls = prop::collection::vec(submissions(), SUBMISSIONS);
    prop_oneof![
        6 => calls.prop_map(|submissions| Step::Submit { submissions, limits: CallLimits::default() }),
        1 => (0..BOARDS.len(), any::<Index>())
            .prop_map(|(board, player)| Step::Remove { board, player, back_ms: 0 }),
        2 => any::<Index>().prop_map(|player| Step::Ban { player, for_ms: None }),
        1 => any::<Index>().prop_map(Step::Unban),
        1 => (1..100_i64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// Generates histories of three leaderboards with one column and different tie policies.
pub fn histories() -> impl Strategy<Value = History> {
    let ties = Just(vec![Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]).prop_shuffle();
    (ties, prop::collection::vec(steps(), 1..=MOST_STEPS)).prop_map(|(ties, steps)| History {
        players: (0..PLAYERS)
            .filter_map(|number| PlayerId::new(format!("player {number}")).ok())
            .collect(),
        boards: BOARDS
            .iter()
            .zip(ties)
            .map(|(name, ties)| Leaderboard {
                ties,
                ..examples::board(name)
            })
            .collect(),
        steps,
    })
}
