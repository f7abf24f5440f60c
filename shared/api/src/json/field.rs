//! Reads values from a JSON tree. Each step adds its error and returns `None`, so that one pass finds every error.

use leaderboard_core::{Invalid, Timestamp, suggest};

use super::integer::integer;
use super::{Errors, Json, Object, Pointer, RequestFields};
use crate::problem::Problem;

/// The error text of a missing field.
pub const IS_REQUIRED: &str = "is required";

/// Reads a document with the fields `known`, and returns what `read` returns. If a field has an error, `read` may use a valid value in
/// its place, or return `None`.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read_document<T>(
    tree: &Json<'_>,
    known: &RequestFields,
    read: impl FnOnce(&Fields<'_, '_>, &mut Errors) -> Option<T>,
) -> Result<T, Problem> {
    let mut errors = Errors::default();
    let fields = Field::root(tree).object_with(known, &mut errors);
    let document = fields.and_then(|fields| read(&fields, &mut errors));
    errors.check()?;
    document.ok_or_else(|| Problem::internal("a document without errors was not understood"))
}

/// A value and its place.
#[derive(Debug, Clone, Copy)]
pub struct Field<'f, 'a> {
    /// The value.
    pub value: &'f Json<'a>,
    /// The place of the field.
    pub pointer: Pointer<'f>,
}

/// An object's fields and its place.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'f, 'a> {
    object: &'f Object<'a>,
    /// The place of the object.
    pub pointer: Pointer<'f>,
}

impl<'f, 'a> Fields<'f, 'a> {
    /// Returns a required field.
    pub fn required<'s>(&'s self, name: &'s str, errors: &mut Errors) -> Option<Field<'s, 'a>> {
        let found = self.object.get(name);
        if found.is_none() {
            errors.add(&Pointer::Key(&self.pointer, name), IS_REQUIRED);
        }
        Some(self.field(name, found?))
    }

    /// Returns an optional field. A field that is `null` counts as missing.
    pub fn optional<'s>(&'s self, name: &'s str) -> Option<Field<'s, 'a>> {
        let found = self.object.get(name).filter(|value| **value != Json::Null)?;
        Some(self.field(name, found))
    }

    /// Returns what `read` reads from an optional field.
    pub fn read<'s, T>(
        &'s self,
        name: &'s str,
        read: impl FnOnce(Field<'s, 'a>, &mut Errors) -> Option<T>,
        errors: &mut Errors,
    ) -> Option<T> {
        read(self.optional(name)?, errors)
    }

    /// Returns what `read` reads from a required field.
    pub fn read_required<'s, T>(
        &'s self,
        name: &'s str,
        read: impl FnOnce(Field<'s, 'a>, &mut Errors) -> Option<T>,
        errors: &mut Errors,
    ) -> Option<T> {
        read(self.required(name, errors)?, errors)
    }

    /// Reads one of a few words from an optional field.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)], errors: &mut Errors) -> Option<T> {
        self.optional(name)?.choice(choices, errors)
    }

    /// Adds an error if the field `id` is there and is not the id in the path.
    pub fn match_path(&self, id: &str, errors: &mut Errors) {
        if let Some(field) = self.optional("id")
            && let Some(text) = field.text(errors)
            && text != id
        {
            errors.add(&field.pointer, "must be the id in the path");
        }
    }

    /// Returns all fields.
    pub fn iter<'s>(&'s self) -> impl Iterator<Item = (&'s str, Field<'s, 'a>)> {
        self.object
            .members
            .iter()
            .map(|(name, value)| (name.as_ref(), self.field(name, value)))
    }

    /// Adds an error for every field that is not one of `known`.
    pub fn only(&self, known: &[&str], errors: &mut Errors) {
        for (name, field) in self.iter() {
            if !known.contains(&name) {
                let suggestion = suggest(name, known.iter().copied());
                errors.add(
                    &field.pointer,
                    format!("is not a field of this object{suggestion}"),
                );
            }
        }
    }

    /// Returns the text of the object as the client sent it.
    pub fn raw(&self) -> &'f str {
        self.object.raw
    }

    fn field<'s>(&'s self, name: &'s str, value: &'s Json<'a>) -> Field<'s, 'a> {
        Field {
            value,
            pointer: Pointer::Key(&self.pointer, name),
        }
    }
}

impl<'f, 'a> Field<'f, 'a> {
    /// Returns a whole document as a field.
    pub fn root(value: &'f Json<'a>) -> Self {
        Self {
            value,
            pointer: Pointer::Root,
        }
    }

    /// Reads an object.
    pub fn object(self, errors: &mut Errors) -> Option<Fields<'f, 'a>> {
        match self.value {
            Json::Object(object) => Some(Fields {
                object,
                pointer: self.pointer,
            }),
            _ => self.wrong("an object", errors),
        }
    }

    /// Reads an object, and adds an error for every field that is not one of `known`.
    pub fn object_with(self, known: &RequestFields, errors: &mut Errors) -> Option<Fields<'f, 'a>> {
        let fields = self.object(errors)?;
        fields.only(known.names, errors);
        Some(fields)
    }

