//! Tests of the configurations of leaderboards: versions, conditions, lists and deletion.

use leaderboard_core::ports::{
    Expected, Leaderboards, MAX_CONFIGURATIONS_READ, PageFrom, PutLeaderboard, PutRefusal, ReadError, Scores,
};
use leaderboard_core::{
    Access, EventBody, Leaderboard, Limits, Operator, Order, PeriodId, ReadAccess, RefusalReason, Ties,
    WriteAccess,
};
use leaderboard_test_support::values::{Board, board, columns, daily, id, instant, schedule, tenant};
use leaderboard_test_support::{ALL, StoreBackend, StoreFixture, put_leaderboard, ranked_line};

use crate::cases::on_both_stores;

/// Returns a configuration with many settings, some of them at the ends of their ranges.
fn full_configuration() -> Leaderboard {
    Leaderboard {
        title: "Goals \"by\" year, año".into(),
        columns: columns(&[Order::Descending, Order::Ascending, Order::Descending]),
        operator: Operator::Decrement,
        operator_override: true,
        ties: Ties::Dense,
        schedule: schedule("0 4 * * 1", "Europe/Madrid"),
        keep_periods: 1000,
        starts_at: Some(instant("2026-01-01T00:00:00Z")),
        ends_at: Some(instant("2027-01-01T00:00:00.001Z")),
        limits: Limits {
            min: Some(i64::MIN),
            max: Some(i64::MAX),
            max_change: Some(u64::MAX),
            max_attempts: Some(u32::MAX),
            max_entries: Some(u64::MAX),
        },
        access: Access {
            read: ReadAccess::Private,
            write: WriteAccess::Player,
        },
        ..board("full")
    }
}

async fn delete<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    name: &str,
    expected: Expected,
) -> Result<bool, PutRefusal> {
    fixture
        .store
        .delete(&fixture.tenant, &id(name), expected)
        .await
        .unwrap()
}

/// Returns the ids of a page of the list of leaderboards.
async fn list_ids<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let after = after.map(id);
    let listed = fixture
        .store
        .list(&fixture.tenant, after.as_ref(), limit)
        .await
        .unwrap();
    listed
        .into_iter()
        .map(|board| board.value.id.to_string())
        .collect()
}

