//! Tests of configurations: versions and deletion.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected, Leaderboards};
use leaderboard_core::{RefusalReason, Ties};

use crate::support::*;

#[test]
fn no_version_is_reused_after_a_backup_is_restored() {
    block_on(async {
        let (file, restored) = (File::new(), File::new());
        let store = file.store();
        let key = DocumentName {
            tenant: Some(tenant()),
            kind: DocumentKind::Limits,
            id: "default".into(),
        };
        create_leaderboard(&store, &board("a")).await;
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
        let lost = create_leaderboard(&store, &titled("lost")).await;
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
        // The store refuses a submission of an instance that still has the lost configuration.
        let boards = [Rc::clone(&lost)];
        let answers = submit(&store, &[prepare(&boards, "ann", 1, None, at(0))]).await;
        let refusal = answers[0].as_ref().unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::StaleConfiguration);
    });
}

#[test]
fn a_deleted_leaderboard_leaves_no_rows_and_can_be_created_again() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut dense = board("goals");
        dense.ties = Ties::Dense;
        let board = create_leaderboard(&store, &dense).await;
        let boards = [Rc::clone(&board)];
        let submissions: Vec<_> = (0..1500)
            .map(|n| prepare(&boards, &format!("p{n}"), n, Some(&n.to_string()), at(0)))
            .collect();
        submit(&store, &submissions).await;
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
        let board = create_leaderboard(&store, &dense).await;
        let outcome = submit_score(&store, &board, "p1", 3, 0).await;
        assert_eq!((outcome.version, outcome.previous), (2, None));
    });
}
