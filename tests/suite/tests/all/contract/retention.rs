//! Tests of the retention of event logs, and of the bytes of logs and idempotency records.

use leaderboard_core::ports::{
    Expected, Leaderboards, MIN_TRIMMED_EVENTS, PageFrom, RankDetail, RateLimits, Scores, SubmitOptions,
};
use leaderboard_core::{
    Column, Columns, EventBody, IdScope, Leaderboard, LogPolicy, MAX_COLUMN_NAME_BYTES, MAX_PLAYER_BYTES,
    MAX_SUBMISSION_ID_BYTES, Operator, Order, PreparedSubmission, RefusalReason, Status, Submission,
};
use leaderboard_model::Projection;
use leaderboard_test_support::values::{
    Board, DAY_MS, board, daily, id, metadata, prepared, submission, submission_id,
};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

/// Returns a leaderboard whose log keeps this many events for this many days.
fn with_log_policy(name: &str, keep_events: u32, keep_days: u16) -> Leaderboard {
    let log = LogPolicy {
        keep_events,
        keep_days,
    };
    Leaderboard { log, ..board(name) }
}

/// Returns the bytes of the tenant's logs as the store counts them. Idempotency records do not count, because
/// they are from another day than the store's clock shows.
async fn log_bytes<B: StoreBackend>(fixture: &StoreFixture<B>) -> u64 {
    fixture.store.usage(&fixture.tenant, 1).await.unwrap().1.log_bytes
}

/// Returns the total weight in bytes of the events of a leaderboard.
async fn event_bytes<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) -> u64 {
    let events = fixture.read_events(board).await;
    events.iter().map(|recorded| recorded.event.weight()).sum()
}

/// Returns the first and the last position of a log, and asserts that there is no gap between them.
async fn read_log_range<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) -> (u64, u64) {
    let events = fixture.read_events(board).await;
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    assert!(
        positions.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{positions:?}"
    );
    (positions[0], positions[positions.len() - 1])
}

/// Submits one score with a quota of `max_log_bytes`.
async fn submit_score<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    (name, value, score_id): (&str, i64, Option<&str>),
    max_log_bytes: u64,
) -> Result<Status, RefusalReason> {
    let submission = Submission {
        id: score_id.map(submission_id),
        ..submission(&[board], name, &[value])
    };
    let prepared_submission = prepared(&submission, &[board], fixture.now());
    submit_within(fixture, prepared_submission, max_log_bytes).await
}

/// Makes a submission with a quota of `max_log_bytes`. Returns its status, or the reason of its refusal.
async fn submit_within<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    prepared_submission: PreparedSubmission,
    max_log_bytes: u64,
) -> Result<Status, RefusalReason> {
    fixture.advance_ms(1);
    let options = SubmitOptions {
        max_log_bytes: Some(max_log_bytes),
        ..SubmitOptions::new(RankDetail::Omitted)
    };
    let submitted = fixture
        .store
        .submit_with_options(&fixture.tenant, &[prepared_submission], &options)
        .await
        .unwrap();
    match submitted.answers.into_iter().next().unwrap() {
        Ok(outcomes) => Ok(outcomes[0].status),
        Err(refusal) => Err(refusal.reason),
    }
}

/// Returns a prepared submission with an id.
fn prepare_with_id<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    boards: &[&Board],
    name: &str,
    score_id: &str,
) -> PreparedSubmission {
    let values = vec![1; boards[0].value.columns.count()];
    let submission = Submission {
        id: Some(submission_id(score_id)),
        ..submission(boards, name, &values)
    };
    prepared(&submission, boards, fixture.now())
}

/// Returns the total weight in bytes of the idempotency records of a submission.
fn record_weight(prepared_submission: &PreparedSubmission) -> u64 {
    let targets = prepared_submission.targets.iter();
    targets
        .map(|target| prepared_submission.record_weight(target))
        .sum()
}

