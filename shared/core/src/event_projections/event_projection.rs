//! What every named projection is.

use crate::RecordedEvent;

/// A projection of a log.
pub trait EventProjection {
    /// The name of the projection.
    const NAME: &'static str;
    /// What a read asks for.
    type Query;
    /// What a read returns.
    type View;

    /// Handles the next event of the log.
    fn handle(&mut self, recorded: &RecordedEvent);

    /// Returns to the state before the first event, for a rebuild.
    fn rebuild(&mut self);

    /// Returns the part that a query asks for.
    fn read(&self, query: &Self::Query) -> Self::View;
}
