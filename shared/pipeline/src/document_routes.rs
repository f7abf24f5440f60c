//! The routes of a document that each tenant and the operator have one of.

use crate::{Route, Verb};
use leaderboard_api::rate_limits::DocumentOwner;
use leaderboard_api::{BodyKind, Permission};

/// A typed route of such a document.
#[derive(Debug)]
pub enum DocumentRoute {
    /// Reads the document.
    Read(DocumentOwner),
    /// Creates or replaces the document.
    Put(DocumentOwner),
    /// Deletes the document.
    Delete(DocumentOwner),
}

/// The routes to the tenant's own document and to the operator's.
pub const fn routes<R: From<DocumentRoute>>(own: &'static str, operator: &'static str) -> [Route<R>; 6] {
    use DocumentOwner::{Operator, Tenant};
    use DocumentRoute::{Delete, Put, Read};
    [
        Route::new(Verb::Get, own, Permission::Admin, |_| Ok(Read(Tenant).into())),
        Route::new(Verb::Put, own, Permission::Admin, |_| Ok(Put(Tenant).into())).with_body(BodyKind::Json),
        Route::new(
            Verb::Delete,
            own,
            Permission::Admin,
            |_| Ok(Delete(Tenant).into()),
        )
        .frees_memory(),
        Route::new(Verb::Get, operator, Permission::Operator, |_| {
            Ok(Read(Operator).into())
        }),
        Route::new(Verb::Put, operator, Permission::Operator, |_| {
            Ok(Put(Operator).into())
        })
        .with_body(BodyKind::Json),
        Route::new(Verb::Delete, operator, Permission::Operator, |_| {
            Ok(Delete(Operator).into())
        })
        .frees_memory(),
    ]
}
