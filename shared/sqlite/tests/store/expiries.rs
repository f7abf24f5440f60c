//! Tests that a changed number of kept periods is applied in small transactions, and that small transactions
//! delete the periods that expire because of the change.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard, PutRefusal, Scores};
use leaderboard_core::{Leaderboard, PeriodId, Timestamp};
use leaderboard_sqlite::{Connection, SqliteStore};

use crate::measured::{Done, Measured};
use crate::support::*;

/// The number of days with an entry.
const DAYS: i64 = 950;
/// The maximum number of periods that one transaction may change.
const STEP: i64 = 100;

/// Creates a leaderboard with an entry on each of the last [`DAYS`] days.
async fn create_leaderboard_with_days<C: Connection>(store: &SqliteStore<C>) -> Board {
    let board = create_leaderboard(store, &daily_leaderboard("days", 1000)).await;
    let boards = [Rc::clone(&board)];
    let submissions: Vec<_> = (0..DAYS)
        .map(|day| {
            let mut late = submission(&boards, "ann", 1, None);
            late.occurred_at = Some(at(-day * DAY_MS));
            late.resolve(&boards, at(0)).unwrap()
        })
        .collect();
    assert!(submit(store, &submissions).await.iter().all(Result::is_ok));
    board
}

/// Returns when each period expires under the configuration.
fn list_expiries(board: &Leaderboard) -> Vec<(PeriodId, Option<Timestamp>)> {
    let periods = (0..DAYS).map(|day| board.schedule.period_at(at(-day * DAY_MS)));
    periods
        .map(|period| {
            let expires_at = board.schedule.expires_at(&period, board.keep_periods);
            (period.id, expires_at)
        })
        .collect()
}

/// Stores a configuration with the new expiries of its periods.
async fn put_with_expiries<C: Connection>(
    store: &SqliteStore<C>,
    board: &Leaderboard,
    expiries: &[(PeriodId, Option<Timestamp>)],
) -> Result<(u64, bool), PutRefusal> {
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant(),
        leaderboard: board,
        expected: Expected::Any,
        current: &board.schedule.period_at(at(0)).id,
        rebuild: false,
        verified: None,
        expiries,
        at: at(0),
    };
    store.put(&put).await.unwrap()
}

/// Returns the number of expired periods in the file.
fn count_expired(file: &File) -> i64 {
    let sql = "SELECT count(*) FROM periods WHERE expires_at <= ?1";
    let now = at(0).as_unix_ms();
    file.raw().query_row(sql, [now], |row| row.get(0)).unwrap()
}

#[test]
fn fewer_kept_periods_are_changed_and_discarded_in_small_transactions() {
    block_on(async {
        let file = File::new();
        let measured = Measured::open(&file);
        let done = Rc::clone(&measured.done);
        let store = SqliteStore::new(measured);
        let board = create_leaderboard_with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        done.take();
        assert!(
            put_with_expiries(&store, &fewer, &list_expiries(&fewer))
                .await
                .is_ok()
        );
        assert_eq!(count_expired(&file), DAYS - 3);
        assert_eq!(count_rows(&file, "pending_expiries"), 0);
        let steps = done.take();
        let mut pauses = 0;
        let mut transactions = 0;
        for step in steps {
            match step {
                Done::Pause => pauses += 1,
                Done::Transaction { rows, statements } => {
                    // A transaction also changes the configuration, its event and its pending expiries.
                    assert!(rows <= STEP + 10 && statements <= 60, "{step:?}");
                    assert!(
                        transactions < 2 || pauses >= 5,
                        "the store pauses for other writers before each step"
                    );
                    pauses = 0;
                    transactions += 1;
                }
            }
        }
        assert!(transactions >= DAYS / STEP, "{transactions}");

        // Each write deletes a part of the expired periods.
        let board = get(&store, &board.value.id).await;
        let mut left = DAYS - 3;
        while left > 0 {
            done.take();
            submit_score(&store, &board, "bob", left, 0).await;
            let now = count_expired(&file);
            assert!(left - now <= STEP && now < left, "{left} {now}");
            left = now;
            let Some(Done::Transaction { rows, statements }) = done.take().pop() else {
                panic!("no transaction")
            };
            // The changed rows of each period: the period, its row in `discarded` (inserted and deleted), the
            // count, the entry and two rank blocks.
            assert!(rows <= 9 * STEP && statements <= 8 * STEP, "{rows} {statements}");
        }
        assert_eq!(
            (count_rows(&file, "periods"), count_rows(&file, "discarded")),
            (3, 0)
        );
    });
}

