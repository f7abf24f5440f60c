//! How much of a log is kept, and what logs and idempotency records weigh.

use leaderboard_core::model::Projection;
use leaderboard_core::ports::{
    Expected, Leaderboards, MIN_TRIMMED_EVENTS, PageFrom, RankDetail, RateLimits, Scores, SubmitOptions,
};
use leaderboard_core::{
    Column, Columns, EventBody, IdScope, Leaderboard, LogPolicy, MAX_COLUMN_NAME_BYTES, MAX_PLAYER_BYTES,
    MAX_SUBMISSION_ID_BYTES, Operator, Order, PreparedSubmission, RefusalReason, Status, Submission,
};

use crate::given::{Board, DAY_MS, board, daily, id, metadata, resolved, submission, submission_id};
use crate::harness::{Harness, World, on_both_stores};

fn kept(name: &str, keep_events: u32, keep_days: u16) -> Leaderboard {
    let log = LogPolicy {
        keep_events,
        keep_days,
    };
    Leaderboard { log, ..board(name) }
}

/// What the tenant's logs weigh, by the store. Its records are from another day than the store's clock shows.
async fn log_bytes<H: Harness>(world: &World<H>) -> u64 {
    world.store.usage(&world.tenant, 1).await.unwrap().1.log_bytes
}

/// What the events that are there weigh.
async fn weight<H: Harness>(world: &World<H>, board: &Board) -> u64 {
    let events = world.events(board).await;
    events.iter().map(|recorded| recorded.event.weight()).sum()
}

async fn positions<H: Harness>(world: &World<H>, board: &Board) -> (u64, u64) {
    let events = world.events(board).await;
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    assert!(
        positions.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{positions:?}"
    );
    (positions[0], positions[positions.len() - 1])
}

/// One score under a quota of what logs may weigh.
async fn score<H: Harness>(
    world: &World<H>,
    board: &Board,
    (name, value, score_id): (&str, i64, Option<&str>),
    max_log_bytes: u64,
) -> Result<Status, RefusalReason> {
    let submission = Submission {
        id: score_id.map(submission_id),
        ..submission(&[board], name, &[value])
    };
    let attempt = resolved(&submission, &[board], world.now());
    settle(world, attempt, max_log_bytes).await
}

/// One attempt under a quota of what logs may weigh.
async fn settle<H: Harness>(
    world: &World<H>,
    attempt: PreparedSubmission,
    max_log_bytes: u64,
) -> Result<Status, RefusalReason> {
    world.pass_ms(1);
    let terms = SubmitOptions {
        max_log_bytes: Some(max_log_bytes),
        ..SubmitOptions::new(RankDetail::Omitted)
    };
    let submitted = world
        .store
        .submit_with_options(&world.tenant, &[attempt], &terms)
        .await
        .unwrap();
    match submitted.answers.into_iter().next().unwrap() {
        Ok(outcomes) => Ok(outcomes[0].status),
        Err(refusal) => Err(refusal.reason),
    }
}

/// A score with an id, on its way in.
fn with_id<H: Harness>(
    world: &World<H>,
    boards: &[&Board],
    name: &str,
    score_id: &str,
) -> PreparedSubmission {
    let values = vec![1; boards[0].value.columns.count()];
    let submission = Submission {
        id: Some(submission_id(score_id)),
        ..submission(boards, name, &values)
    };
    resolved(&submission, boards, world.now())
}

/// What the idempotency records of an attempt weigh.
fn record_weight(attempt: &PreparedSubmission) -> u64 {
    let targets = attempt.targets.iter();
    targets.map(|target| attempt.record_weight(target)).sum()
}

