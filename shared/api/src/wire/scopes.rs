//! Scopes, as a list of their names.

use leaderboard_core::access::Scopes;

use crate::json::{Errors, Field};

/// Reads a list of names. Every name that is no scope is noted.
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

/// The names.
pub fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.names().collect()
}