    /// Reads the items of an array.
    pub fn array(self, errors: &mut Errors) -> Option<&'f [Json<'a>]> {
        match self.value {
            Json::Array(items) => Some(items),
            _ => self.wrong("an array", errors),
        }
    }

    /// Reads an array, and returns what `read` returns for each item.
    pub fn list<T>(
        self,
        mut read: impl FnMut(Field<'_, 'a>, &mut Errors) -> T,
        errors: &mut Errors,
    ) -> Option<Vec<T>> {
        let items = self.array(errors)?.iter().enumerate();
        Some(
            items
                .map(|(at, value)| read(self.item(at, value), errors))
                .collect(),
        )
    }

    /// Returns an item of this array as a field.
    pub fn item<'s>(&'s self, at: usize, value: &'s Json<'a>) -> Field<'s, 'a> {
        Field {
            value,
            pointer: Pointer::Index(&self.pointer, at),
        }
    }

    /// Reads a string.
    pub fn text(self, errors: &mut Errors) -> Option<&'f str> {
        match self.value {
            Json::String(text) => Some(text),
            _ => self.wrong("a string", errors),
        }
    }

    /// Reads `true` or `false`.
    pub fn boolean(self, errors: &mut Errors) -> Option<bool> {
        match self.value {
            Json::Bool(yes) => Some(*yes),
            _ => self.wrong("true or false", errors),
        }
    }

    /// Reads an integer within the range of its type, from a number or from a string.
    pub fn integer<T: Bounded>(self, errors: &mut Errors) -> Option<T> {
        match integer(self.value, T::MIN, T::MAX) {
            Ok(number) => T::try_from(number).ok(),
            Err(detail) => {
                errors.add(&self.pointer, detail);
                None
            }
        }
    }

    /// Reads a string that the domain parses.
    pub fn parsed<T>(
        self,
        parse: impl FnOnce(&'f str) -> Result<T, Invalid>,
        errors: &mut Errors,
    ) -> Option<T> {
        match parse(self.text(errors)?) {
            Ok(parsed) => Some(parsed),
            Err(invalid) => {
                errors.add_invalid(&self.pointer, &invalid);
                None
            }
        }
    }

    /// Reads a time (RFC 3339).
    pub fn time(self, errors: &mut Errors) -> Option<Timestamp> {
        self.parsed(Timestamp::parse, errors)
    }

    /// Reads one of a few words.
    pub fn choice<T: Copy>(self, choices: &[(&str, T)], errors: &mut Errors) -> Option<T> {
        let text = self.text(errors)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let suggestion = suggest(text, words.iter().copied());
            errors.add(
                &self.pointer,
                format!("must be one of {}{suggestion}", words.join(", ")),
            );
        }
        found.map(|(_, choice)| *choice)
    }

    fn wrong<T>(self, expected: &str, errors: &mut Errors) -> Option<T> {
        errors.add(
            &self.pointer,
            format!("must be {expected}, not {}", self.value.describe_kind()),
        );
        None
    }
}

/// An integer type and its range.
pub trait Bounded: TryFrom<i128> {
    /// The least integer of the type.
    const MIN: i128;
    /// The largest integer of the type.
    const MAX: i128;
}

macro_rules! bounded {
    ($($name:ty),+) => {
        $(impl Bounded for $name {
            const MIN: i128 = <$name>::MIN as i128;
            const MAX: i128 = <$name>::MAX as i128;
        })+
    };
}

bounded!(i64, u64, u32, u16);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn one_pass_finds_all_errors_with_their_locations() {
        let tree = parse(br#"{"a": 1.5, "b": "x", "c": null, "d": [true, 7], "e": {}}"#).unwrap();
        let mut errors = Errors::default();
        let fields = Field::root(&tree).object(&mut errors).unwrap();
        fields.only(&["a", "b", "c", "d"], &mut errors);
        assert_eq!(
            fields
                .required("a", &mut errors)
                .unwrap()
                .integer::<i64>(&mut errors),
            None
        );
        assert_eq!(
            fields
                .required("b", &mut errors)
                .unwrap()
                .choice(&[("y", ())], &mut errors),
            None
        );
        assert!(fields.optional("c").is_none());
        assert!(fields.required("f", &mut errors).is_none());
        let list = fields.required("d", &mut errors).unwrap();
        let items = list.array(&mut errors).unwrap();
        assert_eq!(list.item(0, &items[0]).text(&mut errors), None);
        assert_eq!(list.item(1, &items[1]).integer::<u16>(&mut errors), Some(7));
        let problem = errors.check().unwrap_err();
        let found: Vec<String> = problem
            .errors
            .iter()
            .map(|error| format!("{:?} {}", error.location, error.detail))
            .collect();
        assert_eq!(
            found,
            [
                "Body(\"#/e\") is not a field of this object",
                "Body(\"#/a\") must be an integer, without fraction and exponent",
                "Body(\"#/b\") must be one of y",
                "Body(\"#/f\") is required",
                "Body(\"#/d/0\") must be a string, not a boolean",
            ]
        );
    }
}