on_both_stores! {
    async fn a_log_keeps_its_newest_events(world) {
        let board = world.put(&kept("l", 10, 30)).await;
        for n in 0..50 {
            world.score(&board, &format!("p{}", n % 3), n).await;
        }
        assert_eq!(positions(&world, &board).await, (42, 51));
        assert_eq!(log_bytes(&world).await, weight(&world, &board).await);
        // The entries do not depend on the log.
        let page = world.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((page.count, page.version), (3, 51));
        // Removals, bans and configurations are events too.
        world.hide("p0").await;
        world.remove(&board, "p1").await;
        let board = world.put(&Leaderboard { title: "New".into(), ..board.value.clone() }).await;
        assert_eq!(positions(&world, &board).await, (45, 54));
        assert_eq!(log_bytes(&world).await, weight(&world, &board).await);
    }

    async fn a_log_shrinks_in_steps_when_it_is_to_keep_less(world) {
        let board = world.put(&kept("l", 1000, 30)).await;
        for n in 0..100 {
            world.score(&board, "p", n).await;
        }
        let board = world.put(&kept("l", 5, 30)).await;
        let mut left = world.events(&board).await.len();
        let trimmed_at_once = usize::try_from(MIN_TRIMMED_EVENTS).unwrap();
        assert_eq!(left, 102 - trimmed_at_once - 2);
        for n in 0..5 {
            world.score(&board, "p", 1000 + n).await;
            let now = world.events(&board).await.len();
            assert!(now < left && left - now <= trimmed_at_once + 1, "{now} after {left}");
            left = now;
        }
        assert_eq!(left, 5);
        assert_eq!(log_bytes(&world).await, weight(&world, &board).await);
    }

    async fn a_log_keeps_events_for_some_days(world) {
        let board = world.put(&kept("l", 1000, 2)).await;
        for n in 0..30 {
            world.score(&board, "p", n).await;
            world.pass_ms(DAY_MS / 10);
        }
        let oldest = world.events(&board).await.remove(0).event.recorded_at;
        let last = world.now().saturating_add_ms(-DAY_MS / 10);
        assert!(oldest >= last.saturating_add_ms(-2 * DAY_MS - 1), "{oldest} before {last}");
        world.pass_ms(10 * DAY_MS);
        world.score(&board, "p", 100).await;
        world.score(&board, "p", 101).await;
        assert_eq!(positions(&world, &board).await, (32, 33));
        assert_eq!(log_bytes(&world).await, weight(&world, &board).await);
    }

    async fn a_score_that_is_kept_leaves_no_metadata_in_the_log(world) {
        for (operator, n) in [(Operator::Best, 0), (Operator::Set, 1), (Operator::Increment, 2)] {
            let board = world.put(&Leaderboard { operator, ..board(&format!("l{n}")) }).await;
            let value = if operator == Operator::Increment { 0 } else { 5 };
            let one = Submission { metadata: Some(metadata("{\"a\":1}")), ..submission(&[&board], "ann", &[value]) };
            for status in [Status::Created, Status::Kept] {
                assert_eq!(world.submit(&one, &[&board]).await.unwrap()[0].status, status, "{operator:?}");
            }
            let events = world.events(&board).await;
            let told: Vec<_> = events.iter().filter_map(|event| match &event.event.body {
                EventBody::Submitted { metadata, kept, .. } => Some((metadata.is_some(), *kept)),
                _ => None,
            }).collect();
            assert_eq!(told, [(true, false), (false, true)], "{operator:?}");
            // And replayed it is the same entry.
            let replayed = Projection::replay(&events).unwrap();
            let page = world.page(&board, &PageFrom::Top, 10).await;
            let state = &replayed.periods[&world.period(&board)];
            assert_eq!(replayed.visible(state), [&page.entries[0].entry], "{operator:?}");
        }
    }

    async fn beyond_the_quota_the_oldest_events_of_what_is_written_go(world) {
        let (one, two) = (world.put(&kept("one", 1000, 30)).await, world.put(&kept("two", 1000, 30)).await);
        for n in 0..20 {
            world.score(&one, "p", n).await;
        }
        let quota = log_bytes(&world).await + 200;
        // Another leaderboard's log fills the room that is left, and then forgets its own beginning.
        for n in 0..20 {
            assert!(score(&world, &two, ("p", n, None), quota).await.is_ok());
        }
        assert!(log_bytes(&world).await <= quota);
        assert_eq!(positions(&world, &one).await, (1, 21));
        let (first, last) = positions(&world, &two).await;
        assert!(first > 1 && last == 21, "{first} to {last}");
        // Without any room every write is still taken, and its event is there.
        for n in 20..30 {
            assert!(score(&world, &two, ("p", n, None), 0).await.is_ok());
        }
        assert_eq!(positions(&world, &two).await, (31, 31));
        assert_eq!(log_bytes(&world).await, weight(&world, &one).await + weight(&world, &two).await);
    }

    async fn ids_without_room_are_refused_and_known_ones_are_not(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&board("two")).await);
        // Names are as long here, and periods and columns the same, so that all records weigh the same.
        let weight = record_weight(&with_id(&world, &[&one], "p", "a"));
        let quota = 2 * weight;
        let full = Err(RefusalReason::LogFull { max_log_bytes: quota });
        assert_eq!(score(&world, &one, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(score(&world, &two, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(score(&world, &one, ("p", 2, Some("b")), quota).await, full);
        assert_eq!(world.page(&one, &PageFrom::Top, 1).await.entries[0].entry.values.first(), 1);
        assert_eq!(score(&world, &one, ("p", 1, Some("a")), quota).await, Ok(Status::Created));
        assert_eq!(score(&world, &one, ("p", 2, None), quota).await, Ok(Status::Improved));
        // Both targets or none.
        let targets = [&one, &two];
        let attempt = with_id(&world, &targets, "p", "c");
        assert_eq!(record_weight(&attempt), 2 * weight);
        let terms = SubmitOptions {
            max_log_bytes: Some(4 * weight - 1),
            ..SubmitOptions::new(RankDetail::Omitted)
        };
        let answers = world.store.submit_with_options(&world.tenant, &[attempt], &terms).await.unwrap().answers;
        assert_eq!(answers[0].as_ref().unwrap_err().leaderboard, id("one"));
        // Room comes with a deleted leaderboard, and with the days.
        world.store.delete(&world.tenant, &id("two"), Expected::Any).await.unwrap().unwrap();
        assert_eq!(score(&world, &one, ("p", 3, Some("d")), quota).await, Ok(Status::Improved));
        assert_eq!(score(&world, &one, ("p", 4, Some("e")), quota).await, full);
        world.pass_ms(2 * DAY_MS);
        assert_eq!(score(&world, &one, ("p", 4, Some("e")), quota).await, Ok(Status::Improved));
    }

    async fn a_record_weighs_its_names_and_needs_room_for_all_of_them(world) {
        let names = ["a", "b", "c"].map(|name| name.repeat(MAX_COLUMN_NAME_BYTES));
        let columns = names.map(|name| Column::new(name, Order::Descending).unwrap());
        let wide = Leaderboard { columns: Columns::new(columns.to_vec()).unwrap(), ..daily("wide") };
        let (narrow, wide) = (world.put(&board("narrow")).await, world.put(&wide).await);
        let (long_player, long_id) = ("p".repeat(MAX_PLAYER_BYTES), "i".repeat(MAX_SUBMISSION_ID_BYTES));
        let small = with_id(&world, &[&narrow], "p", "a");
        let mut large = with_id(&world, &[&wide], &long_player, &long_id);
        large.id_scope = IdScope::Player;
        let (small_weight, large_weight) = (record_weight(&small), record_weight(&large));
        // The name of the record, and the names of the columns.
        let names = MAX_PLAYER_BYTES + MAX_SUBMISSION_ID_BYTES + 3 * MAX_COLUMN_NAME_BYTES;
        assert!(large_weight > small_weight + names as u64, "{large_weight}, {small_weight}");
        for attempt in [&small, &large] {
            let quota = record_weight(attempt) - 1;
            let full = Err(RefusalReason::LogFull { max_log_bytes: quota });
            assert_eq!(settle(&world, attempt.clone(), quota).await, full);
        }
        assert_eq!(settle(&world, small, small_weight).await, Ok(Status::Created));
        let quota = small_weight + large_weight;
        let full = Err(RefusalReason::LogFull { max_log_bytes: quota - 1 });
        assert_eq!(settle(&world, large.clone(), quota - 1).await, full);
        assert_eq!(settle(&world, large.clone(), quota).await, Ok(Status::Created));
        // A known id needs no room, and a leaderboard that goes makes as much as its records weighed.
        assert_eq!(settle(&world, large, 0).await, Ok(Status::Created));
        world.store.delete(&world.tenant, &id("wide"), Expected::Any).await.unwrap().unwrap();
        let again = with_id(&world, &[&narrow], "p", "b");
        let full = Err(RefusalReason::LogFull { max_log_bytes: 2 * small_weight - 1 });
        assert_eq!(settle(&world, again.clone(), 2 * small_weight - 1).await, full);
        assert_eq!(settle(&world, again, 2 * small_weight).await, Ok(Status::Kept));
    }

    async fn a_deleted_leaderboard_weighs_nothing(world) {
        let (one, two) = (world.put(&board("one")).await, world.put(&board("two")).await);
        for n in 0..5 {
            world.score_with_id(&one, "p", n, &format!("x{n}")).await.unwrap();
            world.score(&two, "p", n).await;
        }
        world.store.delete(&world.tenant, &id("one"), Expected::Any).await.unwrap().unwrap();
        assert_eq!(log_bytes(&world).await, weight(&world, &two).await);
        let again = world.put(&board("one")).await;
        assert_eq!(log_bytes(&world).await, weight(&world, &two).await + weight(&world, &again).await);
        for name in ["one", "two"] {
            world.store.delete(&world.tenant, &id(name), Expected::Any).await.unwrap().unwrap();
        }
        assert_eq!(log_bytes(&world).await, 0);
    }
}
