//! Tests of how each operator changes an entry, and of the checks before a change.

use leaderboard_core::{
    Decision, Entry, Leaderboard, Operator, Order, RefusalReason, Status, Submission, SubmittedValues, decide,
};

use crate::given::{at, board, columns, entry, metadata, player, schedule};

/// The time of the existing entry.
const OLD: &str = "2026-01-01T00:00:00Z";
/// The time of the submission.
const NEW: &str = "2026-06-01T00:00:00Z";
/// The time of the decision.
const NOW: &str = "2026-07-01T00:00:00Z";

pub(crate) fn submission(numbers: &[i64]) -> Submission {
    let names = ["a", "b", "c"];
    Submission {
        leaderboards: vec![board("l").id],
        player: player("p"),
        values: SubmittedValues::Named(
            names
                .iter()
                .map(|n| (*n).into())
                .zip(numbers.iter().copied())
                .collect(),
        ),
        operator: None,
        metadata: Some(metadata("\"new\"")),
        occurred_at: Some(at(NEW)),
        id: None,
        request: None,
        received_at: None,
    }
}

pub(crate) fn leaderboard(operator: Operator, orders: &[Order]) -> Leaderboard {
    Leaderboard {
        operator,
        columns: columns(orders),
        ..board("l")
    }
}

/// Returns an entry with these values after three attempts.
pub(crate) fn existing(numbers: &[i64]) -> Entry {
    Entry {
        metadata: Some(metadata("\"old\"")),
        attempts: 3,
        ..entry("p", numbers, OLD)
    }
}

/// Decides on a submission at [`NOW`], on a leaderboard with seven entries.
pub(crate) fn decided(
    board: &Leaderboard,
    existing: Option<&Entry>,
    submission: &Submission,
) -> Result<Decision, RefusalReason> {
    decide(existing, 7, submission, board, at(NOW))
}

/// Returns why [`decided`] refuses the submission, or `None`.
pub(crate) fn refused(
    board: &Leaderboard,
    existing: Option<&Entry>,
    submission: &Submission,
) -> Option<RefusalReason> {
    decided(board, existing, submission).err()
}

/// A case: the existing value, the submitted value, and the expected outcome and entry.
struct Case {
    operator: Operator,
    order: Order,
    before: Option<i64>,
    submitted: i64,
    status: Status,
    after: i64,
    metadata: &'static str,
    reached_at: &'static str,
}

