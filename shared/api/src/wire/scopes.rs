//! Reads and writes scopes as a list of their names.

use leaderboard_core::access::Scopes;

use crate::json::{Errors, Field};

/// Reads a list of names, and adds an error for every name that is not a scope.
pub fn read(field: Field<'_, '_>, errors: &mut Errors) -> Option<Scopes> {
    let scopes = field.list(|item, errors| item.choice(&Scopes::NAMES, errors), errors)?;
    scopes
        .into_iter()
        .try_fold(Scopes::NONE, |all, scope| Some(all.with(scope?)))
}

/// Returns the names of scopes.
pub fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.names().collect()
}
