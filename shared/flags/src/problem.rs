//! Problems of flag documents.

use std::fmt;

use crate::limits::MAX_PROBLEMS;

/// A problem of a flag document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagProblem {
    /// The location as a JSON pointer (RFC 6901); empty for the document itself.
    pub pointer: String,
    /// What is wrong, as a text for people.
    pub detail: String,
}

impl fmt::Display for FlagProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(f, "{path}: {}", self.detail)
    }
}

/// The problems found so far, at most [`MAX_PROBLEMS`].
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<FlagProblem>);

impl Problems {
    pub(crate) fn add(&mut self, path: &DocumentPath<'_>, detail: impl Into<String>) {
        self.add_at(path.pointer(), detail);
    }

    pub(crate) fn add_at(&mut self, pointer: String, detail: impl Into<String>) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(FlagProblem {
                pointer,
                detail: detail.into(),
            });
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_vec(self) -> Vec<FlagProblem> {
        self.0
    }
}

/// A location in the document, as a chain of borrowed names. The JSON pointer is built only when there is a problem.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DocumentPath<'a> {
    Document,
    Member(&'a DocumentPath<'a>, &'a str),
    Element(&'a DocumentPath<'a>, usize),
}

impl DocumentPath<'_> {
    /// Returns the location as a JSON pointer (RFC 6901).
    pub(crate) fn pointer(&self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Member(parent, name) => {
                format!(
                    "{}/{}",
                    parent.pointer(),
                    name.replace('~', "~0").replace('/', "~1")
                )
            }
            Self::Element(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_its_names() {
        let flags = DocumentPath::Member(&DocumentPath::Document, "flags");
        let flag = DocumentPath::Member(&flags, "a/b~c");
        assert_eq!(DocumentPath::Element(&flag, 3).pointer(), "/flags/a~1b~0c/3");
    }

    #[test]
    fn the_number_of_reported_problems_is_limited() {
        let mut problems = Problems::default();
        for _ in 0..MAX_PROBLEMS * 2 {
            problems.add(&DocumentPath::Document, "wrong");
        }
        assert_eq!(problems.into_vec().len(), MAX_PROBLEMS);
    }
}
