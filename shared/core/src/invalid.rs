//! Invalid input: what is wrong, and where.

/// A value that breaks a rule, and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// A JSON pointer (RFC 6901) relative to the object that was checked: `/columns/0/name`, or empty.
    pub pointer: String,
    /// What is wrong, as a text for the caller.
    pub detail: String,
}

impl Invalid {
    /// Creates an error about the value at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// Returns the same error with `parent` before its pointer, so that the pointer is relative to the parent object.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.pointer, self.detail)
        }
    }
}

impl std::error::Error for Invalid {}
