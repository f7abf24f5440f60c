//! Tests that the store gives no version of configurations and documents twice.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Expected, PageFrom, RankDetail, ReadError, Scores,
};
use leaderboard_core::{PeriodId, RefusalReason};

use crate::server::Server;
use crate::world::{NOW_MS, make_period_ref, prepare, put, simple_leaderboard, tenant};

#[tokio::test]
async fn no_version_is_reused_after_a_restored_backup_or_a_lost_counter() {
    let server = Server::start().await;
    let store = server.store().await;
    let titled = |title: &str| {
        let mut titled = simple_leaderboard("a");
        titled.title = title.into();
        titled
    };
    let key = DocumentName {
        tenant: Some(tenant()),
        kind: DocumentKind::Limits,
        id: "default".into(),
    };
    let put_document = async |body: &[u8]| {
        let kept = store.put_document(&key, body, Expected::Any).await.unwrap();
        kept.unwrap().0
    };
    put(&store, &titled("first")).await;
    put_document(b"first").await;
    let backup = server.digest().await;
    let lost = put(&store, &titled("lost")).await;
    let lost_document = put_document(b"lost").await;
    // Every JSON parser reads integers below 2^53 exactly.
    assert!(lost.version < 1 << 53 && lost_document < 1 << 53);
    for forgotten in [false, true] {
        server.restore(&backup).await;
        if forgotten {
            server.run_command("DEL eb:acme:version eb:acme:documents").await;
        }
        let kept = put(&store, &titled("kept")).await;
        assert_ne!(kept.version, lost.version);
        assert_ne!(put_document(b"kept").await, lost_document);
        // An instance with the lost configuration gets a refusal.
        let submissions = [prepare(&lost, "p", 1, NOW_MS)];
        let answers = store
            .submit(&tenant(), &submissions, RankDetail::Full)
            .await
            .unwrap();
        let refusal = answers[0].as_ref().unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::StaleConfiguration);
        let page = store
            .page(
                &make_period_ref(&tenant(), &lost, &PeriodId::all_time()),
                &PageFrom::Top,
                5,
                &Caller::Anonymous,
            )
            .await;
        assert_eq!(page, Err(ReadError::StaleConfiguration));
    }
}

#[tokio::test]
async fn versions_grow_even_if_the_clock_is_behind_the_last_version() {
    let server = Server::start().await;
    let store = server.store().await;
    let ahead = 1_u64 << 52;
    server.run_command(&format!("SET eb:acme:version {ahead}")).await;
    assert_eq!(put(&store, &simple_leaderboard("a")).await.version, ahead + 1);
    assert_eq!(put(&store, &simple_leaderboard("b")).await.version, ahead + 2);
}
