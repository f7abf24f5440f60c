//! Tests of refused submissions: overflow, bounds, changes that are too large, exhausted attempts and full
//! leaderboards.

use leaderboard_core::{Leaderboard, Limits, Operator, Order, RefusalReason};

use crate::decide::{decided, existing, leaderboard, refused, submission};

#[test]
fn a_sum_outside_64_bits_is_refused() {
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

/// Returns a leaderboard with these limits.
fn limited_leaderboard(operator: Operator, limits: Limits) -> Leaderboard {
    Leaderboard {
        limits,
        ..leaderboard(operator, &[Order::Descending])
    }
}

#[test]
fn bounds_apply_to_the_result_in_the_first_column() {
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
        let board = limited_leaderboard(operator, limits.clone());
        assert_eq!(
            refused(&board, Some(&before), &submission(&[value])),
            reason,
            "{operator:?} {value}"
        );
    }
}

#[test]
fn a_change_above_the_maximum_is_refused() {
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
        // A worse score changes nothing, so its difference does not matter.
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
        let board = limited_leaderboard(operator, limits.clone());
        assert_eq!(
            refused(&board, before, &submission(&[value])),
            reason,
            "{operator:?} {value}"
        );
    }
}

#[test]
fn exhausted_attempts_and_a_full_leaderboard_are_refused() {
    let board = limited_leaderboard(
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
        refused(
            &limited_leaderboard(Operator::Best, eight),
            None,
            &submission(&[9])
        ),
        None
    );
}