#[test]
fn an_aborted_put_is_finished_by_the_next_put() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard_with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        let expiries = list_expiries(&fewer);
        // The put is dropped while it pauses for other writers.
        let mut aborted = Box::pin(put_with_expiries(&store, &fewer, &expiries));
        assert!(futures::poll!(&mut aborted).is_pending());
        drop(aborted);
        assert_eq!(count_rows(&file, "pending_expiries"), 1);
        let expired = count_expired(&file);
        assert!(expired < DAYS - 3, "{expired}");
        let mut unfinished = 0;
        // A put that changes nothing continues the work, too.
        while put_with_expiries(&store, &fewer, &[]).await == Err(PutRefusal::Unfinished) {
            unfinished += 1;
        }
        assert_eq!(unfinished, 8);
        assert_eq!(
            (count_expired(&file), count_rows(&file, "pending_expiries")),
            (DAYS - 3, 0)
        );
    });
}

#[test]
fn a_deleted_leaderboard_leaves_no_pending_expiries() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard_with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        let expiries = list_expiries(&fewer);
        let mut aborted = Box::pin(put_with_expiries(&store, &fewer, &expiries));
        assert!(futures::poll!(&mut aborted).is_pending());
        drop(aborted);
        store
            .delete(&tenant(), &fewer.id, Expected::Any)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(count_rows(&file, "pending_expiries"), 0);
    });
}

#[test]
fn a_late_score_restarts_an_expired_period_that_is_not_deleted_yet() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard_with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        put_with_expiries(&store, &fewer, &list_expiries(&fewer))
            .await
            .unwrap();
        put_with_expiries(&store, &board.value, &[]).await.unwrap();
        let board = get(&store, &board.value.id).await;
        // The store deletes the oldest periods first, so this period still exists.
        let mut late = submission(&[Rc::clone(&board)], "bob", 7, None);
        late.occurred_at = Some(at(-5 * DAY_MS));
        let late = late.resolve(&[Rc::clone(&board)], at(0)).unwrap();
        let outcome = submit(&store, &[late]).await.remove(0).unwrap().remove(0);
        assert_eq!((outcome.rank, outcome.previous), (Some(1), None));
    });
}

#[test]
fn a_page_of_periods_is_read_from_an_index_without_sorting() {
    block_on(async {
        let file = File::new();
        let measured = Measured::open(&file);
        let selects = Rc::clone(&measured.selects);
        let store = SqliteStore::new(measured);
        let board = create_leaderboard_with_days(&store).await;
        let id = &board.value.id;
        let oldest = board.value.schedule.period_at(at(-(DAYS - 1) * DAY_MS)).id;
        selects.take();
        store
            .list_periods(&tenant(), id, Some(at(-90 * DAY_MS)), 10, at(0))
            .await
            .unwrap();
        store.find_period(&tenant(), id, &oldest, at(0)).await.unwrap();
        let statements: Vec<String> = selects
            .take()
            .into_iter()
            .filter(|sql| sql.contains("JOIN periods"))
            .collect();
        assert_eq!(statements.len(), 2, "{statements:?}");
        let plans = statements
            .iter()
            .map(|sql| read_query_plan(&file, sql))
            .collect::<Vec<_>>();
        assert!(
            plans[0].contains("periods_by_start (leaderboard=? AND <expr><?)"),
            "{plans:?}"
        );
        assert!(plans[1].contains("(leaderboard=? AND id=?)"), "{plans:?}");
        assert!(
            !plans.concat().contains("TEMP B-TREE"),
            "nothing is sorted: {plans:?}"
        );
    });
}

/// Returns the query plan of a statement.
fn read_query_plan(file: &File, sql: &str) -> String {
    let raw = file.raw();
    let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement
        .query_map(rusqlite::params_from_iter(parameters), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}
