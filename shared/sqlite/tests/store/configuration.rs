//! Configurations: versions, order changes, deletion.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Events, Expected, Leaderboards, PeriodRef, PutRefusal, ReadError,
    Scores,
};
use leaderboard_core::{Column, Columns, Order, PeriodId, RefusalReason, StoreError, SubmittedValues, Ties};

use crate::support::*;

fn columns(names: &[(&str, Order)]) -> Columns {
    Columns::new(
        names
            .iter()
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

#[test]
fn versions_grow_over_the_whole_tenant_and_across_a_deletion() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut a = board("a");
        let (first, created) = put(&store, &a, false, at(0)).await.unwrap();
        assert!(created);
        let (b, created) = put(&store, &board("b"), false, at(0)).await.unwrap();
        assert!(created && b > first);
        assert_eq!(put(&store, &a, false, at(0)).await, Ok((first, false)));
        a.title = "other".into();
        let (second, created) = put(&store, &a, false, at(0)).await.unwrap();
        assert!(!created && second > b);
        let events = store.read(&tenant(), &a.id, 0, 10).await.unwrap();
        assert_eq!(events.len(), 2);
        let wrong = store
            .delete(&tenant(), &a.id, Expected::Version(first))
            .await
            .unwrap();
        let current = Some(second);
        assert_eq!(wrong, Err(PutRefusal::VersionMismatch { current }));
        assert_eq!(
            store.delete(&tenant(), &a.id, Expected::Version(second)).await,
            Ok(Ok(true))
        );
        assert_eq!(store.delete(&tenant(), &a.id, Expected::Any).await, Ok(Ok(false)));
        let (third, created) = put(&store, &a, false, at(0)).await.unwrap();
        assert!(created && third > second);
        let listed = store.list(&tenant(), None, 10).await.unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|found| (found.value.id.as_str(), found.version))
            .collect();
        assert_eq!(listed, [("a", third), ("b", b)]);
        let after = store.list(&tenant(), Some(&a.id), 10).await.unwrap();
        assert_eq!(after.len(), 1);
    });
}

#[test]
fn a_version_is_not_given_again_after_a_backup_is_restored() {
    block_on(async {
        let (file, restored) = (File::new(), File::new());
        let store = file.store();
        let key = DocumentName {
            tenant: Some(tenant()),
            kind: DocumentKind::Limits,
            id: "default".into(),
        };
        configured(&store, &board("a")).await;
        store
            .put_document(&key, b"first", Expected::Any)
            .await
            .unwrap()
            .unwrap();
        let backup = restored.path();
        file.raw()
            .execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
            .unwrap();
        let titled = |title: &str| {
            let mut titled = board("a");
            titled.title = title.into();
            titled
        };
        let lost = configured(&store, &titled("lost")).await;
        let (lost_document, _) = store
            .put_document(&key, b"lost", Expected::Any)
            .await
            .unwrap()
            .unwrap();
        let store = restored.store();
        let (version, _) = put(&store, &titled("kept"), false, at(0)).await.unwrap();
        let kept_document = store.put_document(&key, b"kept", Expected::Any).await.unwrap();
        assert_ne!(version, lost.version);
        assert_ne!(kept_document.unwrap().0, lost_document);
        // An instance that still has the lost configuration is told so.
        let boards = [Rc::clone(&lost)];
        let answers = submit(&store, &[attempt(&boards, "ann", 1, None, at(0))]).await;
        let refusal = answers[0].as_ref().unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::StaleConfiguration);
    });
}

#[test]
fn a_deleted_leaderboard_leaves_no_row_and_starts_anew() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut dense = board("goals");
        dense.ties = Ties::Dense;
        let board = configured(&store, &dense).await;
        let boards = [Rc::clone(&board)];
        let attempts: Vec<_> = (0..1500)
            .map(|n| attempt(&boards, &format!("p{n}"), n, Some(&n.to_string()), at(0)))
            .collect();
        submit(&store, &attempts).await;
        assert_eq!(
            store.delete(&tenant(), &board.value.id, Expected::Any).await,
            Ok(Ok(true))
        );
        while store.sweep(&tenant()).await.unwrap() {}
        for table in [
            "entries",
            "tuples",
            "events",
            "submissions",
            "periods",
            "leaderboards",
            "discarded",
        ] {
            let rows: i64 = file
                .raw()
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 0, "{table}");
        }
        let board = configured(&store, &dense).await;
        let outcome = score(&store, &board, "p1", 3, 0).await;
        assert_eq!((outcome.version, outcome.previous), (2, None));
    });
}

