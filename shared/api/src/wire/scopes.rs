//! Reads and writes scopes as a list of their names.

use leaderboard_core::access::Scopes;

use crate::json::{Errors, Field};

/// Reads a list of names, and adds an error for every name that is not a scope.
pub fn read(field: &Field<'_, '_>, errors: &mut Errors) -> Option<Scopes> {
    let items = field.array(errors)?;
    let choices = Scopes::NAMES;
    let mut scopes = Some(Scopes::NONE);
    for (at, item) in items.iter().enumerate() {
        let scope = field.item(at, item).choice(&choices, errors);
        scopes = scopes.zip(scope).map(|(scopes, scope)| scopes.with(scope));
    }
    scopes
}

/// Returns the names of scopes.
pub fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.names().collect()
}
