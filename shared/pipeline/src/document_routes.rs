//! The routes of a document that each tenant and the operator have one of.

use crate::Route;
use leaderboard_api::Permission;
use leaderboard_api::rate_limits::DocumentOwner;

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
        Route::get(own, Permission::Admin, |_| Ok(Read(Tenant).into())),
        Route::put(own, Permission::Admin, |_| Ok(Put(Tenant).into())),
        Route::delete(own, Permission::Admin, |_| Ok(Delete(Tenant).into())),
        Route::get(operator, Permission::Operator, |_| Ok(Read(Operator).into())),
        Route::put(operator, Permission::Operator, |_| Ok(Put(Operator).into())),
        Route::delete(operator, Permission::Operator, |_| Ok(Delete(Operator).into())),
    ]
}