#[test]
fn another_order_needs_a_rebuild_while_there_are_entries() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut goals = board("goals");
        goals.columns = columns(&[("score", Order::Descending), ("time", Order::Ascending)]);
        let first = configured(&store, &goals).await;
        for (name, points, time) in [("ann", 5, 30), ("bob", 5, 20), ("cid", 7, 90)] {
            let mut submission = submission(&[Rc::clone(&first)], name, 0, None);
            submission.values = SubmittedValues::Named(vec![("score".into(), points), ("time".into(), time)]);
            let resolved = submission.resolve(&[Rc::clone(&first)], at(0)).unwrap();
            submit(&store, &[resolved]).await.remove(0).unwrap();
        }
        assert_eq!(
            lines(&top(&store, &first, 9).await),
            [line(1, "cid", 7), line(2, "bob", 5), line(3, "ann", 5)]
        );

        goals.columns = columns(&[("time", Order::Ascending), ("bonus", Order::Descending)]);
        goals.ties = Ties::Dense;
        assert_eq!(
            put(&store, &goals, false, at(9)).await,
            Err(PutRefusal::HasEntries)
        );
        assert_eq!(get(&store, &goals.id).await.version, first.version);
        put(&store, &goals, true, at(9)).await.unwrap();
        let second = get(&store, &goals.id).await;
        let page = top(&store, &second, 9).await;
        assert_eq!(
            lines(&page),
            [line(1, "bob", 20), line(2, "ann", 30), line(3, "cid", 90)]
        );
        assert_eq!(
            (page.version, page.count, page.layout),
            (5, 3, Some(goals.layout()))
        );
        assert_eq!(page.entries[0].entry.values.as_slice(), [20, 0]);
    });
}

#[test]
fn a_period_without_entries_takes_the_new_order() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut goals = board("goals");
        let first = configured(&store, &goals).await;
        score(&store, &first, "ann", 5, 0).await;
        let (tenant, period) = (tenant(), PeriodId::all_time());
        let place = PeriodRef {
            tenant: &tenant,
            board: &first,
            period: &period,
            now: at(0),
        };
        assert_eq!(store.remove(&place, &player("ann"), at(1)).await, Ok(Some(3)));
        assert_eq!(store.remove(&place, &player("ann"), at(1)).await, Ok(None));
        goals.ties = Ties::Dense;
        put(&store, &goals, false, at(2)).await.unwrap();
        let second = get(&store, &goals.id).await;
        let outcome = score(&store, &second, "ann", 5, 3).await;
        assert_eq!((outcome.rank, outcome.version), (Some(1), 5));
        assert_eq!(
            store.remove(&place, &player("ann"), at(4)).await,
            Err(ReadError::StaleConfiguration)
        );
    });
}

#[test]
fn a_period_in_another_order_takes_no_late_scores() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut daily = crate::support::daily("daily", 10);
        let first = configured(&store, &daily).await;
        score(&store, &first, "ann", 5, 0).await;
        daily.ties = Ties::Shared;
        put(&store, &daily, false, at(DAY_MS)).await.unwrap();
        let second = get(&store, &daily.id).await;
        let mut late = submission(&[Rc::clone(&second)], "ann", 9, None);
        late.occurred_at = Some(at(10));
        let late = late.resolve(&[Rc::clone(&second)], at(DAY_MS)).unwrap();
        let results = submit(&store, &[late]).await;
        assert_eq!(
            results[0].clone().unwrap_err().reason,
            RefusalReason::PeriodReordered
        );
        let today = score(&store, &second, "ann", 1, DAY_MS).await;
        assert_eq!(today.rank, Some(1));
    });
}

#[test]
fn a_leaderboard_that_is_not_there() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let ghost = Rc::new(leaderboard_core::Versioned {
            version: 1,
            value: board("ghost"),
        });
        assert_eq!(
            Leaderboards::get(&store, &tenant(), &ghost.value.id).await,
            Ok(None)
        );
        assert_eq!(
            store.read(&tenant(), &ghost.value.id, 0, 10).await,
            Ok(Vec::new())
        );
        let results = submit(&store, &[attempt(&[Rc::clone(&ghost)], "ann", 5, None, at(0))]).await;
        assert_eq!(
            results[0].clone().unwrap_err().reason,
            RefusalReason::StaleConfiguration
        );
        let nothing: Result<_, StoreError> = store.periods(&tenant(), &ghost.value.id, at(0)).await;
        assert_eq!(nothing, Ok(Vec::new()));
    });
}
