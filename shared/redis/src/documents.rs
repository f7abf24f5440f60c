//! Versioned documents that are not leaderboards: the [`Documents`] port.

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected, VersionMismatch};
use leaderboard_core::{StoreError, TenantId, Versioned};

use crate::RedisStore;
use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::keys;
use crate::script::{Call, DELETE_DOCUMENT, LIST_DOCUMENTS, PUT_DOCUMENT, READ_DOCUMENTS, SHORTEN_DOCUMENT};

impl<C: Connection> Documents for RedisStore<C> {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::default();
        for name in names {
            let [hash, _] = keys::documents(name.tenant.as_ref(), name.kind);
            call.keys([hash]);
            call.text(&name.id);
        }
        let mut answer = Answer::new(READ_DOCUMENTS.run(&self.connection, &call).await?);
        names.iter().map(|_| read_document(&mut answer)).collect()
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        let scope = name.tenant.as_ref();
        let mut call = Call::on(keys::documents(scope, name.kind));
        call.keys([keys::last_document_version(scope)]);
        call.text(&name.id);
        call.expected(expected);
        call.bytes(body);
        // A server that is out of memory refuses every put without a look at what is there.
        let (replies, out_of_memory) = match PUT_DOCUMENT.run(&self.connection, &call).await {
            Err(error @ StoreError::OutOfMemory(_)) => {
                call.flag(true);
                let replies = SHORTEN_DOCUMENT.run(&self.connection, &call).await?;
                (replies, Some(error))
            }
            replies => (replies?, None),
        };
        let mut answer = Answer::new(replies);
        Ok(match (answer.bytes()?.as_slice(), out_of_memory) {
            (b"ok", _) => Ok((answer.number()?, answer.count()? == 1)),
            (b"version", _) => Err(answer.mismatch()?),
            (b"full", Some(error)) => return Err(error),
            _ => return Err(corrupt("answer to a put of a document")),
        })
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        let mut call = Call::on(keys::documents(name.tenant.as_ref(), name.kind));
        call.text(&name.id);
        call.expected(expected);
        let mut answer = Answer::new(DELETE_DOCUMENT.run(&self.connection, &call).await?);
        Ok(match answer.bytes()?.as_slice() {
            b"ok" => Ok(answer.count()? == 1),
            b"version" => Err(answer.mismatch()?),
            _ => return Err(corrupt("answer to a delete of a document")),
        })
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        let mut call = Call::on(keys::documents(tenant, kind));
        call.option(after);
        call.text(&limit);
        let mut answer = Answer::new(LIST_DOCUMENTS.run(&self.connection, &call).await?);
        let mut documents = Vec::with_capacity(answer.left() / 3);
        while !answer.is_empty() {
            let id = String::from_utf8(answer.bytes()?).map_err(corrupt)?;
            let document = read_document(&mut answer)?.ok_or_else(|| corrupt("document"))?;
            documents.push((id.into_boxed_str(), document));
        }
        Ok(documents)
    }
}

/// A version and a body as the scripts answer them.
fn read_document(answer: &mut Answer) -> Result<Option<Versioned<Vec<u8>>>, StoreError> {
    let (version, value) = (answer.bytes()?, answer.bytes()?);
    if version.is_empty() {
        return Ok(None);
    }
    let version = decimal(&version)?;
    Ok(Some(Versioned { version, value }))
}
