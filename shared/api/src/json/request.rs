//! The fields of the documents that clients send.

/// The fields of a document that clients send. `request_fields!` makes it from a table that has the schema of each field, too.
#[derive(Debug)]
pub struct RequestFields {
    /// The names of the fields.
    pub names: &'static [&'static str],
    /// Returns the name and the schema of the document.
    #[cfg(feature = "schema")]
    pub schema: fn() -> (&'static str, serde_json::Value),
}
