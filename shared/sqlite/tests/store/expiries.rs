//! A change of how many periods are kept is applied in small transactions, and so is what expires by it.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{Expected, Leaderboards, PutLeaderboard, PutRefusal, Scores};
use leaderboard_core::{Leaderboard, PeriodId, Timestamp};
use leaderboard_sqlite::{Connection, SqliteStore};

use crate::measured::{Done, Measured};
use crate::support::*;

const DAYS: i64 = 950;
/// The most periods that one transaction may change in any way.
const STEP: i64 = 100;

/// A leaderboard with an entry on each of the last days.
async fn with_days<C: Connection>(store: &SqliteStore<C>) -> Board {
    let board = configured(store, &daily("days", 1000)).await;
    let boards = [Rc::clone(&board)];
    let attempts: Vec<_> = (0..DAYS)
        .map(|day| {
            let mut late = submission(&boards, "ann", 1, None);
            late.occurred_at = Some(at(-day * DAY_MS));
            late.resolve(&boards, at(0)).unwrap()
        })
        .collect();
    assert!(submit(store, &attempts).await.iter().all(Result::is_ok));
    board
}

/// When all periods expire if so many are kept.
fn expiries(board: &Leaderboard) -> Vec<(PeriodId, Option<Timestamp>)> {
    let periods = (0..DAYS).map(|day| board.schedule.period_at(at(-day * DAY_MS)));
    periods
        .map(|period| {
            let expires_at = board.schedule.expires_at(&period, board.keep_periods);
            (period.id, expires_at)
        })
        .collect()
}

async fn keep<C: Connection>(
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
        expiries,
        at: at(0),
    };
    store.put(&put).await.unwrap()
}

fn expired(file: &File) -> i64 {
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
        let board = with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        done.take();
        assert!(keep(&store, &fewer, &expiries(&fewer)).await.is_ok());
        assert_eq!(expired(&file), DAYS - 3);
        assert_eq!(rows(&file, "pending_expiries"), 0);
        let steps = done.take();
        let mut pauses = 0;
        let mut transactions = 0;
        for step in steps {
            match step {
                Done::Pause => pauses += 1,
                Done::Transaction { rows, statements } => {
                    // Beside the periods: the configuration, its event, its list of what is left.
                    assert!(rows <= STEP + 10 && statements <= 60, "{step:?}");
                    assert!(transactions < 2 || pauses >= 5, "others get on before each step");
                    pauses = 0;
                    transactions += 1;
                }
            }
        }
        assert!(transactions >= DAYS / STEP, "{transactions}");

        // What has expired goes in pieces, too.
        let board = get(&store, &board.value.id).await;
        let mut left = DAYS - 3;
        while left > 0 {
            done.take();
            score(&store, &board, "bob", left, 0).await;
            let now = expired(&file);
            assert!(left - now <= STEP && now < left, "{left} {now}");
            left = now;
            let Some(Done::Transaction { rows, statements }) = done.take().pop() else {
                panic!("no transaction")
            };
            // For each period: its row, the mark of it, the count, the mark again, its entry, and two blocks.
            assert!(rows <= 9 * STEP && statements <= 8 * STEP, "{rows} {statements}");
        }
        assert_eq!((rows(&file, "periods"), rows(&file, "discarded")), (3, 0));
    });
}

#[test]
fn a_put_that_died_is_finished_by_the_next_one() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        let left = expiries(&fewer);
        // It dies while it lets others on.
        let mut dying = Box::pin(keep(&store, &fewer, &left));
        assert!(futures::poll!(&mut dying).is_pending());
        drop(dying);
        assert_eq!(rows(&file, "pending_expiries"), 1);
        let there = expired(&file);
        assert!(there < DAYS - 3, "{there}");
        let mut unfinished = 0;
        // One that changes nothing goes on as well.
        while keep(&store, &fewer, &[]).await == Err(PutRefusal::Unfinished) {
            unfinished += 1;
        }
        assert_eq!(unfinished, 8);
        assert_eq!((expired(&file), rows(&file, "pending_expiries")), (DAYS - 3, 0));
    });
}

#[test]
fn a_deleted_leaderboard_leaves_no_expiries() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        let left = expiries(&fewer);
        let mut dying = Box::pin(keep(&store, &fewer, &left));
        assert!(futures::poll!(&mut dying).is_pending());
        drop(dying);
        store
            .delete(&tenant(), &fewer.id, Expected::Any)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(rows(&file, "pending_expiries"), 0);
    });
}

#[test]
fn a_late_score_for_a_period_that_expired_and_is_still_there_begins_it_anew() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = with_days(&store).await;
        let fewer = Leaderboard {
            keep_periods: 3,
            ..board.value.clone()
        };
        keep(&store, &fewer, &expiries(&fewer)).await.unwrap();
        keep(&store, &board.value, &[]).await.unwrap();
        let board = get(&store, &board.value.id).await;
        // The oldest go first; this one is among the last.
        let mut late = submission(&[Rc::clone(&board)], "bob", 7, None);
        late.occurred_at = Some(at(-5 * DAY_MS));
        let late = late.resolve(&[Rc::clone(&board)], at(0)).unwrap();
        let outcome = submit(&store, &[late]).await.remove(0).unwrap().remove(0);
        assert_eq!((outcome.rank, outcome.previous), (Some(1), None));
    });
}

#[test]
fn a_page_of_periods_is_read_in_the_order_of_an_index() {
    block_on(async {
        let file = File::new();
        let measured = Measured::open(&file);
        let selects = Rc::clone(&measured.selects);
        let store = SqliteStore::new(measured);
        let board = with_days(&store).await;
        let id = &board.value.id;
        let oldest = board.value.schedule.period_at(at(-(DAYS - 1) * DAY_MS)).id;
        selects.take();
        store
            .list_periods(&tenant(), id, Some(at(-90 * DAY_MS)), 10, at(0))
            .await
            .unwrap();
        store.find_period(&tenant(), id, &oldest, at(0)).await.unwrap();
        let looks: Vec<String> = selects
            .take()
            .into_iter()
            .filter(|sql| sql.contains("JOIN periods"))
            .collect();
        assert_eq!(looks.len(), 2, "{looks:?}");
        let plans = looks.iter().map(|sql| plan(&file, sql)).collect::<Vec<_>>();
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

/// How SQLite goes about a statement.
fn plan(file: &File, sql: &str) -> String {
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
