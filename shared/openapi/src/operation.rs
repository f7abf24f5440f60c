//! What is said of a route beyond what its table says.

/// One operation. Method and path find its route; the paths of both versions are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `GET`, `PUT` and so on.
    pub method: &'static str,
    /// The route's pattern, as its table has it.
    pub pattern: &'static str,
    /// A name for programs; version 2 adds `V2` to it.
    pub id: &'static str,
    /// A few words.
    pub summary: &'static str,
    /// What there is to know beyond them, in Markdown; may be empty.
    pub description: &'static str,
    /// The parameters of the query and the headers beyond those of every operation: names of components.
    pub parameters: &'static [&'static str],
    /// The schema of the body.
    pub body: Option<&'static str>,
    /// What is answered when all goes well.
    pub answers: &'static [Answer],
    /// The statuses of the problems beyond those that every operation of its kind has.
    pub problems: &'static [u16],
    /// Whether it is a file that a component carries: it goes through no pipeline, so little is said of it, and little can
    /// go wrong.
    pub file: bool,
}

/// One good answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// When it is given.
    pub description: &'static str,
    /// The shape of its body.
    pub shape: Shape,
    /// The schema of the body in the other media type that the route offers.
    pub other: Option<&'static str>,
    /// Names of the headers it has beyond those of every answer.
    pub headers: &'static [&'static str],
    /// Examples: names of files of `tests/suite/snapshots`, which hold real answers.
    pub examples: &'static [&'static str],
}

/// The shape of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// None.
    Empty,
    /// A schema; each version has its own.
    Json(&'static str),
    /// JSON that has no version and no other media type: a protocol of others.
    Plain(&'static str),
    /// Text of this media type.
    Text(&'static str),
}

impl Operation {
    /// An operation without parameters, body and answers.
    #[must_use]
    pub const fn new(
        method: &'static str,
        pattern: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            pattern,
            id,
            summary,
            description: "",
            parameters: &[],
            body: None,
            answers: &[],
            problems: &[],
            file: false,
        }
    }

    /// A file that a component carries.
    #[must_use]
    pub const fn file(pattern: &'static str, id: &'static str, summary: &'static str) -> Self {
        let mut file = Self::new("GET", pattern, id, summary);
        file.file = true;
        file
    }

    /// The same, with a description.
    #[must_use]
    pub const fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// The same, with parameters.
    #[must_use]
    pub const fn takes(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The same, with a body.
    #[must_use]
    pub const fn reads(mut self, schema: &'static str) -> Self {
        self.body = Some(schema);
        self
    }

    /// The same, with its good answers.
    #[must_use]
    pub const fn gives(mut self, answers: &'static [Answer]) -> Self {
        self.answers = answers;
        self
    }

    /// The same, with problems of these statuses.
    #[must_use]
    pub const fn refuses(mut self, problems: &'static [u16]) -> Self {
        self.problems = problems;
        self
    }
}

impl Answer {
    /// An answer with a body.
    #[must_use]
    pub const fn new(status: u16, description: &'static str, shape: Shape) -> Self {
        Self {
            status,
            description,
            shape,
            other: None,
            headers: &[],
            examples: &[],
        }
    }

    /// 204.
    #[must_use]
    pub const fn done(description: &'static str) -> Self {
        Self::new(204, description, Shape::Empty)
    }

    /// 304.
    #[must_use]
    pub const fn unchanged() -> Self {
        Self::new(304, "The client has it already.", Shape::Empty).with(&["ETag"])
    }

    /// The same, with headers.
    #[must_use]
    pub const fn with(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
        self
    }

    /// The same, with examples.
    #[must_use]
    pub const fn like(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    /// The same, with the schema of the body in the other media type that the route offers.
    #[must_use]
    pub const fn or(mut self, schema: &'static str) -> Self {
        self.other = Some(schema);
        self
    }
}
