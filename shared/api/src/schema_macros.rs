//! Macros that define a schema beside the type or the table that it describes.

/// Implements the schema traits for a type whose `Serialize` is written by hand. Without the feature `schema`, it does nothing.
macro_rules! written_schema {
    ($type:ty, $name:expr, $schema:expr) => {
        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use crate::schema::*;
                utoipa_schema($schema)
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

/// Defines a type that represents a choice of words in schemas. The table that reads and writes the words also lists them.
/// Without the feature `schema`, it defines nothing.
macro_rules! words_schema {
    ($type:ident, $name:literal, $about:literal, $table:expr) => {
        #[cfg(feature = "schema")]
        #[doc = $about]
        #[derive(Debug)]
        pub struct $type;

        written_schema!($type, $name, words($about, &$table));
    };
}

/// Defines the fields of a document that clients send, as a [`RequestFields`](crate::json::RequestFields): the reader refuses every
/// other field, and the feature `schema` makes the document's schema from the same rows. A row has the text of the description,
/// whether the field is required, its name, and its schema.
macro_rules! request_fields {
    ($(#[doc = $about:literal])+ $visibility:vis $table:ident = $name:literal {
        $($(#[doc = $field_about:literal])+ $need:ident $field:ident: $schema:expr,)+
    }) => {
        $(#[doc = $about])+
        $visibility const $table: crate::json::RequestFields = crate::json::RequestFields {
            names: &[$(stringify!($field)),+],
            #[cfg(feature = "schema")]
            schema: || {
                use crate::schema::*;
                let fields = [$(
                    (stringify!($need), stringify!($field), concat!($($field_about, "\n"),+), $schema),
                )+];
                ($name, object(concat!($($about, "\n"),+), fields))
            },
        };
    };
}