on_both_stores! {
    async fn a_stored_configuration_is_readable_and_in_the_log(fixture) {
        assert_eq!(fixture.find_leaderboard(&full_configuration()).await, None);
        let (version, created) = fixture.try_put(&full_configuration(), Expected::Any, false).await.unwrap();
        assert!(created);
        let stored = fixture.read_leaderboard(&full_configuration()).await;
        assert_eq!((&stored.value, stored.version), (&full_configuration(), version));
        let event = fixture.read_events(&stored).await.remove(0);
        assert_eq!((event.position, event.event.recorded_at), (1, fixture.now()));
        assert_eq!(event.event.body, EventBody::Configured {
            leaderboard: Box::new(full_configuration()),
            current: full_configuration().schedule.period_at(fixture.now()).id,
            rebuild: false,
        });
    }

    async fn several_configurations_are_read_in_the_requested_order(fixture) {
        let (first, second) = (fixture.put(&board("a-1")).await, fixture.put(&full_configuration()).await);
        let read = async |names: &[&str]| {
            let ids: Vec<_> = names.iter().map(|name| id(name)).collect();
            fixture.store.get_many(&fixture.tenant, &ids).await.unwrap()
        };
        let some = |board: &Board| Some((**board).clone());
        assert_eq!(read(&["full", "none", "a-1"]).await, [some(&second), None, some(&first)]);
        assert_eq!(read(&[]).await, []);
        let most: Vec<String> = (0..MAX_CONFIGURATIONS_READ).map(|n| format!("b{n}")).collect();
        let most: Vec<&str> = most.iter().map(String::as_str).collect();
        assert_eq!(read(&most).await, vec![None; MAX_CONFIGURATIONS_READ]);
        let other = fixture.store.get_many(&tenant("other"), &[id("a-1")]).await;
        assert_eq!(other.unwrap(), [None]);
    }

    async fn an_unchanged_configuration_keeps_its_version_and_makes_no_event(fixture) {
        let (version, _) = fixture.try_put(&full_configuration(), Expected::Any, false).await.unwrap();
        assert_eq!(fixture.try_put(&full_configuration(), Expected::Any, true).await, Ok((version, false)));
        assert_eq!(fixture.try_put(&full_configuration(), Expected::Version(version), false).await, Ok((version, false)));
        assert_eq!(fixture.read_events(&fixture.read_leaderboard(&full_configuration()).await).await.len(), 1);
        let (second, created) = fixture.try_put(&Leaderboard { keep_periods: 7, ..full_configuration() }, Expected::Any, false).await.unwrap();
        assert!(second > version && !created);
        assert_eq!(fixture.read_leaderboard(&full_configuration()).await.value.keep_periods, 7);
    }

    async fn a_repeated_put_orders_a_period_that_missed_the_change(fixture) {
        let before = fixture.put(&daily("l")).await;
        fixture.submit_score(&before, "a", 1).await;
        fixture.submit_score(&before, "b", 2).await;
        // This change takes another period for the current one, so it does not reorder the current period.
        let latest = Leaderboard { ties: Ties::Latest, ..daily("l") };
        let put_for_another_period = PutLeaderboard {
            max_leaderboards: None,
            tenant: &fixture.tenant,
            leaderboard: &latest,
            expected: Expected::Any,
            current: &PeriodId::all_time(),
            rebuild: false,
            verified: None,
            expiries: &[],
            at: fixture.now(),
        };
        let (version, _) = fixture.store.put(&put_for_another_period).await.unwrap().unwrap();
        let board = fixture.read_leaderboard(&latest).await;
        assert_eq!(fixture.refused_score(&board, "c", 3).await, RefusalReason::PeriodReordered);
        assert_eq!(fixture.try_put(&latest, Expected::Any, false).await, Err(PutRefusal::HasEntries));
        let (repaired, created) = fixture.try_put(&latest, Expected::Any, true).await.unwrap();
        assert!(repaired > version && !created);
        let board = fixture.read_leaderboard(&latest).await;
        fixture.submit_score(&board, "c", 3).await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "c", 3), ranked_line(2, "b", 2), ranked_line(3, "a", 1)]);
        assert_eq!(fixture.try_put(&latest, Expected::Any, true).await, Ok((repaired, false)));
    }

    async fn a_failed_condition_changes_nothing(fixture) {
        let none = PutRefusal::VersionMismatch { current: None };
        assert_eq!(fixture.try_put(&board("l"), Expected::Version(1), false).await, Err(none.clone()));
        assert_eq!(delete(&fixture, "l", Expected::Version(1)).await, Err(none));
        assert_eq!(delete(&fixture, "l", Expected::Any).await, Ok(false));
        let (version, _) = fixture.try_put(&board("l"), Expected::Absent, false).await.unwrap();
        let exists = PutRefusal::VersionMismatch { current: Some(version) };
        let other = Leaderboard { title: "Other".into(), ..board("l") };
        assert_eq!(fixture.try_put(&other, Expected::Absent, false).await, Err(exists.clone()));
        assert_eq!(fixture.try_put(&other, Expected::Version(version + 1), false).await, Err(exists.clone()));
        assert_eq!(delete(&fixture, "l", Expected::Version(version + 1)).await, Err(exists.clone()));
        assert_eq!(delete(&fixture, "l", Expected::Absent).await, Err(exists));
        assert_eq!(fixture.read_leaderboard(&board("l")).await.value.title, "");
        assert!(fixture.try_put(&other, Expected::Version(version), false).await.unwrap().0 > version);
    }

    async fn versions_grow_across_leaderboards_and_deletions(fixture) {
        let mut last = 0;
        for round in 0..3 {
            for name in ["a", "b"] {
                let titled = Leaderboard { title: format!("{round}"), ..board(name) };
                let (version, created) = fixture.try_put(&titled, Expected::Any, false).await.unwrap();
                assert!(version > last, "{name} {version} after {last}");
                assert!(created);
                last = version;
            }
            assert_eq!(delete(&fixture, "a", Expected::Any).await, Ok(true));
            assert_eq!(delete(&fixture, "b", Expected::Version(last)).await, Ok(true));
        }
    }

    async fn a_deletion_removes_entries_log_and_configuration(fixture) {
        let l = fixture.put(&board("l")).await;
        fixture.submit_score(&l, "a", 1).await;
        fixture.submit_score(&l, "b", 2).await;
        assert_eq!(delete(&fixture, "l", Expected::Version(l.version)).await, Ok(true));
        assert_eq!(fixture.find_leaderboard(&board("l")).await, None);
        assert_eq!(fixture.read_events(&l).await, []);
        let all = PeriodId::all_time();
        assert_eq!(fixture.page_of(&l, &all, &PageFrom::Top, 10).await, Err(ReadError::StaleConfiguration));
        assert_eq!(fixture.store.periods(&fixture.tenant, &id("l"), fixture.now()).await.unwrap(), []);
        let fresh = fixture.put(&board("l")).await;
        let page = fixture.page(&fresh, &PageFrom::Top, 10).await;
        assert_eq!((page.layout, page.version, page.count), (None, 0, 0));
        assert_eq!(fixture.read_events(&fresh).await.len(), 1);
        assert_eq!(fixture.submit_score(&fresh, "a", 1).await.version, 2);
    }

    async fn a_list_is_in_byte_order_and_continues_after_any_id(fixture) {
        assert_eq!(list_ids(&fixture, None, ALL).await, Vec::<String>::new());
        for name in ["b", "a-b", "a", "0", "a.b", "ab", "a_b", "9"] {
            fixture.put(&board(name)).await;
        }
        let other = tenant("acme2");
        put_leaderboard(&fixture.store, &other, &board("foreign"), Expected::Any, false, fixture.now()).await.unwrap();
        let all = ["0", "9", "a", "a-b", "a.b", "a_b", "ab", "b"];
        assert_eq!(list_ids(&fixture, None, ALL).await, all);
        assert_eq!(list_ids(&fixture, None, 3).await, all[..3]);
        assert_eq!(list_ids(&fixture, Some("a"), 2).await, all[3..5]);
        assert_eq!(list_ids(&fixture, Some("a0"), ALL).await, all[5..]);
        assert_eq!(list_ids(&fixture, Some("b"), ALL).await, Vec::<String>::new());
        let whole = fixture.store.list(&fixture.tenant, None, 1).await.unwrap().remove(0);
        assert_eq!(whole, *fixture.read_leaderboard(&board("0")).await);
    }

    async fn tenants_do_not_share_leaderboards(fixture) {
        let other = tenant("other");
        let mine = fixture.put(&board("l")).await;
        fixture.submit_score(&mine, "a", 1).await;
        assert_eq!(Leaderboards::get(&fixture.store, &other, &id("l")).await.unwrap(), None);
        assert_eq!(fixture.store.delete(&other, &id("l"), Expected::Any).await.unwrap(), Ok(false));
        put_leaderboard(&fixture.store, &other, &board("l"), Expected::Absent, false, fixture.now()).await.unwrap();
        assert_eq!(fixture.store.delete(&other, &id("l"), Expected::Any).await.unwrap(), Ok(true));
        assert_eq!(fixture.list_entries(&mine).await.len(), 1);
    }

    async fn a_second_connection_sees_a_new_leaderboard(fixture) {
        let second = fixture.backend.open().await;
        let (version, _) = fixture.try_put(&board("l"), Expected::Absent, false).await.unwrap();
        let refused = put_leaderboard(&second, &fixture.tenant, &board("l"), Expected::Absent, false, fixture.now()).await;
        assert_eq!(refused, Err(PutRefusal::VersionMismatch { current: Some(version) }));
    }
}
