//! A JSON value.

use std::borrow::Cow;

use super::compact;

/// A JSON value that borrows from the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it was written.
    Number(&'a str),
    /// A string, without its escapes.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object. Its names are unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object<'a> {
    /// Names and values, in the order of the text.
    pub members: Vec<(Cow<'a, str>, Json<'a>)>,
    /// The text of the object, braces included; empty for an object that was not read from text.
    pub raw: &'a str,
}

impl<'a> Object<'a> {
    /// Returns the value of a field.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
}

impl Json<'_> {
    /// Returns the kind of the value in words, for error texts.
    pub fn describe_kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Writes the value as JSON text. An object that was read is written as the client sent it, without white space.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Number(text) => (*text).to_owned(),
            Self::String(text) => serde_json::Value::from(text.as_ref()).to_string(),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::to_text).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(object) if !object.raw.is_empty() => compact(object.raw),
            Self::Object(object) => {
                let members = object.members.iter();
                let members: Vec<String> = members
                    .map(|(name, value)| {
                        format!("{}:{}", serde_json::Value::from(name.as_ref()), value.to_text())
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}
