//! The [`Documents`] port: versioned documents other than leaderboards.

use std::collections::BTreeMap;

use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected, VersionMismatch};
use leaderboard_core::{StoreError, TenantId, Versioned};

use crate::connection::Connection;
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{DELETE_DOCUMENT, LIST_DOCUMENTS, PUT_DOCUMENT, READ_DOCUMENTS, SHORTEN_DOCUMENT};
use crate::server::Server;
use crate::{RedisStore, keys};

impl<C: Connection> Documents for RedisStore<C> {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // Documents of several tenants and of the operator can be on several shards.
        let is_sharded = self.server.is_sharded();
        let mut found = vec![None; names.len()];
        let mut scopes: BTreeMap<_, (Vec<_>, Vec<_>)> = BTreeMap::new();
        for (slot, name) in found.iter_mut().zip(names) {
            let (slots, names) = scopes
                .entry(name.tenant.as_ref().filter(|_| is_sharded))
                .or_default();
            slots.push(slot);
            names.push(name);
        }
        for (slots, names) in scopes.into_values() {
            let read = read_together(&self.server, &names).await?;
            for (slot, document) in slots.into_iter().zip(read) {
                *slot = document;
            }
        }
        Ok(found)
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        let scope = name.tenant.as_ref();
        let mut call = ScriptCall::with_keys(keys::documents(scope, name.kind));
        call.add_keys([keys::last_document_version(scope)]);
        call.add_text(&name.id);
        call.add_expected(expected);
        call.add_bytes(body);
        // A server that is out of memory refuses every script that writes, even one that would store a shorter document.
        let (mut reply, out_of_memory) = match PUT_DOCUMENT.run(&self.server, &call).await {
            Err(error @ StoreError::OutOfMemory(_)) => {
                call.add_flag(true);
                (SHORTEN_DOCUMENT.run(&self.server, &call).await?, Some(error))
            }
            reply => (reply?, None),
        };
        Ok(match (reply.read_bytes()?.as_slice(), out_of_memory) {
            (b"ok", _) => Ok((reply.read_number()?, reply.read_count()? == 1)),
            (b"version", _) => Err(reply.read_mismatch()?),
            (b"full", Some(error)) => return Err(error),
            _ => return Err(corrupt("reply to a put of a document")),
        })
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        let mut call = ScriptCall::with_keys(keys::documents(name.tenant.as_ref(), name.kind));
        call.add_text(&name.id);
        call.add_expected(expected);
        let mut reply = DELETE_DOCUMENT.run(&self.server, &call).await?;
        Ok(match reply.read_bytes()?.as_slice() {
            b"ok" => Ok(reply.read_count()? == 1),
            b"version" => Err(reply.read_mismatch()?),
            _ => return Err(corrupt("reply to a delete of a document")),
        })
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        let mut call = ScriptCall::with_keys(keys::documents(tenant, kind));
        call.add_option(after);
        call.add_text(&limit);
        let mut reply = LIST_DOCUMENTS.run(&self.server, &call).await?;
        let mut documents = Vec::with_capacity(reply.remaining() / 3);
        while !reply.is_empty() {
            let id = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            let document = read_document(&mut reply)?.ok_or_else(|| corrupt("document"))?;
            documents.push((id.into_boxed_str(), document));
        }
        Ok(documents)
    }
}

/// Reads documents of one shard in one command.
async fn read_together<C: Connection>(
    server: &Server<C>,
    names: &[&DocumentName],
) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
    let mut call = ScriptCall::default();
    for name in names {
        let [hash, _] = keys::documents(name.tenant.as_ref(), name.kind);
        call.add_keys([hash]);
        call.add_text(&name.id);
    }
    let mut reply = READ_DOCUMENTS.run(server, &call).await?;
    names.iter().map(|_| read_document(&mut reply)).collect()
}

/// Reads the version and the body of a document; `None` for a missing document.
fn read_document(reply: &mut ReplyReader) -> Result<Option<Versioned<Vec<u8>>>, StoreError> {
    let (version, value) = (reply.read_bytes()?, reply.read_bytes()?);
    if version.is_empty() {
        return Ok(None);
    }
    let version = parse_decimal(&version)?;
    Ok(Some(Versioned { version, value }))
}
