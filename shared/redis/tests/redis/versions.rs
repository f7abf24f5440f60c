//! Versions of configurations and documents: expected versions, and that a version is never given twice.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Expected, PageFrom, RankDetail, ReadError, Scores,
};
use leaderboard_core::{PeriodId, RefusalReason};

use crate::server::Server;
use crate::world::{NOW_MS, attempt, place, put, simple, tenant};

#[tokio::test]
async fn a_version_is_not_given_again_after_a_backup_is_restored_or_the_counter_is_lost() {
    let server = Server::start().await;
    let store = server.store().await;
    let titled = |title: &str| {
        let mut titled = simple("a");
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
    // JSON holds them.
    assert!(lost.version < 1 << 53 && lost_document < 1 << 53);
    for forgotten in [false, true] {
        server.restore(&backup).await;
        if forgotten {
            server.ask("DEL eb:acme:version eb:acme:documents").await;
        }
        let kept = put(&store, &titled("kept")).await;
        assert_ne!(kept.version, lost.version);
        assert_ne!(put_document(b"kept").await, lost_document);
        // An instance with the lost configuration gets a refusal.
        let attempts = [attempt(&lost, "p", 1, NOW_MS)];
        let answers = store
            .submit(&tenant(), &attempts, RankDetail::Full)
            .await
            .unwrap();
        let refusal = answers[0].as_ref().unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::StaleConfiguration);
        let page = store
            .page(
                &place(&tenant(), &lost, &PeriodId::all_time()),
                &PageFrom::Top,
                5,
                &Caller::Anonymous,
            )
            .await;
        assert_eq!(page, Err(ReadError::StaleConfiguration));
    }
}

#[tokio::test]
async fn versions_grow_although_the_clock_stands_behind_the_last_one() {
    let server = Server::start().await;
    let store = server.store().await;
    let ahead = 1_u64 << 52;
    server.ask(&format!("SET eb:acme:version {ahead}")).await;
    assert_eq!(put(&store, &simple("a")).await.version, ahead + 1);
    assert_eq!(put(&store, &simple("b")).await.version, ahead + 2);
}
