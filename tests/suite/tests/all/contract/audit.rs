//! Tests of the audit log: records are appended, and are read from the newest to the oldest.

use leaderboard_core::TenantId;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, RecordedAudit};
use leaderboard_test_support::values::{at, tenant};
use leaderboard_test_support::{ALL, StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

fn record(tenant: Option<&TenantId>, ms: i64, body: &[u8]) -> AuditRecord {
    AuditRecord {
        tenant: tenant.cloned(),
        kind: AuditKind::Action,
        at: at(ms),
        body: body.into(),
    }
}

async fn append<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    tenant: Option<&TenantId>,
    ms: i64,
    body: &[u8],
) -> u64 {
    fixture
        .store
        .append_audit(&record(tenant, ms, body))
        .await
        .unwrap()
}

async fn read<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    tenant: Option<&TenantId>,
    before: Option<u64>,
    limit: u32,
) -> Vec<RecordedAudit> {
    fixture.store.read_audit(tenant, before, limit).await.unwrap()
}

/// Returns the positions of a page of the tenant's log.
async fn read_positions<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    before: Option<u64>,
    limit: u32,
) -> Vec<u64> {
    let records = read(fixture, Some(&fixture.tenant), before, limit).await;
    records.iter().map(|record| record.position).collect()
}

on_both_stores! {
    async fn an_appended_record_is_read_unchanged(fixture) {
        let own = Some(&fixture.tenant);
        assert_eq!(read(&fixture, own, None, ALL).await, []);
        let every_byte: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let bodies = [&b"{\"what\":\"put \\u00e9\"}"[..], b"", &[0, 0xff, b'\r', b'\n', b' '], &every_byte];
        for (position, body) in (1_u64..).zip(bodies) {
            // The times go backwards, as with two regions whose clocks differ. The log keeps the order of the
            // appends.
            assert_eq!(append(&fixture, own, 10 - position.cast_signed(), body).await, position);
        }
        let expected: Vec<_> = (1_u64..).zip(bodies).map(|(position, body)| RecordedAudit {
            position,
            at: at(10 - position.cast_signed()),
            body: body.into(),
        }).collect();
        let read: Vec<_> = read(&fixture, own, None, ALL).await.into_iter().rev().collect();
        assert_eq!(read, expected);
    }

    async fn the_audit_log_is_read_backwards_in_pages(fixture) {
        for n in 1..=25 {
            assert_eq!(append(&fixture, Some(&fixture.tenant), 0, b"x").await, n);
        }
        assert_eq!(read_positions(&fixture, None, 3).await, [25, 24, 23]);
        assert_eq!(read_positions(&fixture, Some(23), 3).await, [22, 21, 20]);
        assert_eq!(read_positions(&fixture, Some(3), 10).await, [2, 1]);
        for (before, limit) in [(Some(1), 10), (Some(0), 10), (None, 0)] {
            assert_eq!(read_positions(&fixture, before, limit).await, Vec::<u64>::new());
        }
        assert_eq!(read_positions(&fixture, Some(26), 1).await, [25]);
        assert_eq!(read_positions(&fixture, Some(u64::MAX), 1).await, [25]);
        assert_eq!(read_positions(&fixture, None, ALL).await, (1..=25).rev().collect::<Vec<_>>());
    }

    async fn audit_events_of_all_kinds_are_in_one_log(fixture) {
        let kinds = [AuditKind::Authentication, AuditKind::Action, AuditKind::Action, AuditKind::Authentication, AuditKind::Authentication, AuditKind::Action];
        for (position, kind) in (1..).zip(kinds) {
            let record = AuditRecord { kind, ..record(None, 0, format!("{position} {kind:?}").as_bytes()) };
            assert_eq!(fixture.store.append_audit(&record).await, Ok(position));
        }
        let bodies = async |before, limit| {
            let found = read(&fixture, None, before, limit).await;
            found.into_iter().map(|record| String::from_utf8(record.body).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(bodies(None, 4).await, ["6 Action", "5 Authentication", "4 Authentication", "3 Action"]);
        assert_eq!(bodies(Some(3), 4).await, ["2 Action", "1 Authentication"]);
    }

    async fn every_tenant_and_the_operator_have_a_log_of_their_own(fixture) {
        let other = tenant("acme2");
        assert_eq!(append(&fixture, Some(&fixture.tenant), 0, b"mine").await, 1);
        assert_eq!(append(&fixture, None, 0, b"operator's").await, 1);
        assert_eq!(append(&fixture, Some(&other), 0, b"other's").await, 1);
        assert_eq!(append(&fixture, None, 0, b"again").await, 2);
        for (scope, bodies) in [
            (Some(&fixture.tenant), &[&b"mine"[..]][..]),
            (Some(&other), &[b"other's"]),
            (None, &[b"again", b"operator's"]),
        ] {
            let found: Vec<_> = read(&fixture, scope, None, ALL).await.into_iter().map(|record| record.body).collect();
            assert_eq!(found, bodies);
        }
    }

    async fn two_connections_append_to_one_log(fixture) {
        let second = fixture.backend.open().await;
        append(&fixture, None, 0, b"first").await;
        assert_eq!(second.append_audit(&record(None, 0, b"second")).await, Ok(2));
        assert_eq!(read(&fixture, None, None, 1).await[0].body, b"second");
    }
}
