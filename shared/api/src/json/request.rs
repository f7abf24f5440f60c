//! The fields of the documents that clients send.

/// The fields of a document that clients send. Made by `request_fields!`, which says what each field is.
#[derive(Debug)]
pub struct RequestFields {
    /// The names of the fields.
    pub names: &'static [&'static str],
    /// Makes the name and the schema of the document.
    #[cfg(feature = "schema")]
    pub schema: fn() -> (&'static str, serde_json::Value),
}