on_both_stores! {
    async fn a_log_keeps_its_newest_events(fixture) {
        let board = fixture.put(&with_log_policy("l", 10, 30)).await;
        for n in 0..50 {
            fixture.submit_score(&board, &format!("p{}", n % 3), n).await;
        }
        assert_eq!(read_log_range(&fixture, &board).await, (42, 51));
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &board).await);
        // The entries do not depend on the log.
        let page = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.count, page.version), (3, 51));
        // Removals, bans and configurations are events too.
        fixture.ban("p0").await;
        fixture.remove(&board, "p1").await;
        let board = fixture.put(&Leaderboard { title: "New".into(), ..board.value.clone() }).await;
        assert_eq!(read_log_range(&fixture, &board).await, (45, 54));
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &board).await);
    }

    async fn a_log_shrinks_in_steps_after_its_limit_is_lowered(fixture) {
        let board = fixture.put(&with_log_policy("l", 1000, 30)).await;
        for n in 0..100 {
            fixture.submit_score(&board, "p", n).await;
        }
        let board = fixture.put(&with_log_policy("l", 5, 30)).await;
        let mut left = fixture.read_events(&board).await.len();
        let trimmed_at_once = usize::try_from(MIN_TRIMMED_EVENTS).unwrap();
        assert_eq!(left, 102 - trimmed_at_once - 2);
        for n in 0..5 {
            fixture.submit_score(&board, "p", 1000 + n).await;
            let now = fixture.read_events(&board).await.len();
            assert!(now < left && left - now <= trimmed_at_once + 1, "{now} after {left}");
            left = now;
        }
        assert_eq!(left, 5);
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &board).await);
    }

    async fn a_log_keeps_events_for_its_number_of_days(fixture) {
        let board = fixture.put(&with_log_policy("l", 1000, 2)).await;
        for n in 0..30 {
            fixture.submit_score(&board, "p", n).await;
            fixture.advance_ms(DAY_MS / 10);
        }
        let oldest = fixture.read_events(&board).await.remove(0).event.recorded_at;
        let last = fixture.now().saturating_add_ms(-DAY_MS / 10);
        assert!(oldest >= last.saturating_add_ms(-2 * DAY_MS - 1), "{oldest} before {last}");
        fixture.advance_ms(10 * DAY_MS);
        fixture.submit_score(&board, "p", 100).await;
        fixture.submit_score(&board, "p", 101).await;
        assert_eq!(read_log_range(&fixture, &board).await, (32, 33));
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &board).await);
    }

    async fn a_submission_that_changes_nothing_logs_no_metadata(fixture) {
        for (operator, n) in [(Operator::Best, 0), (Operator::Set, 1), (Operator::Increment, 2)] {
            let board = fixture.put(&Leaderboard { operator, ..board(&format!("l{n}")) }).await;
            let value = if operator == Operator::Increment { 0 } else { 5 };
            let one = Submission { metadata: Some(metadata("{\"a\":1}")), ..submission(&[&board], "ann", &[value]) };
            for status in [Status::Created, Status::Kept] {
                assert_eq!(fixture.submit(&one, &[&board]).await.unwrap()[0].status, status, "{operator:?}");
            }
            let events = fixture.read_events(&board).await;
            let actual: Vec<_> = events.iter().filter_map(|event| match &event.event.body {
                EventBody::Submitted { metadata, kept, .. } => Some((metadata.is_some(), *kept)),
                _ => None,
            }).collect();
            assert_eq!(actual, [(true, false), (false, true)], "{operator:?}");
            // A replay of the log gives the same entry.
            let replayed = Projection::replay(&events).unwrap();
            let page = fixture.page(&board, &PageFrom::Top, 10).await;
            let state = &replayed.periods[&fixture.current_period(&board)];
            assert_eq!(replayed.visible(state), [&page.entries[0].entry], "{operator:?}");
        }
    }

    async fn beyond_the_quota_the_oldest_events_of_the_written_log_are_deleted(fixture) {
        let (one, two) = (fixture.put(&with_log_policy("one", 1000, 30)).await, fixture.put(&with_log_policy("two", 1000, 30)).await);
        for n in 0..20 {
            fixture.submit_score(&one, "p", n).await;
        }
        let quota = log_bytes(&fixture).await + 200;
        // The log of the second leaderboard fills the remaining bytes. Then its own oldest events are
        // deleted.
        for n in 0..20 {
            assert!(submit_score(&fixture, &two, ("p", n, None), quota).await.is_ok());
        }
        assert!(log_bytes(&fixture).await <= quota);
        assert_eq!(read_log_range(&fixture, &one).await, (1, 21));
        let (first, last) = read_log_range(&fixture, &two).await;
        assert!(first > 1 && last == 21, "{first} to {last}");
        // With a quota of 0, every write is still accepted, and its event is in the log.
        for n in 20..30 {
            assert!(submit_score(&fixture, &two, ("p", n, None), 0).await.is_ok());
        }
        assert_eq!(read_log_range(&fixture, &two).await, (31, 31));
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &one).await + event_bytes(&fixture, &two).await);
    }

    async fn new_ids_beyond_the_quota_are_refused_and_known_ids_are_not(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&board("two")).await);
        // All records weigh the same: their names have the same length, and their periods and columns are the
        // same.
        let weight = record_weight(&prepare_with_id(&fixture, &[&one], "p", "a"));
        let quota = 2 * weight;
        let full = Err(RefusalReason::LogFull { max_log_bytes: quota });
        assert_eq!(submit_score(&fixture, &one, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(submit_score(&fixture, &two, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(submit_score(&fixture, &one, ("p", 2, Some("b")), quota).await, full);
        assert_eq!(fixture.page(&one, &PageFrom::Top, 1).await.entries[0].entry.values.first(), 1);
        assert_eq!(submit_score(&fixture, &one, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(submit_score(&fixture, &one, ("p", 2, None), quota).await, Ok(Status::Improved));
        // The records of all targets of a submission must fit.
        let targets = [&one, &two];
        let prepared_submission = prepare_with_id(&fixture, &targets, "p", "c");
        assert_eq!(record_weight(&prepared_submission), 2 * weight);
        let options = SubmitOptions {
            max_log_bytes: Some(4 * weight - 1),
            ..SubmitOptions::new(RankDetail::Omitted)
        };
        let answers = fixture.store.submit_with_options(&fixture.tenant, &[prepared_submission], &options).await.unwrap().answers;
        assert_eq!(answers[0].as_ref().unwrap_err().leaderboard, id("one"));
        // The deletion of a leaderboard makes room, and so does the expiry of records.
        fixture.store.delete(&fixture.tenant, &id("two"), Expected::Any).await.unwrap().unwrap();
        assert_eq!(submit_score(&fixture, &one, ("p", 3, Some("d")), quota).await, Ok(Status::Improved));
        assert_eq!(submit_score(&fixture, &one, ("p", 4, Some("e")), quota).await, full);
        fixture.advance_ms(2 * DAY_MS);
        assert_eq!(submit_score(&fixture, &one, ("p", 4, Some("e")), quota).await, Ok(Status::Improved));
    }

    async fn the_weight_of_a_record_includes_all_its_names(fixture) {
        let names = ["a", "b", "c"].map(|name| name.repeat(MAX_COLUMN_NAME_BYTES));
        let columns = names.map(|name| Column::new(name, Order::Descending).unwrap());
        let wide = Leaderboard { columns: Columns::new(columns.to_vec()).unwrap(), ..daily("wide") };
        let (narrow, wide) = (fixture.put(&board("narrow")).await, fixture.put(&wide).await);
        let (long_player, long_id) = ("p".repeat(MAX_PLAYER_BYTES), "i".repeat(MAX_SUBMISSION_ID_BYTES));
        let small = prepare_with_id(&fixture, &[&narrow], "p", "a");
        let mut large = prepare_with_id(&fixture, &[&wide], &long_player, &long_id);
        large.id_scope = IdScope::Player;
        let (small_weight, large_weight) = (record_weight(&small), record_weight(&large));
        // A record contains the player, the id and the names of the columns.
        let names = MAX_PLAYER_BYTES + MAX_SUBMISSION_ID_BYTES + 3 * MAX_COLUMN_NAME_BYTES;
        assert!(large_weight > small_weight + names as u64, "{large_weight}, {small_weight}");
        for prepared_submission in [&small, &large] {
            let quota = record_weight(prepared_submission) - 1;
            let full = Err(RefusalReason::LogFull { max_log_bytes: quota });
            assert_eq!(submit_within(&fixture, prepared_submission.clone(), quota).await, full);
        }
        assert_eq!(submit_within(&fixture, small, small_weight).await, Ok(Status::Created));
        let quota = small_weight + large_weight;
        let full = Err(RefusalReason::LogFull { max_log_bytes: quota - 1 });
        assert_eq!(submit_within(&fixture, large.clone(), quota - 1).await, full);
        assert_eq!(submit_within(&fixture, large.clone(), quota).await, Ok(Status::Created));
        // A known id needs no room. The deletion of a leaderboard frees the bytes of its records.
        assert_eq!(submit_within(&fixture, large, 0).await, Ok(Status::Created));
        fixture.store.delete(&fixture.tenant, &id("wide"), Expected::Any).await.unwrap().unwrap();
        let again = prepare_with_id(&fixture, &[&narrow], "p", "b");
        let full = Err(RefusalReason::LogFull { max_log_bytes: 2 * small_weight - 1 });
        assert_eq!(submit_within(&fixture, again.clone(), 2 * small_weight - 1).await, full);
        assert_eq!(submit_within(&fixture, again, 2 * small_weight).await, Ok(Status::Kept));
    }

    async fn a_deleted_leaderboard_uses_no_log_bytes(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&board("two")).await);
        for n in 0..5 {
            fixture.submit_score_with_id(&one, "p", n, &format!("x{n}")).await.unwrap();
            fixture.submit_score(&two, "p", n).await;
        }
        fixture.store.delete(&fixture.tenant, &id("one"), Expected::Any).await.unwrap().unwrap();
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &two).await);
        let again = fixture.put(&board("one")).await;
        assert_eq!(log_bytes(&fixture).await, event_bytes(&fixture, &two).await + event_bytes(&fixture, &again).await);
        for name in ["one", "two"] {
            fixture.store.delete(&fixture.tenant, &id(name), Expected::Any).await.unwrap().unwrap();
        }
        assert_eq!(log_bytes(&fixture).await, 0);
    }
}
