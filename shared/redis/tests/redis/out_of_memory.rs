//! Tests of a server that is out of memory (`noeviction`): it refuses writes that add data, and runs writes
//! that delete data.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Ban, Bans, DeadLetter, DeadLetters, DocumentKind, DocumentName,
    Documents, Expected, Leaderboards, PageFrom, RateLimits, Scores,
};
use leaderboard_core::{Leaderboard, PeriodId, StoreError, Versioned};
use leaderboard_redis::RedisStore;

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    NOW_MS, at, board_id, charge_request, hourly_charge, make_period_ref, player, prepare, put,
    simple_leaderboard, submit_options, tenant,
};

/// Checks that writes that add data are refused.
async fn assert_writes_are_refused(store: &RedisStore<NativeRedis>, board: &Rc<Versioned<Leaderboard>>) {
    let submissions = [prepare(board, "s", 1, NOW_MS)];
    let submitted = store
        .submit_with_options(&tenant(), &submissions, &submit_options())
        .await;
    assert!(
        matches!(submitted, Err(StoreError::OutOfMemory(_))),
        "{submitted:?}"
    );
    let taken = store
        .take(&tenant(), &charge_request(vec![hourly_charge("k", 5, 1)]))
        .await;
    assert!(matches!(taken, Err(StoreError::OutOfMemory(_))), "{taken:?}");
    let record = AuditRecord {
        tenant: Some(tenant()),
        kind: AuditKind::Action,
        at: at(NOW_MS),
        body: b"{}".to_vec(),
    };
    let appended = store.append_audit(&record).await;
    assert!(
        matches!(appended, Err(StoreError::OutOfMemory(_))),
        "{appended:?}"
    );
}

#[tokio::test]
async fn without_memory_deletions_and_bans_work_and_other_writes_fail() {
    let server = Server::start().await;
    let store = server.store().await;
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let boards = [
        put(&store, &simple_leaderboard("a")).await,
        put(&store, &simple_leaderboard("b")).await,
    ];
    for board in &boards {
        for name in ["p", "q", "r"] {
            let submissions = [prepare(board, name, 1, NOW_MS)];
            store
                .submit_with_options(&tenant, &submissions, &submit_options())
                .await
                .unwrap();
        }
    }
    // Creates the entry counts, which the deletions then reduce.
    store.usage(&tenant, 0).await.unwrap();
    server.run_command("CONFIG SET maxmemory-policy noeviction").await;
    server.run_command("CONFIG SET maxmemory 1").await;
    let full = server.digest().await;

    assert_writes_are_refused(&store, &boards[0]).await;
    assert_eq!(server.digest().await, full);

    let period_ref = make_period_ref(&tenant, &boards[0], &all);
    let ban = Ban::new(player("p"), at(NOW_MS));
    store.ban(&tenant, &ban).await.unwrap().unwrap();
    assert_eq!(
        store.remove(&period_ref, &player("q"), at(NOW_MS)).await,
        Ok(Some(6))
    );
    let page = store
        .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
        .await
        .unwrap();
    let shown: Vec<_> = page
        .entries
        .iter()
        .map(|ranked| ranked.entry.player.as_str())
        .collect();
    assert_eq!(shown, ["r"]);
    store.unban(&tenant, &player("p"), at(NOW_MS)).await.unwrap();
    let found = store
        .entries_by_player(&period_ref, &[player("p")], &Caller::Anonymous)
        .await
        .unwrap();
    assert_eq!(found.entries.len(), 1);
    for name in ["a", "b"] {
        let deleted = store.delete(&tenant, &board_id(name), Expected::Any).await;
        assert_eq!(deleted, Ok(Ok(true)));
    }
    assert_eq!(server.run_command("KEYS eb:acme:b:*").await, []);
    assert_eq!(store.usage(&tenant, 0).await.unwrap().1.entries, 0);

    server.run_command("CONFIG SET maxmemory 0").await;
    let board = put(&store, &simple_leaderboard("a")).await;
    let submissions = [prepare(&board, "s", 1, NOW_MS)];
    let submitted = store
        .submit_with_options(&tenant, &submissions, &submit_options())
        .await
        .unwrap();
    assert!(submitted.answers[0].is_ok());
}

#[tokio::test]
async fn without_memory_documents_can_shrink_but_not_grow() {
    let server = Server::start().await;
    let store = server.store().await;
    let name = |id: &str| DocumentName {
        tenant: Some(tenant()),
        kind: DocumentKind::Key,
        id: id.into(),
    };
    let (one, other) = (name("one"), name("other"));
    for name in [&one, &other] {
        let made = store
            .put_document(name, b"as long as this", Expected::Absent)
            .await;
        assert!(made.unwrap().unwrap().1);
    }
    server.run_command("CONFIG SET maxmemory-policy noeviction").await;
    server.run_command("CONFIG SET maxmemory 1").await;
    let full = server.digest().await;
    for (name, body) in [(&one, "longer than it was"), (&name("third"), "")] {
        let refused = store.put_document(name, body.as_bytes(), Expected::Any).await;
        assert!(matches!(refused, Err(StoreError::OutOfMemory(_))), "{refused:?}");
    }
    let stale = store.put_document(&one, b"short", Expected::Absent).await;
    assert!(stale.unwrap().is_err());
    assert_eq!(server.digest().await, full);

    for body in ["as long as THIS", "short"] {
        let put = store.put_document(&one, body.as_bytes(), Expected::Any).await;
        let (version, created) = put.unwrap().unwrap();
        let stored = store.read_documents(std::slice::from_ref(&one)).await.unwrap();
        let stored = stored.into_iter().next().flatten().unwrap();
        assert_eq!(
            (stored.value.as_slice(), stored.version, created),
            (body.as_bytes(), version, false)
        );
    }
    for name in [&one, &other] {
        let deleted = store.delete_document(name, Expected::Any).await;
        assert_eq!(deleted, Ok(Ok(true)));
    }
    assert_eq!(store.read_documents(&[one, other]).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn without_memory_dead_letters_are_deleted_but_not_added() {
    let server = Server::start().await;
    let store = server.store().await;
    let letter = |payload: &str| DeadLetter {
        at: at(NOW_MS),
        reason: "nobody can read it".into(),
        payload: payload.into(),
    };
    let tenant = tenant();
    store
        .push_dead_letters(Some(&tenant), &[letter("a")])
        .await
        .unwrap();
    server.run_command("CONFIG SET maxmemory-policy noeviction").await;
    server.run_command("CONFIG SET maxmemory 1").await;
    let pushed = store.push_dead_letters(Some(&tenant), &[letter("b")]).await;
    assert!(matches!(pushed, Err(StoreError::OutOfMemory(_))), "{pushed:?}");
    let letters = store.list_dead_letters(Some(&tenant), None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(store.delete_dead_letter(letters[0].id).await, Ok(true));
    assert_eq!(store.delete_dead_letter(letters[0].id).await, Ok(false));
    assert_eq!(store.list_dead_letters(None, None, 10).await, Ok(Vec::new()));
}
