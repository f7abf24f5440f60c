//! Scopes, as a list of their names.

use leaderboard_core::access::Scopes;

use crate::json::{Errors, Field};

/// Reads a list of names.
pub(crate) fn read(field: &Field<'_, '_>, errors: &mut Errors) -> Option<Scopes> {
    let items = field.array(errors)?;
    let choices = Scopes::NAMES;
    let mut scopes = Scopes::NONE;
    for (at, item) in items.iter().enumerate() {
        scopes = scopes.with(field.item(at, item).choice(&choices, errors)?);
    }
    Some(scopes)
}

/// The names.
pub(crate) fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.names().collect()
}
