//! Tests of documents: versions, conditions and lists.

use leaderboard_core::ports::{
    DocumentKind, DocumentName, Documents, Expected, MAX_DOCUMENT_ID_BYTES, VersionMismatch,
};
use leaderboard_core::{TenantId, Versioned};
use leaderboard_test_support::values::tenant;
use leaderboard_test_support::{ALL, StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

fn document_name(tenant: Option<&TenantId>, kind: DocumentKind, id: &str) -> DocumentName {
    DocumentName {
        tenant: tenant.cloned(),
        kind,
        id: id.into(),
    }
}

/// Returns the name of a key of the operator.
fn key_name(id: &str) -> DocumentName {
    document_name(None, DocumentKind::Key, id)
}

type PutResult = Result<(u64, bool), VersionMismatch>;

async fn put<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    name: &DocumentName,
    body: &[u8],
    expected: Expected,
) -> PutResult {
    fixture.store.put_document(name, body, expected).await.unwrap()
}

async fn delete<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    name: &DocumentName,
    expected: Expected,
) -> Result<bool, VersionMismatch> {
    fixture.store.delete_document(name, expected).await.unwrap()
}

async fn read<B: StoreBackend>(fixture: &StoreFixture<B>, name: &DocumentName) -> Option<Versioned<Vec<u8>>> {
    fixture
        .store
        .read_documents(std::slice::from_ref(name))
        .await
        .unwrap()
        .remove(0)
}

/// Returns the ids of a page of the list of the operator's keys.
async fn list_ids<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let listed = fixture
        .store
        .list_documents(None, DocumentKind::Key, after, limit)
        .await
        .unwrap();
    listed.into_iter().map(|(id, _)| id.into()).collect()
}

