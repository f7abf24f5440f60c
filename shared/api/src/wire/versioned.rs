//! Documents whose shape depends on the version.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::version::ApiVersion;

/// A document of one version or of the other.
#[derive(Debug)]
pub(super) enum OfVersion<A, B> {
    /// The document of version 1.
    V1(A),
    /// The document of version 2.
    V2(B),
}

impl<A: Serialize, B: Serialize> Serialize for OfVersion<A, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::V1(document) => document.serialize(serializer),
            Self::V2(document) => document.serialize(serializer),
        }
    }
}

/// A player: the id in version 1, an object in version 2.
#[derive(Debug)]
pub struct VersionedPlayer<'a> {
    /// The version of the API.
    pub version: ApiVersion,
    /// The player's id.
    pub id: &'a str,
}

/// A player.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PlayerId))]
struct PlayerIdBody<'a> {
    /// The player's id.
    id: &'a str,
}

written_schema!(VersionedPlayer<'_>, "PlayerId", json_of::<PlayerIdBody<'_>>());

impl Serialize for VersionedPlayer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.version {
            ApiVersion::V1 => self.id.serialize(serializer),
            ApiVersion::V2 => PlayerIdBody { id: self.id }.serialize(serializer),
        }
    }
}

/// The cursors of the neighbouring pages.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Page))]
pub(super) struct PageV2<N = String> {
    /// The cursor of the next page; `null` on the last page.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub next: Option<N>,
    /// The cursor of the previous page; `null` on the first page.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub previous: Option<N>,
    /// For a list of entries: the version at which its first page was read, and what changed since then. `null` in all other lists.
    /// They have no version; a client that follows their cursors still gets each item that stays in the list exactly once.
    pub snapshot: Option<super::v2::Snapshot>,
}

impl<N> Default for PageV2<N> {
    fn default() -> Self {
        Self {
            next: None,
            previous: None,
            snapshot: None,
        }
    }
}

/// A list of things that are not entries. Version 1 writes `{"<name>": […], "next": …}`, and version 2 writes `{"data": […],
/// "page": …}`.
#[derive(Debug)]
pub struct ListBody<T, N = String> {
    version: ApiVersion,
    name: &'static str,
    items: Vec<T>,
    next: Option<Option<N>>,
}

impl<T, N> ListBody<T, N> {
    /// Returns a list without pages. `name` is the field that has the items in version 1.
    pub fn new(version: ApiVersion, name: &'static str, items: Vec<T>) -> Self {
        Self {
            version,
            name,
            items,
            next: None,
        }
    }

    /// Returns the list as one of several pages. `next` is the cursor of the next page, `None` on the last page.
    pub fn with_next(mut self, next: Option<N>) -> Self {
        self.next = Some(next);
        self
    }
}

impl<T: Serialize, N: Serialize> Serialize for ListBody<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.version {
            ApiVersion::V1 => {
                map.serialize_entry(self.name, &self.items)?;
                if let Some(next) = &self.next {
                    map.serialize_entry("next", next)?;
                }
            }
            ApiVersion::V2 => {
                let page = PageV2 {
                    next: self.next.as_ref().and_then(Option::as_ref),
                    ..PageV2::default()
                };
                map.serialize_entry("data", &self.items)?;
                map.serialize_entry("page", &page)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_name_in_version_1_and_a_page_in_version_2() {
        let list = |version| ListBody::<_, String>::new(version, "letters", vec![1, 2]);
        let text = |list: &ListBody<i32>| serde_json::to_string(list).unwrap();
        assert_eq!(text(&list(ApiVersion::V1)), r#"{"letters":[1,2]}"#);
        assert_eq!(
            text(&list(ApiVersion::V1).with_next(Some("c".into()))),
            r#"{"letters":[1,2],"next":"c"}"#
        );
        assert_eq!(
            text(&list(ApiVersion::V2).with_next(Some("c".into()))),
            r#"{"data":[1,2],"page":{"next":"c","previous":null,"snapshot":null}}"#
        );
        assert_eq!(
            text(&list(ApiVersion::V2)),
            r#"{"data":[1,2],"page":{"next":null,"previous":null,"snapshot":null}}"#
        );
    }
}
