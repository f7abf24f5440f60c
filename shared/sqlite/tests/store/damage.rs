//! Tests of database files with damaged data.

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Events, Leaderboards, PageFrom, PeriodRef, RankDetail, ReadError, Readiness, Scores,
};
use leaderboard_core::{PeriodId, StoreError};

use crate::support::*;

/// Damages a file. Returns for each operation whether it then reports damaged data: reading a page,
/// submitting, reading the configuration, and reading the event log.
fn find_reports_of_damage(damage: &str) -> [bool; 4] {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &board("goals")).await;
        let boards = [board.clone()];
        let known = prepare(&boards, "ann", 5, Some("x"), at(0));
        submit(&store, std::slice::from_ref(&known)).await;
        file.raw().execute_batch(damage).unwrap();
        let (tenant, period) = (tenant(), PeriodId::all_time());
        let period_ref = PeriodRef {
            tenant: &tenant,
            leaderboard: &board,
            period: &period,
            now: at(0),
        };
        let page = store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await;
        let submitted = store.submit(&tenant, &[known], RankDetail::Full).await;
        let got = Leaderboards::get(&store, &tenant, &board.value.id).await;
        let log = store.read(&tenant, &board.value.id, 0, 10).await;
        [
            matches!(page, Err(ReadError::Store(StoreError::Corrupt(_)))),
            matches!(submitted, Err(StoreError::Corrupt(_))),
            matches!(got, Err(StoreError::Corrupt(_))),
            matches!(log, Err(StoreError::Corrupt(_))),
        ]
    })
}

#[test]
fn damaged_rows_are_reported_where_they_are_read() {
    for (damage, [page, submit, get, log]) in [
        (
            "UPDATE entries SET order_key = x'00'",
            [true, false, false, false],
        ),
        (
            "UPDATE entries SET order_key = 'text'",
            [true, true, false, false],
        ),
        ("UPDATE entries SET attempts = -1", [true, false, false, false]),
        ("UPDATE periods SET layout = x'ff'", [true, true, false, false]),
        ("UPDATE periods SET visible = -1", [true, true, false, false]),
        (
            "UPDATE submissions SET outcome = x'02'",
            [false, true, false, false],
        ),
        (
            "UPDATE leaderboards SET configuration = x'01'",
            [false, false, true, false],
        ),
        (
            "UPDATE leaderboards SET last_position = 1.5",
            [false, true, false, false],
        ),
        (
            "UPDATE events SET event = zeroblob(9)",
            [false, false, false, true],
        ),
    ] {
        assert_eq!(
            find_reports_of_damage(damage),
            [page, submit, get, log],
            "{damage}"
        );
    }
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let file = File::new();
    std::fs::write(file.path(), vec![7; 8192]).unwrap();
    let store = file.store();
    let read = block_on(Leaderboards::get(&store, &tenant(), &board("goals").id));
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let ready = block_on(store.check_ready());
    assert!(matches!(ready, Err(StoreError::Corrupt(_))), "{ready:?}");
}
