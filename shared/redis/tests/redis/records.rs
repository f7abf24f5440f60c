//! Documents, counters and the audit log: the store and the core's model must agree.

use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Counters, DocumentKind, DocumentName, Documents, Expected,
    RecordedAudit,
};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_model::Model;
use leaderboard_redis::{RedisStore, Reply};

use crate::dice::Dice;
use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{NOW_MS, at, tenant};

const IDS: [&str; 6] = ["a", "A", "a.b", "~", "ab", "!"];
const BODIES: [&[u8]; 4] = [b"", b"{}", b"\0\xff", b"a longer body"];
const STEPS: usize = 400;

fn scopes() -> [Option<TenantId>; 3] {
    let other = TenantId::new("documents").unwrap();
    [None, Some(tenant()), Some(other)]
}

fn some_name(dice: &mut Dice) -> DocumentName {
    DocumentName {
        tenant: scopes()[dice.roll(3)].clone(),
        kind: dice.pick(&DocumentKind::ALL[..2]),
        id: dice.pick(&IDS).into(),
    }
}

async fn change(dice: &mut Dice, store: &RedisStore<NativeRedis>, model: &Model) {
    let name = some_name(dice);
    let there = model.read_documents(std::slice::from_ref(&name)).await.unwrap();
    let version = there[0].as_ref().map_or(1, |document| document.version);
    let expected = dice.pick(&[
        Expected::Any,
        Expected::Absent,
        Expected::Version(version),
        Expected::Version(version + 1),
    ]);
    if dice.chance(3) {
        let actual = store.delete_document(&name, expected).await;
        assert_eq!(
            actual,
            model.delete_document(&name, expected).await,
            "{name:?} {expected:?}"
        );
    } else {
        let body = dice.pick(&BODIES);
        let actual = store.put_document(&name, body, expected).await;
        assert_eq!(
            actual,
            model.put_document(&name, body, expected).await,
            "{name:?} {expected:?}"
        );
    }
}

#[tokio::test]
async fn documents_are_those_of_the_model() {
    let server = Server::start().await;
    let (store, model) = (server.store().await, Model::new());
    server.count_versions(&model).await;
    let mut dice = Dice(11);
    for _ in 0..STEPS {
        change(&mut dice, &store, &model).await;
        let names: Vec<_> = (0..dice.roll(5)).map(|_| some_name(&mut dice)).collect();
        assert_eq!(
            store.read_documents(&names).await,
            model.read_documents(&names).await
        );
        let name = some_name(&mut dice);
        let (scope, kind) = (name.tenant.as_ref(), name.kind);
        let after = dice.chance(2).then_some(&*name.id);
        let limit = u32::try_from(dice.roll(8)).unwrap();
        let actual = store.list_documents(scope, kind, after, limit).await;
        assert_eq!(
            actual,
            model.list_documents(scope, kind, after, limit).await,
            "{after:?} {limit}"
        );
    }
}

#[tokio::test]
async fn documents_that_nobody_here_wrote_are_errors() {
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
        server.ask(command).await;
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
    server.ask("HDEL eb::d:key k").await;
    let listed = store.list_documents(None, DocumentKind::Key, None, 5).await;
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
    server.ask("HSET eb::d:key k short").await;
    assert_eq!(server.digest().await, dump);
}

#[tokio::test]
async fn counters_add_up_in_byte_order() {
    let server = Server::start().await;
    let (store, model) = (server.store().await, Model::new());
    let series = |name: &str, count| (Box::from(name), count);
    for counts in [
        vec![],
        vec![series("b{x=\"ü\"}", 2), series("a", 1), series("b{x=\"ü\"}", 3)],
        vec![series("Z", 1 << 60), series("a", 0), series("a", 7)],
    ] {
        store.add(&counts).await.unwrap();
        model.add(&counts).await.unwrap();
        assert_eq!(store.counters().await, model.counters().await);
    }
    assert_eq!(store.counters().await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_audit_log_is_read_backwards() {
    let server = Server::start().await;
    let (store, model) = (server.store().await, Model::new());
    for number in 0..6 {
        for tenant in scopes().into_iter().take(1 + number % 3) {
            let record = AuditRecord {
                tenant,
                kind: AuditKind::ALL[number / 2 % 2],
                at: at(NOW_MS + i64::try_from(number).unwrap()),
                body: BODIES[number % 4].to_vec(),
            };
            let actual = store.append_audit(&record).await;
            assert_eq!(actual, model.append_audit(&record).await);
        }
    }
    for scope in scopes() {
        for before in [None, Some(0), Some(1), Some(2), Some(4), Some(7), Some(u64::MAX)] {
            for limit in [0, 1, 2, 100] {
                let actual = store.read_audit(scope.as_ref(), before, limit).await;
                let told = model.read_audit(scope.as_ref(), before, limit).await;
                assert_eq!(actual, told, "{scope:?} {before:?} {limit}");
            }
        }
    }
    // The oldest records are deleted, and positions continue. The operator's first two and last two records are acts.
    server.ask("XTRIM eb::notices MAXLEN 0").await;
    let kept = store.read_audit(None, None, 10).await.unwrap();
    let position = |record: &RecordedAudit| record.position;
    assert_eq!(kept.iter().map(position).collect::<Vec<_>>(), [6, 5, 2, 1]);
    server.ask("XADD eb::audit 0-* t never b x").await;
    assert!(store.read_audit(None, None, 10).await.is_err());
}

#[tokio::test]
async fn the_audit_log_has_an_end() {
    let server = Server::start().await;
    let store = server.store().await;
    let most = leaderboard_core::ports::MAX_AUDIT_ACTS;
    // One command adds as many records as the log keeps, and a few stream nodes more.
    let source =
        format!("for _ = 1, {most} + 1000 do redis.call('XADD', KEYS[1], '0-*', 't', '0', 'b', 'x') end");
    let connection = server.connection().await;
    let arguments: [&[u8]; 3] = [source.as_bytes(), b"1", b"eb:acme:audit"];
    leaderboard_redis::Connection::command(&connection, "EVAL", &arguments)
        .await
        .unwrap();
    let record = AuditRecord {
        tenant: Some(tenant()),
        kind: AuditKind::Act,
        at: at(NOW_MS),
        body: b"new".to_vec(),
    };
    assert_eq!(store.append_audit(&record).await, Ok(most + 1001));
    let [Reply::Integer(length)] = server.ask("XLEN eb:acme:audit").await[..] else {
        panic!("no length")
    };
    let length = u64::try_from(length).unwrap();
    assert!((most..most + 500).contains(&length), "{length}");
    let notice = AuditRecord {
        kind: AuditKind::Notice,
        ..record
    };
    assert_eq!(store.append_audit(&notice).await, Ok(most + 1002));
    let kept = server.ask("XLEN eb:acme:audit").await;
    assert!(matches!(kept[..], [Reply::Integer(now)] if now.cast_unsigned() == length));
}
