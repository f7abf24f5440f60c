//! Values by the names of their columns.

use leaderboard_core::{Columns, Values};
use serde::{Serialize, Serializer};

use crate::json::Exact;

/// Writes values as `{"score": 10, "time_ms": 5321}`, in the order of the columns.
#[derive(Debug, Clone, Copy)]
pub struct NamedValues<'a> {
    /// The columns, which have the names.
    pub columns: &'a Columns,
    /// One value for each column.
    pub values: &'a Values,
}

written_schema!(
    NamedValues<'_>,
    "Values",
    described(
        map_of(reference("Int64")),
        "Values of the columns, by the names of the columns."
    )
);

impl Serialize for NamedValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values.as_slice().iter().map(|value| Exact(*value));
        serializer.collect_map(
            self.columns
                .iter()
                .map(leaderboard_core::Column::name)
                .zip(values),
        )
    }
}