on_both_stores! {
    async fn a_stored_document_is_read_byte_for_byte(fixture) {
        let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for (n, body) in [&b"{\"a\":1}"[..], b"", &[0, 0xff, b'\r', b'\n'], &every_byte].into_iter().enumerate() {
            let name = key_name(&format!("k{n}"));
            assert_eq!(read(&fixture, &name).await, None);
            let (version, created) = put(&fixture, &name, body, Expected::Any).await.unwrap();
            assert!(created);
            assert_eq!(read(&fixture, &name).await, Some(Versioned { version, value: body.into() }));
        }
    }

    async fn many_documents_are_read_in_the_requested_order(fixture) {
        assert_eq!(fixture.store.read_documents(&[]).await.unwrap(), []);
        let names: Vec<_> = (0..200).map(|n| key_name(&format!("k{}", n * 7 % 200))).collect();
        for name in names.iter().step_by(3) {
            put(&fixture, name, name.id.as_bytes(), Expected::Absent).await.unwrap();
        }
        let mut asked = names.clone();
        asked.extend_from_slice(&names[..10]);
        asked.push(document_name(Some(&fixture.tenant), DocumentKind::Key, &names[0].id));
        asked.push(document_name(None, DocumentKind::Flags, &names[0].id));
        let found = fixture.store.read_documents(&asked).await.unwrap();
        let bodies: Vec<_> = found.into_iter().map(|found| found.map(|document| document.value)).collect();
        let expected: Vec<_> = (0..asked.len()).map(|n| {
            let own = n < 210 && n % 200 % 3 == 0;
            own.then(|| asked[n].id.as_bytes().to_vec())
        }).collect();
        assert_eq!(bodies, expected);
    }

    async fn an_unchanged_document_keeps_its_version(fixture) {
        let (first, _) = put(&fixture, &key_name("k"), b"a", Expected::Any).await.unwrap();
        assert_eq!(put(&fixture, &key_name("k"), b"a", Expected::Any).await, Ok((first, false)));
        assert_eq!(put(&fixture, &key_name("k"), b"a", Expected::Version(first)).await, Ok((first, false)));
        let mismatch = VersionMismatch { current: Some(first) };
        assert_eq!(put(&fixture, &key_name("k"), b"a", Expected::Absent).await, Err(mismatch));
        let (second, created) = put(&fixture, &key_name("k"), b"b", Expected::Version(first)).await.unwrap();
        assert!(second > first && !created);
        let (third, created) = put(&fixture, &key_name("k"), b"a", Expected::Any).await.unwrap();
        assert!(third > second && !created);
        assert_eq!(read(&fixture, &key_name("k")).await, Some(Versioned { version: third, value: b"a".into() }));
    }

    async fn a_failed_condition_changes_nothing(fixture) {
        let none = VersionMismatch { current: None };
        assert_eq!(put(&fixture, &key_name("k"), b"a", Expected::Version(1)).await, Err(none));
        assert_eq!(delete(&fixture, &key_name("k"), Expected::Version(1)).await, Err(none));
        assert_eq!(delete(&fixture, &key_name("k"), Expected::Absent).await, Ok(false));
        assert_eq!(delete(&fixture, &key_name("k"), Expected::Any).await, Ok(false));
        let (version, created) = put(&fixture, &key_name("k"), b"a", Expected::Absent).await.unwrap();
        assert!(created);
        let exists = VersionMismatch { current: Some(version) };
        for wrong in [Expected::Absent, Expected::Version(version + 1)] {
            assert_eq!(put(&fixture, &key_name("k"), b"b", wrong).await, Err(exists));
            assert_eq!(delete(&fixture, &key_name("k"), wrong).await, Err(exists));
        }
        assert_eq!(read(&fixture, &key_name("k")).await, Some(Versioned { version, value: b"a".into() }));
        assert_eq!(delete(&fixture, &key_name("k"), Expected::Version(version)).await, Ok(true));
        assert_eq!(read(&fixture, &key_name("k")).await, None);
        assert_eq!(delete(&fixture, &key_name("k"), Expected::Any).await, Ok(false));
    }

    async fn versions_grow_in_a_scope_even_across_a_deletion(fixture) {
        for scope in [None, Some(&fixture.tenant)] {
            let mut last = 0;
            for _ in 0..3 {
                for kind in DocumentKind::ALL {
                    let name = document_name(scope, kind, "x");
                    let (version, created) = put(&fixture, &name, b"x", Expected::Absent).await.unwrap();
                    assert!(created && version > last, "{version} after {last}");
                    last = version;
                }
                for kind in DocumentKind::ALL {
                    assert_eq!(delete(&fixture, &document_name(scope, kind, "x"), Expected::Any).await, Ok(true));
                }
            }
        }
    }

    async fn scopes_and_kinds_do_not_mix(fixture) {
        let other = tenant("acme2");
        let mut names = Vec::new();
        for scope in [None, Some(&fixture.tenant), Some(&other)] {
            names.extend(DocumentKind::ALL.map(|kind| document_name(scope, kind, "x")));
        }
        for (n, name) in names.iter().enumerate() {
            put(&fixture, name, n.to_string().as_bytes(), Expected::Absent).await.unwrap();
        }
        for (n, name) in names.iter().enumerate() {
            let listed = fixture.store.list_documents(name.tenant.as_ref(), name.kind, None, ALL).await.unwrap();
            let bodies: Vec<_> = listed.into_iter().map(|(_, document)| document.value).collect();
            assert_eq!(bodies, [n.to_string().into_bytes()]);
        }
        assert_eq!(delete(&fixture, &names[7], Expected::Any).await, Ok(true));
        let left = fixture.store.read_documents(&names).await.unwrap();
        let gone: Vec<_> = (0..names.len()).filter(|n| left[*n].is_none()).collect();
        assert_eq!(gone, [7]);
    }

    async fn a_list_is_in_byte_order_and_continues_after_any_id(fixture) {
        assert_eq!(list_ids(&fixture, None, ALL).await, Vec::<String>::new());
        let longest = "~".repeat(MAX_DOCUMENT_ID_BYTES);
        let mut names = ["b", "a", "B", "a-b", "a.b", "aa", "0", "10", "9", "!", "[x]", "(y", "%2A", "*", "\\", "\"", &longest];
        for name in names {
            put(&fixture, &key_name(name), name.as_bytes(), Expected::Absent).await.unwrap();
        }
        names.sort_unstable();
        assert_eq!(list_ids(&fixture, None, ALL).await, names);
        for (n, after) in names.into_iter().enumerate() {
            assert_eq!(list_ids(&fixture, Some(after), 3).await, names[n + 1..].iter().take(3).copied().collect::<Vec<_>>());
        }
        assert_eq!(list_ids(&fixture, Some("a+"), 2).await, ["a-b", "a.b"]);
        assert_eq!(list_ids(&fixture, None, 0).await, Vec::<String>::new());
        let first = fixture.store.list_documents(None, DocumentKind::Key, None, 1).await.unwrap().remove(0);
        assert_eq!(Some(first.1), read(&fixture, &key_name(&first.0)).await);
        assert_eq!(delete(&fixture, &key_name("a"), Expected::Any).await, Ok(true));
        assert_eq!(list_ids(&fixture, Some("\\"), 1).await, ["a-b"]);
    }

    async fn a_second_connection_sees_a_new_document(fixture) {
        let second = fixture.backend.open().await;
        let (version, _) = put(&fixture, &key_name("k"), b"a", Expected::Absent).await.unwrap();
        let found = second.read_documents(&[key_name("k")]).await.unwrap().remove(0);
        assert_eq!(found, Some(Versioned { version, value: b"a".into() }));
        let absent = second.put_document(&key_name("k"), b"b", Expected::Absent).await.unwrap();
        assert_eq!(absent, Err(VersionMismatch { current: Some(version) }));
        let (next, _) = second.put_document(&key_name("k"), b"b", Expected::Version(version)).await.unwrap().unwrap();
        let late = put(&fixture, &key_name("k"), b"c", Expected::Version(version)).await;
        assert_eq!(late, Err(VersionMismatch { current: Some(next) }));
    }
}
