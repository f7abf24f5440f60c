//! Tests of damaged documents, and of the audit log.

use leaderboard_core::StoreError;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, DocumentKind, DocumentName, Documents, Expected,
};
use leaderboard_redis::Reply;

use crate::server::Server;
use crate::world::{NOW_MS, at, tenant};

#[tokio::test]
async fn damaged_documents_are_errors() {
    let server = Server::start().await;
    let store = server.store().await;
    let name = |kind, id: &str| DocumentName {
        tenant: None,
        kind,
        id: id.into(),
    };
    store
        .put_document(&name(DocumentKind::Key, "k"), b"x", Expected::Any)
        .await
        .unwrap()
        .unwrap();
    for command in [
        "HSET eb::d:key k short",
        "SET eb::d:issuer x",
        "SET eb::d:flags:ids x",
        "SET eb::documents many",
    ] {
        server.run_command(command).await;
    }
    let dump = server.digest().await;
    for (kind, id) in [
        (DocumentKind::Key, "k"),
        (DocumentKind::Issuer, "k"),
        (DocumentKind::Flags, "k"),
        (DocumentKind::Limits, "k"),
    ] {
        let actual = store.put_document(&name(kind, id), b"y", Expected::Any).await;
        assert!(actual.is_err(), "{kind:?}: {actual:?}");
    }
    let read = store.read_documents(&[name(DocumentKind::Key, "k")]).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let listed = store.list_documents(None, DocumentKind::Key, None, 5).await;
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
    server.run_command("HDEL eb::d:key k").await;
    let listed = store.list_documents(None, DocumentKind::Key, None, 5).await;
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
    server.run_command("HSET eb::d:key k short").await;
    assert_eq!(server.digest().await, dump);
}

#[tokio::test]
async fn the_audit_log_continues_after_a_trim_and_reports_damage() {
    let server = Server::start().await;
    let store = server.store().await;
    for kind in [AuditKind::Action, AuditKind::Authentication, AuditKind::Action] {
        let record = AuditRecord {
            tenant: None,
            kind,
            at: at(NOW_MS),
            body: b"{}".to_vec(),
        };
        store.append_audit(&record).await.unwrap();
    }
    server.run_command("XTRIM eb::notices MAXLEN 0").await;
    let kept = store.read_audit(None, None, 10).await.unwrap();
    let positions: Vec<u64> = kept.iter().map(|record| record.position).collect();
    assert_eq!(positions, [3, 1]);
    server.run_command("XADD eb::audit 0-* t never b x").await;
    let damaged = store.read_audit(None, None, 10).await;
    assert!(matches!(damaged, Err(StoreError::Corrupt(_))), "{damaged:?}");
}

#[tokio::test]
async fn the_audit_log_has_a_maximum_length() {
    let server = Server::start().await;
    let store = server.store().await;
    let most = leaderboard_core::ports::MAX_AUDIT_ACTIONS;
    // One command adds 1000 records more than the log keeps, which fill a few nodes of the stream.
    let source =
        format!("for _ = 1, {most} + 1000 do redis.call('XADD', KEYS[1], '0-*', 't', '0', 'b', 'x') end");
    let connection = server.connection().await;
    let arguments: [&[u8]; 3] = [source.as_bytes(), b"1", b"eb:acme:audit"];
    leaderboard_redis::Connection::command(&connection, "EVAL", &arguments)
        .await
        .unwrap();
    let record = AuditRecord {
        tenant: Some(tenant()),
        kind: AuditKind::Action,
        at: at(NOW_MS),
        body: b"new".to_vec(),
    };
    assert_eq!(store.append_audit(&record).await, Ok(most + 1001));
    let [Reply::Integer(length)] = server.run_command("XLEN eb:acme:audit").await[..] else {
        panic!("no length")
    };
    let length = u64::try_from(length).unwrap();
    assert!((most..most + 500).contains(&length), "{length}");
    let authentication = AuditRecord {
        kind: AuditKind::Authentication,
        ..record
    };
    assert_eq!(store.append_audit(&authentication).await, Ok(most + 1002));
    let kept = server.run_command("XLEN eb:acme:audit").await;
    assert!(matches!(kept[..], [Reply::Integer(now)] if now.cast_unsigned() == length));
}
