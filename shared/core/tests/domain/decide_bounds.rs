//! What a leaderboard does not accept: overflow, bounds, changes that are too large, attempts and room.

use leaderboard_core::{Leaderboard, Limits, Operator, Order, RefusalReason};

use crate::decide::{decided, existing, leaderboard, refused, submission};

#[test]
fn addition_that_leaves_64_bits_is_refused() {
    let orders = [Order::Descending];
    for (operator, before, by) in [
        (Operator::Increment, Some(i64::MAX), 1),
        (Operator::Increment, Some(i64::MIN), -1),
        (Operator::Increment, Some(1), i64::MAX),
        (Operator::Decrement, Some(i64::MIN), 1),
        (Operator::Decrement, Some(i64::MAX), -1),
        (Operator::Decrement, Some(0), i64::MIN),
        (Operator::Decrement, None, i64::MIN),
    ] {
        let before = before.map(|value| existing(&[value]));
        let reason = refused(
            &leaderboard(operator, &orders),
            before.as_ref(),
            &submission(&[by]),
        );
        assert_eq!(
            reason,
            Some(RefusalReason::Overflow),
            "{operator:?} {before:?} {by}"
        );
    }
    let edge = decided(
        &leaderboard(Operator::Decrement, &orders),
        Some(&existing(&[-1])),
        &submission(&[i64::MIN]),
    );
    assert_eq!(edge.map(|d| d.entry.values.first()), Ok(i64::MAX));
}

fn limited(operator: Operator, limits: Limits) -> Leaderboard {
    Leaderboard {
        limits,
        ..leaderboard(operator, &[Order::Descending])
    }
}

#[test]
fn bounds_speak_of_the_result_in_the_first_column() {
    let limits = Limits {
        min: Some(-10),
        max: Some(10),
        ..Limits::default()
    };
    let before = existing(&[8]);
    for (operator, value, reason) in [
        (Operator::Best, 10, None),
        (Operator::Best, 11, Some(RefusalReason::AboveMax { max: 10 })),
        (Operator::Best, -11, Some(RefusalReason::BelowMin { min: -10 })),
        (Operator::Set, -10, None),
        (Operator::Set, -11, Some(RefusalReason::BelowMin { min: -10 })),
        (Operator::Increment, 2, None),
        (Operator::Increment, 3, Some(RefusalReason::AboveMax { max: 10 })),
        (Operator::Decrement, 18, None),
        (
            Operator::Decrement,
            19,
            Some(RefusalReason::BelowMin { min: -10 }),
        ),
    ] {
        let board = limited(operator, limits.clone());
        assert_eq!(
            refused(&board, Some(&before), &submission(&[value])),
            reason,
            "{operator:?} {value}"
        );
    }
}

#[test]
fn a_change_may_be_as_large_as_allowed() {
    let limits = Limits {
        max_change: Some(5),
        ..Limits::default()
    };
    let too_large = Some(RefusalReason::ChangeTooLarge { max_change: 5 });
    let before = existing(&[10]);
    for (operator, before, value, reason) in [
        (Operator::Best, None, i64::MAX, None),
        (Operator::Set, None, i64::MIN, None),
        (Operator::Best, Some(&before), 15, None),
        (Operator::Best, Some(&before), 16, too_large.clone()),
        // It does not win, so it changes nothing, however far off it is.
        (Operator::Best, Some(&before), i64::MIN, None),
        (Operator::Set, Some(&before), 5, None),
        (Operator::Set, Some(&before), 4, too_large.clone()),
        (Operator::Set, Some(&before), i64::MIN, too_large.clone()),
        (Operator::Increment, None, 5, None),
        (Operator::Increment, None, 6, too_large.clone()),
        (Operator::Decrement, None, -6, too_large.clone()),
        (Operator::Increment, Some(&before), -5, None),
        (Operator::Decrement, Some(&before), 6, too_large),
    ] {
        let board = limited(operator, limits.clone());
        assert_eq!(
            refused(&board, before, &submission(&[value])),
            reason,
            "{operator:?} {value}"
        );
    }
}

#[test]
fn attempts_and_room_run_out() {
    let board = limited(
        Operator::Best,
        Limits {
            max_attempts: Some(4),
            max_entries: Some(7),
            ..Limits::default()
        },
    );
    let third = existing(&[5]);
    let fourth = decided(&board, Some(&third), &submission(&[1]))
        .expect("accepted")
        .entry;
    assert_eq!(fourth.attempts, 4);
    let exhausted = RefusalReason::AttemptsExhausted { max_attempts: 4 };
    assert_eq!(refused(&board, Some(&fourth), &submission(&[9])), Some(exhausted));
    assert_eq!(
        refused(&board, None, &submission(&[9])),
        Some(RefusalReason::Full { max_entries: 7 })
    );
    let eight = Limits {
        max_entries: Some(8),
        ..Limits::default()
    };
    assert_eq!(
        refused(&limited(Operator::Best, eight), None, &submission(&[9])),
        None
    );
}
