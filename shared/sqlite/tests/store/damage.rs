//! Tests of database files with damaged data.

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Events, Leaderboards, PageFrom, PeriodRef, RankDetail, ReadError, ReadSource, Readiness, Scores,
};
use leaderboard_core::usecase::{Deps, LeaderboardMemory, QueryError, plan_replay, replay};
use leaderboard_core::{PeriodId, StoreError, Timestamp, UnknownEvent};
use leaderboard_test_support::NoCache;

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
            source: ReadSource::Primary,
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

#[test]
fn an_event_of_a_newer_version_is_read_without_its_content() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = create_leaderboard(&store, &board("goals")).await;
        let boards = [board.clone()];
        submit(&store, &[prepare(&boards, "ann", 5, None, at(0))]).await;
        let damage = "UPDATE events SET event = x'fa0278' WHERE position = 2";
        file.raw().execute_batch(damage).unwrap();
        submit(&store, &[prepare(&boards, "ann", 6, None, at(0))]).await;
        let log = store.read(&tenant(), &board.value.id, 0, 10).await.unwrap();
        let read: Vec<_> = log
            .iter()
            .map(|logged| (logged.position, logged.event.is_ok()))
            .collect();
        assert_eq!(read, [(1, true), (2, false), (3, true)]);
        let unknown = UnknownEvent {
            recorded_at: Timestamp::from_unix_ms(1),
        };
        assert_eq!((log[1].schema_version, &log[1].event), (0xfa, &Err(unknown)));
        // Time travel must understand every event, and says which one it does not.
        let deps = Deps {
            store: &store,
            cache: None::<&NoCache>,
            leaderboard_memory: &LeaderboardMemory::default(),
            tenant: &tenant(),
            now: at(10),
            source: ReadSource::Primary,
        };
        let plan = plan_replay(&deps, &Caller::Anonymous, &board.value.id, at(10))
            .await
            .unwrap();
        let error = replay(&deps, plan, None).await.unwrap_err();
        assert_eq!(error, QueryError::UnknownEvent { position: 2 });
    });
}