#[rustfmt::skip]
fn list_cases() -> Vec<Case> {
    use Operator::{Best, Decrement, Increment, Set};
    use Order::{Ascending as Asc, Descending as Desc};
    use Status::{Changed, Created, Improved};
    let case = |operator, order, before, submitted, status, after, metadata, reached_at| Case {
        operator, order, before, submitted, status, after, metadata, reached_at,
    };
    vec![
        case(Best, Desc, None, 5, Created, 5, "new", NEW),
        case(Best, Asc, None, 5, Created, 5, "new", NEW),
        case(Best, Desc, Some(5), 6, Improved, 6, "new", NEW),
        case(Best, Asc, Some(5), 4, Improved, 4, "new", NEW),
        case(Best, Desc, Some(5), 5, Status::Kept, 5, "old", OLD),
        case(Best, Asc, Some(5), 5, Status::Kept, 5, "old", OLD),
        case(Best, Desc, Some(5), 4, Status::Kept, 5, "old", OLD),
        case(Best, Asc, Some(5), 6, Status::Kept, 5, "old", OLD),
        case(Set, Desc, None, 5, Created, 5, "new", NEW),
        case(Set, Asc, None, 5, Created, 5, "new", NEW),
        case(Set, Desc, Some(5), 6, Improved, 6, "new", NEW),
        case(Set, Asc, Some(5), 4, Improved, 4, "new", NEW),
        case(Set, Desc, Some(5), 4, Changed, 4, "new", NEW),
        case(Set, Asc, Some(5), 6, Changed, 6, "new", NEW),
        // The values are the same. The operator replaces the metadata and keeps the time.
        case(Set, Desc, Some(5), 5, Changed, 5, "new", OLD),
        case(Set, Asc, Some(5), 5, Changed, 5, "new", OLD),
        case(Increment, Desc, None, 5, Created, 5, "new", NEW),
        case(Increment, Asc, None, 5, Created, 5, "new", NEW),
        case(Increment, Desc, Some(5), 2, Improved, 7, "new", NEW),
        case(Increment, Asc, Some(5), 2, Changed, 7, "new", NEW),
        case(Increment, Desc, Some(5), -2, Changed, 3, "new", NEW),
        case(Increment, Asc, Some(5), -2, Improved, 3, "new", NEW),
        case(Increment, Desc, Some(5), 0, Changed, 5, "new", OLD),
        case(Increment, Asc, Some(5), 0, Changed, 5, "new", OLD),
        case(Decrement, Desc, None, 5, Created, -5, "new", NEW),
        case(Decrement, Asc, None, 5, Created, -5, "new", NEW),
        case(Decrement, Desc, Some(5), 2, Changed, 3, "new", NEW),
        case(Decrement, Asc, Some(5), 2, Improved, 3, "new", NEW),
        case(Decrement, Desc, Some(5), -2, Improved, 7, "new", NEW),
        case(Decrement, Asc, Some(5), -2, Changed, 7, "new", NEW),
        case(Decrement, Desc, Some(5), 0, Changed, 5, "new", OLD),
        case(Decrement, Asc, Some(5), 0, Changed, 5, "new", OLD),
    ]
}

#[test]
fn each_operator_changes_an_entry_in_each_order_as_expected() {
    for case in list_cases() {
        let board = leaderboard(case.operator, &[case.order]);
        let before = case.before.map(|value| existing(&[value]));
        let decision = decided(&board, before.as_ref(), &submission(&[case.submitted])).expect("accepted");
        let name = format!(
            "{:?} {:?} {:?} {}",
            case.operator, case.order, case.before, case.submitted
        );
        assert_eq!(decision.status, case.status, "{name}");
        let entry = decision.entry;
        assert_eq!(entry.values.as_slice(), [case.after], "{name}");
        let kept_metadata = entry
            .metadata
            .as_ref()
            .map(leaderboard_core::Metadata::as_json_text);
        assert_eq!(
            kept_metadata,
            Some(format!("\"{}\"", case.metadata).as_str()),
            "{name}"
        );
        assert_eq!(entry.reached_at, at(case.reached_at), "{name}");
        assert_eq!(entry.attempts, if before.is_some() { 4 } else { 1 }, "{name}");
        assert_eq!(entry.player, player("p"), "{name}");
    }
}

#[test]
fn missing_metadata_is_cleared_by_set_and_kept_by_addition() {
    let bare = Submission {
        metadata: None,
        ..submission(&[7])
    };
    let before = existing(&[5]);
    for (operator, kept) in [
        (Operator::Best, None),
        (Operator::Set, None),
        (Operator::Increment, before.metadata.clone()),
        (Operator::Decrement, before.metadata.clone()),
    ] {
        let decision = decided(&leaderboard(operator, &[Order::Descending]), Some(&before), &bare);
        assert_eq!(decision.map(|d| d.entry.metadata), Ok(kept), "{operator:?}");
    }
}

#[test]
fn a_submission_that_changes_nothing_keeps_the_entry() {
    let before = existing(&[5]);
    let same_metadata = metadata("\"old\"");
    for (operator, value, metadata) in [
        (Operator::Best, 5, None),
        (Operator::Set, 5, Some(same_metadata.clone())),
        (Operator::Increment, 0, None),
        (Operator::Increment, 0, Some(same_metadata.clone())),
        (Operator::Decrement, 0, Some(same_metadata)),
    ] {
        let nothing = Submission {
            metadata,
            ..submission(&[value])
        };
        let decision = decided(
            &leaderboard(operator, &[Order::Descending]),
            Some(&before),
            &nothing,
        );
        let decision = decision.expect("accepted");
        assert_eq!(decision.status, Status::Kept, "{operator:?}");
        assert_eq!(
            decision.entry,
            Entry {
                attempts: 4,
                ..before.clone()
            },
            "{operator:?}"
        );
    }
}

