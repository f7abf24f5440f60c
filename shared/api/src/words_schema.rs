//! Schemas of choices of words.

/// Defines a type that stands for a choice of words in schemas. The table that reads and writes the words lists them. Without
/// the feature `schema` it defines nothing.
macro_rules! words_schema {
    ($type:ident, $name:literal, $about:literal, $table:expr) => {
        #[cfg(feature = "schema")]
        #[doc = $about]
        #[derive(Debug)]
        pub struct $type;

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::schema::words($about, &$table)
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
