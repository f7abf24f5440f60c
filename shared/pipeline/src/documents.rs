//! Documents that each tenant and the operator have one of: feature flags, limits. Merge patches of any document.

use http::StatusCode;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{TenantId, Versioned};

use crate::{Context, PipelineEnvironment, audit};
use leaderboard_api::rate_limits::DocumentOwner;
use leaderboard_api::{Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_tenant_config::{TenantConfig, single_document_name};
use serde::Serialize;

/// The document that a request is about.
pub struct RequestedDocument<'c, 'r, E> {
    /// The context of the request.
    pub context: &'c Context<'r, E>,
    /// The kind of the document.
    pub kind: DocumentKind,
    /// Whether the document is the tenant's or the operator's.
    pub scope: DocumentOwner,
}

impl<E: PipelineEnvironment> RequestedDocument<'_, '_, E> {
    /// Responds with the document, as `shown` writes it, and its entity tag; 304 if the client has the document.
    ///
    /// # Errors
    /// The problem to answer with.
    pub async fn read(
        &self,
        shown: impl FnOnce(Versioned<Vec<u8>>) -> Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        Query::parse(self.context.query, &[])?;
        let preconditions = Preconditions::of(self.context.headers)?;
        let there = self.stored().await?.ok_or_else(none)?;
        if let Some(response) = preconditions.unchanged(there.version)? {
            return Ok(response);
        }
        shown(there).map(Response::revalidated)
    }

    /// Creates (201) or replaces (200) the document if the preconditions hold. Returns the status and the new version.
    ///
    /// # Errors
    /// The problem to answer with.
    pub async fn put(
        &self,
        body: &[u8],
        preconditions: &Preconditions,
    ) -> Result<(StatusCode, u64), Problem> {
        let expected = self.expected(preconditions).await?;
        audit::record_audit_event(self.context).await?;
        let put = self
            .context
            .env
            .store()
            .put_document(&self.name(), body, expected)
            .await?;
        let (version, created) = put.map_err(|mismatch| preconditions.overtaken(mismatch.current))?;
        self.changed().await;
        let status = if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok((status, version))
    }

    /// Deletes the document (204). Its settings then have their default values.
    ///
    /// # Errors
    /// The problem to answer with.
    pub async fn delete(&self) -> Result<Response, Problem> {
        Query::parse(self.context.query, &[])?;
        let preconditions = Preconditions::of(self.context.headers)?;
        let expected = self.expected(&preconditions).await?;
        audit::record_audit_event(self.context).await?;
        let deleted = self
            .context
            .env
            .store()
            .delete_document(&self.name(), expected)
            .await?;
        if !deleted.map_err(|mismatch| preconditions.overtaken(mismatch.current))? {
            return Err(none());
        }
        self.changed().await;
        Ok(Response::no_content())
    }

    /// Returns the version that the store must have when the change is applied. Fails if the preconditions do not hold for the
    /// current document.
    async fn expected(&self, preconditions: &Preconditions) -> Result<Expected, Problem> {
        if !preconditions.exist() {
            return Ok(Expected::Any);
        }
        let there = self.stored().await?;
        preconditions.expected(there.map(|there| there.version))
    }

    /// Reads the document from the store, not from the cache.
    async fn stored(&self) -> Result<Option<Versioned<Vec<u8>>>, Problem> {
        Ok(self.context.env.store().read_document(&self.name()).await?)
    }

    fn name(&self) -> DocumentName {
        single_document_name(self.whose(), self.kind)
    }

    fn whose(&self) -> Option<&TenantId> {
        (self.scope == DocumentOwner::Tenant).then_some(self.context.tenant)
    }

    /// Invalidates the cached document. In other regions the operator's document expires by itself.
    async fn changed(&self) {
        TenantConfig::publish_change(self.context.env, self.whose()).await;
    }
}

/// Reads the body of a request as a merge patch (RFC 7396).
///
/// # Errors
/// The problem to answer with.
pub fn read_patch<'a, E>(context: &Context<'a, E>) -> Result<json::Json<'a>, Problem> {
    let patch = json::parse(context.body)?;
    let mut errors = json::Errors::default();
    json::check_width(&patch, &json::Pointer::Root, &mut errors);
    errors.check()?;
    Ok(patch)
}

/// Applies a merge patch to a document. Returns what `read` reads from the result.
///
/// # Errors
/// The problem to answer with.
pub fn apply_patch<T>(
    document: &impl Serialize,
    patch: &json::Json<'_>,
    read: impl FnOnce(&json::Json<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let text = serde_json::to_vec(document)
        .map_err(|error| Problem::internal(format!("a document cannot be written: {error}")))?;
    read(&json::merge(Some(json::parse(&text)?), patch.clone()))
}

fn none() -> Problem {
    Problem::new(ProblemType::DocumentNotFound)
}
