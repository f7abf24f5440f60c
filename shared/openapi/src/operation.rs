//! What the description says about a route beyond the route's row in the route table.

/// What the description of each list in the order of ids says at its end.
pub(crate) const IN_ORDER_OF_IDS: &str = "The list is in the order of the ids. A client that follows the cursors gets each item that stays in the list exactly once. Each page shows the state at the time when it is read; an item that is created on a part of the list that was already read is not returned.";

/// The name of an operation for programs (`operationId`), and what the operation does, in a few words.
pub type Name = (&'static str, &'static str);

/// An operation. It belongs to the route with the same method and pattern.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `GET`, `PUT` and so on.
    pub method: &'static str,
    /// The pattern of the route.
    pub pattern: &'static str,
    /// The operation's name for programs (`operationId`).
    pub id: &'static str,
    /// What the operation does, in a few words.
    pub summary: &'static str,
    /// More about the operation, in Markdown; may be empty.
    pub description: &'static str,
    /// Whether the operation reads a list in the order of ids.
    pub lists_by_id: bool,
    /// The names of the components of the operation's query parameters and headers, without the parameters that every operation
    /// has.
    pub parameters: &'static [&'static str],
    /// The name of the schema of the request's body.
    pub body: Option<&'static str>,
    /// The responses that are not problems.
    pub answers: &'static [DescribedResponse],
    /// The statuses of the operation's problems, without those that every operation with the same permission and body has.
    pub problems: &'static [u16],
    /// Whether the route serves a file that is part of a component. Such a request does not pass the pipeline, so it has few headers and
    /// problems.
    pub file: bool,
}

/// A response that is not a problem.
#[derive(Debug, Clone, Copy)]
pub struct DescribedResponse {
    /// The status.
    pub status: u16,
    /// When the operation has this response.
    pub description: &'static str,
    /// The kind of the response's body.
    pub shape: Shape,
    /// The name of the schema of the body in the other media type that the route offers.
    pub other: Option<&'static str>,
    /// The names of the response's headers, without the headers that every response has.
    pub headers: &'static [&'static str],
    /// The examples: names of files in `tests/suite/snapshots`, which have real responses.
    pub examples: &'static [&'static str],
}

/// The kind of a response's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The response has no body.
    Empty,
    /// JSON with the schema of this name.
    Json(&'static str),
    /// JSON with the schema of this name, without a version and without other media types, because another protocol defines it.
    Plain(&'static str),
    /// Text of this media type.
    Text(&'static str),
}

impl Operation {
    /// Returns an operation without parameters, body and answers.
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
            lists_by_id: false,
            parameters: &[],
            body: None,
            answers: &[],
            problems: &[],
            file: false,
        }
    }

    /// Returns an operation that serves a file of a component.
    #[must_use]
    pub const fn file(pattern: &'static str, id: &'static str, summary: &'static str) -> Self {
        let mut file = Self::new("GET", pattern, id, summary);
        file.file = true;
        file
    }

    /// Returns the operation with a description.
    #[must_use]
    pub const fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Returns the operation with parameters.
    #[must_use]
    pub const fn takes(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Returns the operation as one on a document whose `ETag` the client can name as a precondition.
    #[must_use]
    pub const fn checks_version(mut self) -> Self {
        self.parameters = &["ifMatch", "ifNoneMatch"];
        self.problems = &[412];
        self
    }

    /// Returns the operation as one that reads a list in the order of ids, page by page.
    #[must_use]
    pub const fn lists_by_id(mut self) -> Self {
        self.lists_by_id = true;
        self.parameters = &["limitOfDocuments", "cursor"];
        self
    }

    /// Returns the operation with the schema of its body.
    #[must_use]
    pub const fn reads(mut self, schema: &'static str) -> Self {
        self.body = Some(schema);
        self
    }

    /// Returns the operation with its answers.
    #[must_use]
    pub const fn gives(mut self, answers: &'static [DescribedResponse]) -> Self {
        self.answers = answers;
        self
    }

    /// Returns the operation with statuses of problems.
    #[must_use]
    pub const fn refuses(mut self, problems: &'static [u16]) -> Self {
        self.problems = problems;
        self
    }
}

impl DescribedResponse {
    /// Returns an answer with a body.
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

    /// Returns an answer with the status 204.
    #[must_use]
    pub const fn done(description: &'static str) -> Self {
        Self::new(204, description, Shape::Empty)
    }

    /// Returns an answer with the status 304.
    #[must_use]
    pub const fn unchanged() -> Self {
        Self::new(
            304,
            "The document has not changed since the client read it.",
            Shape::Empty,
        )
        .with(&["ETag"])
    }

    /// Returns the answer with headers.
    #[must_use]
    pub const fn with(mut self, headers: &'static [&'static str]) -> Self {
        self.headers = headers;
        self
    }

    /// Returns the answer with examples.
    #[must_use]
    pub const fn like(mut self, examples: &'static [&'static str]) -> Self {
        self.examples = examples;
        self
    }

    /// Returns the answer with the schema of its body in the other media type that the route offers.
    #[must_use]
    pub const fn or(mut self, schema: &'static str) -> Self {
        self.other = Some(schema);
        self
    }
}