#[test]
fn best_compares_and_replaces_the_whole_tuple() {
    let board = leaderboard(
        Operator::Best,
        &[Order::Descending, Order::Ascending, Order::Descending],
    );
    let before = existing(&[10, 50, 3]);
    for (numbers, improved) in [
        ([11, 99, 0], true),
        ([10, 49, 0], true),
        ([10, 50, 4], true),
        ([10, 50, 3], false),
        ([10, 50, 2], false),
        ([10, 51, 9], false),
        ([9, 0, 9], false),
    ] {
        let decision = decided(&board, Some(&before), &submission(&numbers)).expect("accepted");
        let after = if improved { numbers } else { [10, 50, 3] };
        assert_eq!(decision.entry.values.as_slice(), after, "{numbers:?}");
        assert_eq!(decision.status == Status::Improved, improved, "{numbers:?}");
    }
}

#[test]
fn addition_adds_the_first_column_and_replaces_the_others() {
    let orders = [Order::Descending, Order::Ascending];
    let before = existing(&[10, 50]);
    let plus = decided(
        &leaderboard(Operator::Increment, &orders),
        Some(&before),
        &submission(&[1, 70]),
    );
    assert_eq!(plus.map(|d| d.entry.values.as_slice().to_vec()), Ok(vec![11, 70]));
    let minus = decided(
        &leaderboard(Operator::Decrement, &orders),
        None,
        &submission(&[1, 70]),
    );
    assert_eq!(
        minus.map(|d| d.entry.values.as_slice().to_vec()),
        Ok(vec![-1, 70])
    );
    // The first column is the same and another column changes, so the tuple changes.
    let zero = decided(
        &leaderboard(Operator::Increment, &orders),
        Some(&before),
        &submission(&[0, 40]),
    );
    let zero = zero.expect("accepted");
    assert_eq!((zero.status, zero.entry.reached_at), (Status::Improved, at(NEW)));
}

#[test]
fn a_late_addition_keeps_the_entry_time_and_a_late_set_replaces_it() {
    let before = Entry {
        reached_at: at("2026-06-15T00:00:00Z"),
        ..existing(&[5])
    };
    let time = |operator| {
        decided(
            &leaderboard(operator, &[Order::Descending]),
            Some(&before),
            &submission(&[9]),
        )
        .map(|decision| decision.entry.reached_at)
    };
    assert_eq!(time(Operator::Increment), Ok(before.reached_at));
    assert_eq!(time(Operator::Decrement), Ok(before.reached_at));
    assert_eq!(time(Operator::Set), Ok(at(NEW)));
    assert_eq!(time(Operator::Best), Ok(at(NEW)));
}

