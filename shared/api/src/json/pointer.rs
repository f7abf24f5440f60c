//! Places in a document.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::Json;

/// The longest name in an error text, in characters.
const MAX_NAME_CHARS: usize = 64;
/// The characters that a URI fragment cannot have (RFC 3986, section 3.5).
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes a JSON pointer in its URI fragment form (RFC 6901, section 6).
pub fn fragment(pointer: &str) -> String {
    format!("#{}", utf8_percent_encode(pointer, FRAGMENT))
}

/// Returns whether a document has a value at a pointer in its URI fragment form.
pub fn has_place(document: &Json<'_>, fragment: &str) -> bool {
    let mut place = Some(document);
    for segment in fragment.split('/').skip(1) {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        let name = decoded.replace("~1", "/").replace("~0", "~");
        place = match place {
            Some(Json::Object(object)) => object.get(&name),
            Some(Json::Array(items)) => name.parse().ok().and_then(|at: usize| items.get(at)),
            _ => None,
        };
    }
    place.is_some()
}

/// A place in a document, as the steps that lead to it. The text of the pointer is made only when an error needs it.
#[derive(Debug, Clone, Copy)]
pub enum Pointer<'p> {
    /// The document.
    Root,
    /// A field of an object.
    Key(&'p Pointer<'p>, &'p str),
    /// An item of an array.
    Index(&'p Pointer<'p>, usize),
}

/// A JSON pointer in its URI fragment form (RFC 6901, section 6): `#/scores/3/score`.
impl std::fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("#"),
            Self::Index(parent, at) => write!(f, "{parent}/{at}"),
            Self::Key(parent, name) => {
                let short: String = name.chars().take(MAX_NAME_CHARS).collect();
                let escaped = short.replace('~', "~0").replace('/', "~1");
                write!(f, "{parent}/{}", utf8_percent_encode(&escaped, FRAGMENT))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_for_the_pointer_and_for_the_fragment() {
        let scores = Pointer::Key(&Pointer::Root, "scores");
        let third = Pointer::Index(&scores, 3);
        assert_eq!(Pointer::Key(&third, "score").to_string(), "#/scores/3/score");
        assert_eq!(
            Pointer::Key(&Pointer::Root, "a/b~c%d é").to_string(),
            "#/a~1b~0c%25d%20%C3%A9"
        );
        assert_eq!(Pointer::Root.to_string(), "#");
    }
}
