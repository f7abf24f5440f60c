//! The port [`Documents`].

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected, VersionMismatch};
use leaderboard_core::{StoreError, TenantId, Versioned};

use crate::SqliteStore;
use crate::connection::{Connection, Value};
use crate::rate_limits::{fresh_version, now_us};
use crate::row::{Cells, corrupt};
use crate::session::Session;

/// The most documents that one statement reads.
const READ_AT_ONCE: usize = 64;

/// A document and its version.
type StoredDocument = Versioned<Vec<u8>>;

/// Returns the scope of a tenant in storage: the tenant's id, which is never empty, or an empty text for the operator.
pub(crate) fn scope(tenant: Option<&TenantId>) -> &str {
    tenant.map_or("", TenantId::as_str)
}

impl<C: Connection> Documents for SqliteStore<C> {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<StoredDocument>>, StoreError> {
        if names.is_empty() {
            Ok(Vec::new())
        } else if names.len() <= READ_AT_ONCE {
            self.single(|session| read(session, names))
        } else {
            self.read(|session| read(session, names))
        }
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        const NEXT: &str = concat!(
            "INSERT INTO document_versions (scope, last) VALUES (?1, ",
            fresh_version!(),
            ") ON CONFLICT (scope) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last"
        );
        const SAVE: &str =
            "INSERT OR REPLACE INTO documents (scope, kind, id, version, body) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(|session| {
            let there = find(session, name)?;
            if let Err(mismatch) = expected.check(there.as_ref().map(|document| document.version)) {
                return Ok(Err(mismatch));
            }
            if let Some(same) = there.as_ref().filter(|document| document.value == body) {
                return Ok(Ok((same.version, false)));
            }
            let [scope, kind, id] = name_of(name);
            let version = session
                .only_row(NEXT, &[scope])?
                .unsigned("version of a document")?;
            session.run(SAVE, &[scope, kind, id, version.into(), body.into()])?;
            Ok(Ok((version, there.is_none())))
        })
        .await
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        const DELETE: &str = "DELETE FROM documents WHERE scope = ?1 AND kind = ?2 AND id = ?3";
        self.write(|session| {
            let there = find(session, name)?;
            if let Err(mismatch) = expected.check(there.as_ref().map(|document| document.version)) {
                return Ok(Err(mismatch));
            }
            if there.is_some() {
                session.run(DELETE, &name_of(name))?;
            }
            Ok(Ok(there.is_some()))
        })
        .await
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, StoredDocument)>, StoreError> {
        const LIST: &str = "SELECT id, version, body FROM documents WHERE scope = ?1 AND kind = ?2 \
             AND (?3 IS NULL OR id > ?3) ORDER BY id LIMIT ?4 + 0";
        let parameters = [
            scope(tenant).into(),
            kind.as_str().into(),
            after.into(),
            limit.into(),
        ];
        self.single(|session| {
            session.map_rows(LIST, &parameters, |cells| {
                Ok((cells.text("id of a document")?.into(), read_columns(cells)?))
            })
        })
    }
}

fn name_of(name: &DocumentName) -> [Value<'_>; 3] {
    [
        scope(name.tenant.as_ref()).into(),
        name.kind.as_str().into(),
        name.id.as_ref().into(),
    ]
}

fn read_columns(cells: &mut Cells) -> Result<StoredDocument, StoreError> {
    Ok(Versioned {
        version: cells.unsigned("version of a document")?,
        value: cells.blob("document")?,
    })
}

/// Returns documents in the order of their names. One statement reads [`READ_AT_ONCE`] of them.
fn read(session: &Session<'_>, names: &[DocumentName]) -> Result<Vec<Option<StoredDocument>>, StoreError> {
    let mut all = Vec::with_capacity(names.len());
    for some in names.chunks(READ_AT_ONCE) {
        let places: Vec<_> = (0..some.len())
            .map(|place| format!("({place}, ?, ?, ?)"))
            .collect();
        let sql = format!(
            "WITH wanted(place, scope, kind, id) AS (VALUES {}) SELECT version, body FROM wanted \
             LEFT JOIN documents USING (scope, kind, id) ORDER BY place",
            places.join(", ")
        );
        let parameters: Vec<_> = some.iter().flat_map(name_of).collect();
        let rows = session.rows(&sql, &parameters)?;
        if rows.len() != some.len() {
            return Err(corrupt("number of documents"));
        }
        for row in rows {
            let mut cells = Cells::from(row);
            let version = cells.unsigned_or_null("version of a document")?;
            let body = cells.blob_or_null("document")?;
            all.push(
                version
                    .zip(body)
                    .map(|(version, value)| Versioned { version, value }),
            );
        }
    }
    Ok(all)
}

fn find(session: &Session<'_>, name: &DocumentName) -> Result<Option<StoredDocument>, StoreError> {
    const FIND: &str = "SELECT version, body FROM documents WHERE scope = ?1 AND kind = ?2 AND id = ?3";
    session.map_row(FIND, &name_of(name), read_columns)
}
