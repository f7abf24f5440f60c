//! Parses JSON text in UTF-8 into a tree (RFC 8259).

use std::borrow::Cow;

use super::{Json, Object, Pointer};
use crate::problem::{FieldError, Problem, ProblemType};

/// How deeply arrays and objects may be nested.
pub(super) const MAX_DEPTH: usize = 32;
/// Up to this many names, comparing each name with each is faster than sorting the names.
const FEW_NAMES: usize = 12;

/// Parses a whole body.
///
/// # Errors
/// A `malformed` problem, with the place where the text stops being JSON.
pub fn parse(body: &[u8]) -> Result<Json<'_>, Problem> {
    parse_within(MAX_DEPTH, body)
}

/// Parses a whole body with at most `max_depth` levels of arrays and objects.
///
/// # Errors
/// The same as for [`parse`].
pub fn parse_within(max_depth: usize, body: &[u8]) -> Result<Json<'_>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let detail = format!("The body is not UTF-8 at byte {}.", error.valid_up_to());
        Problem::new(ProblemType::Malformed).with_detail(detail)
    })?;
    let mut parser = Parser {
        text,
        at: 0,
        max_depth,
    };
    let value = parser.value(max_depth, &Pointer::Root)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.fail(&Pointer::Root, "there is more after the value")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes; always at the start of a character.
    at: usize,
    max_depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Returns the text from a position to the current one.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    fn fail(&self, pointer: &Pointer<'_>, what: &str) -> Problem {
        Problem::new(ProblemType::Malformed)
            .with_detail(format!("The body is not valid JSON at byte {}.", self.at))
            .with_error(FieldError::body(pointer.to_string(), what))
    }

    fn value(&mut self, depth: usize, pointer: &Pointer<'_>) -> Result<Json<'a>, Problem> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth, pointer),
            Some(b'[') => self.array(depth, pointer),
            Some(b'"') => Ok(Json::String(self.string(pointer)?)),
            Some(b'-' | b'0'..=b'9') => self.number(pointer),
            Some(b't') => self.word("true", Json::Bool(true), pointer),
            Some(b'f') => self.word("false", Json::Bool(false), pointer),
            Some(b'n') => self.word("null", Json::Null, pointer),
            Some(_) => Err(self.fail(pointer, "is not a JSON value")),
            None => Err(self.fail(pointer, "the body ends where a value should be")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>, pointer: &Pointer<'_>) -> Result<Json<'a>, Problem> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fail(pointer, "is not a JSON value"))
        }
    }

    fn deeper(&self, depth: usize, pointer: &Pointer<'_>) -> Result<usize, Problem> {
        depth
            .checked_sub(1)
            .ok_or_else(|| self.fail(pointer, &format!("is nested more than {} deep", self.max_depth)))
    }

    fn array(&mut self, depth: usize, pointer: &Pointer<'_>) -> Result<Json<'a>, Problem> {
        let depth = self.deeper(depth, pointer)?;
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth, &Pointer::Index(pointer, items.len()))?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Json::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.fail(pointer, "has neither , nor ] after an item"));
            }
        }
    }

    fn object(&mut self, depth: usize, pointer: &Pointer<'_>) -> Result<Json<'a>, Problem> {
        let depth = self.deeper(depth, pointer)?;
        let start = self.at;
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        self.skip_space();
        if !self.eat(b'}') {
            loop {
                members.push(self.member(depth, pointer)?);
                self.skip_space();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.fail(pointer, "has neither , nor } after a value"));
                }
            }
        }
        if let Some(name) = repeated(&members) {
            return Err(self.fail(&Pointer::Key(pointer, name), "is there twice"));
        }
        let raw = self.since(start);
        Ok(Json::Object(Object { members, raw }))
    }

    fn member(&mut self, depth: usize, pointer: &Pointer<'_>) -> Result<(Cow<'a, str>, Json<'a>), Problem> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.fail(pointer, "a name in double quotes is missing"));
        }
        let name = self.string(pointer)?;
        self.skip_space();
        if !self.eat(b':') {
            return Err(self.fail(&Pointer::Key(pointer, &name), "has no : after its name"));
        }
        let value = self.value(depth, &Pointer::Key(pointer, &name))?;
        Ok((name, value))
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    fn number(&mut self, pointer: &Pointer<'_>) -> Result<Json<'a>, Problem> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits(pointer)?;
        }
        if self.eat(b'.') {
            self.digits(pointer)?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits(pointer)?;
        }
        Ok(Json::Number(self.since(start)))
    }

    fn digits(&mut self, pointer: &Pointer<'_>) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.fail(pointer, "is not a JSON number"));
        }
        Ok(())
    }

    /// Most strings have no escape and are borrowed.
    fn string(&mut self, pointer: &Pointer<'_>) -> Result<Cow<'a, str>, Problem> {
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(b) if b >= b' ' && b != b'"' && b != b'\\') {
                self.at += 1;
            }
            let plain = self.since(start);
            if text.is_empty() {
                text = Cow::Borrowed(plain);
            } else {
                text.to_mut().push_str(plain);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.to_mut().push(self.escape(pointer)?),
                Some(_) => return Err(self.fail(pointer, "has a control character that is not escaped")),
                None => return Err(self.fail(pointer, "a string does not end")),
            }
        }
    }

    fn escape(&mut self, pointer: &Pointer<'_>) -> Result<char, Problem> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self
                    .unicode_escape()
                    .ok_or_else(|| self.fail(pointer, "has an escape that is no character"));
            }
            _ => return Err(self.fail(pointer, "has an unknown escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads four hexadecimal digits, or twice four for a surrogate pair. Half of a pair is an error.
    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !(self.eat(b'\\') && self.eat(b'u')) {
            return None;
        }
        let low = self
            .four_digits()?
            .checked_sub(0xdc00)
            .filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Returns a name that comes twice.
fn repeated<'m>(members: &'m [(Cow<'_, str>, Json<'_>)]) -> Option<&'m str> {
    if members.len() <= FEW_NAMES {
        return members
            .iter()
            .enumerate()
            .find(|(at, (name, _))| members.iter().take(*at).any(|(earlier, _)| earlier == name))
            .map(|(_, (name, _))| name.as_ref());
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names
        .iter()
        .zip(names.iter().skip(1))
        .find(|(one, next)| one == next)
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests;