#[test]
fn the_time_window_and_the_clock_are_checked_first() {
    let board = Leaderboard {
        starts_at: Some(at("2026-02-01T00:00:00Z")),
        ends_at: Some(at("2026-06-15T00:00:00Z")),
        schedule: schedule("0 0 1 * *", "UTC"),
        keep_periods: 3,
        ..leaderboard(Operator::Best, &[Order::Descending])
    };
    let happened = |text: &str| Submission {
        occurred_at: Some(at(text)),
        ..submission(&[1])
    };
    let reason = |text: &str| refused(&board, None, &happened(text));
    let not_started = board
        .starts_at
        .map(|starts_at| RefusalReason::NotStarted { starts_at });
    let ended = board.ends_at.map(|ends_at| RefusalReason::Ended { ends_at });
    assert_eq!(reason("2026-01-31T23:59:59.999Z"), not_started);
    assert_eq!(
        reason("2026-04-30T23:59:59.999Z"),
        Some(RefusalReason::PeriodExpired)
    );
    assert_eq!(reason("2026-05-01T00:00:00Z"), None);
    assert_eq!(reason("2026-06-14T23:59:59.999Z"), None);
    assert_eq!(reason("2026-06-15T00:00:00Z"), ended);
    assert_eq!(
        reason("2026-07-01T00:01:00.001Z"),
        Some(RefusalReason::InTheFuture { now: at(NOW) })
    );
    assert_eq!(
        refused(
            &board,
            None,
            &Submission {
                occurred_at: None,
                ..submission(&[1])
            }
        ),
        ended
    );
    let open = leaderboard(Operator::Best, &[Order::Descending]);
    assert_eq!(refused(&open, None, &happened("2026-07-01T00:01:00Z")), None);
    assert_eq!(refused(&open, None, &happened("0001-01-01T00:00:00Z")), None);
}

#[test]
fn a_server_may_set_and_needs_permission_for_other_operators() {
    let open = leaderboard(Operator::Best, &[Order::Descending]);
    let with = |operator| Submission {
        operator: Some(operator),
        ..submission(&[1])
    };
    assert_eq!(
        refused(&open, None, &with(Operator::Increment)),
        Some(RefusalReason::OperatorNotAllowed)
    );
    let status = |board: &Leaderboard, operator| {
        decided(board, Some(&existing(&[5])), &with(operator)).map(|decision| decision.status)
    };
    // A server may correct a score with `set`, whatever operator the leaderboard has.
    assert_eq!(status(&open, Operator::Set), Ok(Status::Changed));
    let overridable = Leaderboard {
        operator_override: true,
        ..open
    };
    assert_eq!(status(&overridable, Operator::Set), Ok(Status::Changed));
    assert_eq!(status(&overridable, Operator::Increment), Ok(Status::Improved));
}

#[test]
fn values_are_matched_to_columns_by_name_and_must_be_complete() {
    let two = leaderboard(Operator::Best, &[Order::Descending, Order::Ascending]);
    let reason = |values| {
        let mismatch = refused(
            &two,
            None,
            &Submission {
                values,
                ..submission(&[])
            },
        );
        matches!(mismatch, Some(RefusalReason::ColumnsMismatch { .. }))
    };
    let named = |pairs: &[(&str, i64)]| {
        SubmittedValues::Named(
            pairs
                .iter()
                .map(|(name, value)| ((*name).into(), *value))
                .collect(),
        )
    };
    assert!(reason(SubmittedValues::Score(1)));
    assert!(reason(named(&[])));
    assert!(reason(named(&[("a", 1)])));
    assert!(reason(named(&[("a", 1), ("z", 2)])));
    assert!(reason(named(&[("a", 1), ("b", 2), ("c", 3)])));
    let swapped = Submission {
        values: named(&[("b", 2), ("a", 1)]),
        ..submission(&[])
    };
    let decision = decided(&two, None, &swapped).expect("accepted");
    assert_eq!(decision.entry.values.as_slice(), [1, 2]);
    let one = leaderboard(Operator::Best, &[Order::Descending]);
    let plain = Submission {
        values: SubmittedValues::Score(3),
        occurred_at: None,
        ..submission(&[])
    };
    let entry = decided(&one, None, &plain).expect("accepted").entry;
    assert_eq!((entry.values.first(), entry.reached_at), (3, at(NOW)));
}

#[test]
fn the_same_arguments_give_the_same_decision() {
    let board = leaderboard(Operator::Increment, &[Order::Descending]);
    let before = existing(&[5]);
    let first = decided(&board, Some(&before), &submission(&[1]));
    assert_eq!(first, decided(&board, Some(&before), &submission(&[1])));
}
