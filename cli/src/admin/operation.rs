//! Administrative commands as data: each describes one request to the API.

/// A kind of resource with its operations: `edgeboard <noun> <verb>`.
pub(crate) struct Noun {
    /// The noun on the command line.
    pub(in crate::admin) name: &'static str,
    /// The description of the noun in the help.
    pub(in crate::admin) about: &'static str,
    /// The operations of the noun.
    pub(in crate::admin) operations: &'static [AdminOperation],
}

/// One request to the API.
pub(crate) struct AdminOperation {
    pub(in crate::admin) verb: &'static str,
    pub(in crate::admin) about: &'static str,
    pub(in crate::admin) method: &'static str,
    /// The path below `/api/v1`; each `{name}` is an argument.
    pub(in crate::admin) path: &'static str,
    /// The path of the request if the user leaves out the argument.
    pub(in crate::admin) path_without: Option<&'static str>,
    /// Whether the same path exists below `/operator`, for the operator's own document.
    pub(in crate::admin) for_operator: bool,
    pub(in crate::admin) query: &'static [CommandOption],
    pub(in crate::admin) body: BodyRule,
    pub(in crate::admin) paged: Option<ListPaging>,
    /// Whether the operation supports `If-Match`.
    pub(in crate::admin) conditional: bool,
    /// Whether each request creates a resource. A retry must then have the same `Idempotency-Key`.
    pub(in crate::admin) creates: bool,
    pub(in crate::admin) view: AnswerFormat,
}

/// Whether a request has a body, and the options that set its members.
#[derive(Clone, Copy)]
pub(crate) enum BodyRule {
    /// The request has no body.
    None,
    /// The user must give a body.
    Required(&'static [CommandOption]),
    /// The default body is an empty object: every member has its default value.
    Defaults(&'static [CommandOption]),
    /// The default is a request without a body.
    Optional(&'static [CommandOption]),
}

/// An option that becomes a member of the body, or a parameter of the query.
pub(crate) struct CommandOption {
    pub(in crate::admin) flag: &'static str,
    /// The path of the member in the body, with dots between the names.
    pub(in crate::admin) member: &'static str,
    pub(in crate::admin) kind: OptionKind,
    pub(in crate::admin) help: &'static str,
}

/// The type of an option's value.
#[derive(Clone, Copy)]
pub(crate) enum OptionKind {
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An instant (RFC 3339) or a date.
    Instant,
    /// A switch: true if it is given.
    Switch,
    /// One of these words.
    One(&'static [&'static str]),
    /// Some of these words, or any words if the list is empty. Repeatable, or with commas between words.
    Many(&'static [&'static str]),
    /// Columns of a leaderboard, `name` or `name:asc`. Repeatable.
    Columns,
}

/// How to request the next page of a list.
#[derive(Clone, Copy)]
pub(crate) struct ListPaging {
    /// The query parameter that takes the `next` of the previous page.
    pub(in crate::admin) cursor: &'static str,
    /// The most items that the API returns in a page.
    pub(in crate::admin) page_limit: u64,
}

/// A list of documents.
pub(in crate::admin) const DOCUMENTS: ListPaging = ListPaging {
    cursor: "cursor",
    page_limit: 200,
};
/// A list of records.
pub(in crate::admin) const RECORDS: ListPaging = ListPaging {
    cursor: "before",
    page_limit: 1000,
};
/// A list of events.
pub(in crate::admin) const EVENTS: ListPaging = ListPaging {
    cursor: "after",
    page_limit: 1000,
};

/// A list of entries.
pub(in crate::admin) const ENTRIES: ListPaging = ListPaging {
    cursor: "cursor",
    page_limit: 1000,
};

/// A list of dead letters.
pub(in crate::admin) const LETTERS: ListPaging = ListPaging {
    cursor: "cursor",
    page_limit: 1000,
};

/// How to print a response for people.
#[derive(Clone, Copy)]
pub(crate) enum AnswerFormat {
    /// One line for each member.
    Fields,
    /// A list as a table: the member that contains the list, and the paths of the columns. A path has dots; spaces separate the
    /// paths.
    Rows(&'static str, &'static str),
    /// An object as a table with one row for each name: the member that contains the object, and the paths of the columns in its
    /// values.
    Named(&'static str, &'static str),
    /// The member that contains a secret: the secret goes to standard output, and the rest of the response to standard error.
    Secret(&'static str),
    /// The requests compare some entries each: print the sums of all of them, one line for each member.
    Comparison,
    /// All pages of an export: print their lines to standard output.
    ExportedLines,
    /// The requests have the lines of standard input: print how far the import is.
    ImportedLines,
    /// The requests each do a part of a move: print the last response, one line for each member.
    Move,
    /// The response has no body: print the last parameter of the path, and these words.
    Done(&'static str),
}

impl AdminOperation {
    const fn new(verb: &'static str, method: &'static str, path: &'static str, about: &'static str) -> Self {
        Self {
            verb,
            about,
            method,
            path,
            path_without: None,
            for_operator: false,
            query: &[],
            body: BodyRule::None,
            paged: None,
            conditional: false,
            creates: false,
            view: AnswerFormat::Fields,
        }
    }

    /// Creates a `GET` operation, which reads a resource.
    pub(in crate::admin) const fn get(verb: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(verb, "GET", path, about)
    }

    /// Creates a `PUT` operation, which creates or replaces a resource.
    pub(in crate::admin) const fn put(path: &'static str, about: &'static str, body: BodyRule) -> Self {
        Self::put_as("put", path, about, body)
    }

    /// Creates a `PUT` operation with another verb than `put`.
    pub(in crate::admin) const fn put_as(
        verb: &'static str,
        path: &'static str,
        about: &'static str,
        body: BodyRule,
    ) -> Self {
        Self::new(verb, "PUT", path, about).body(body)
    }

    /// Creates a `PATCH` operation, which changes parts of a resource.
    pub(in crate::admin) const fn patch(
        path: &'static str,
        about: &'static str,
        fields: &'static [CommandOption],
    ) -> Self {
        Self::new("patch", "PATCH", path, about).body(BodyRule::Required(fields))
    }

    /// Creates a `POST` operation, which creates a resource or performs an action.
    pub(in crate::admin) const fn post(
        verb: &'static str,
        path: &'static str,
        about: &'static str,
        body: BodyRule,
    ) -> Self {
        Self::new(verb, "POST", path, about).body(body)
    }

    /// Creates a `DELETE` operation, which removes a resource.
    pub(in crate::admin) const fn delete(
        verb: &'static str,
        path: &'static str,
        about: &'static str,
        done: &'static str,
    ) -> Self {
        Self::new(verb, "DELETE", path, about).view(AnswerFormat::Done(done))
    }

    const fn body(self, body: BodyRule) -> Self {
        Self { body, ..self }
    }

    pub(in crate::admin) const fn without(self, path: &'static str) -> Self {
        Self {
            path_without: Some(path),
            ..self
        }
    }

    pub(in crate::admin) const fn for_operator(self) -> Self {
        Self {
            for_operator: true,
            ..self
        }
    }

    pub(in crate::admin) const fn query(self, query: &'static [CommandOption]) -> Self {
        Self { query, ..self }
    }

    pub(in crate::admin) const fn paged(self, paged: ListPaging) -> Self {
        Self {
            paged: Some(paged),
            ..self
        }
    }

    pub(in crate::admin) const fn conditional(self) -> Self {
        Self {
            conditional: true,
            ..self
        }
    }

    pub(in crate::admin) const fn creates(self) -> Self {
        Self {
            creates: true,
            ..self
        }
    }

    pub(in crate::admin) const fn view(self, view: AnswerFormat) -> Self {
        Self { view, ..self }
    }

    /// Returns the names between braces in the path, in order.
    pub(in crate::admin) fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl BodyRule {
    pub(in crate::admin) fn fields(self) -> &'static [CommandOption] {
        match self {
            Self::None => &[],
            Self::Required(fields) | Self::Defaults(fields) | Self::Optional(fields) => fields,
        }
    }
}

/// Lists options, a row for each: `flag => member: kind, help;`.
macro_rules! options {
    ($($flag:literal => $member:literal: $kind:expr, $help:literal;)*) => {
        &[$(crate::admin::operation::CommandOption { flag: $flag, member: $member, kind: $kind, help: $help }),*]
    };
}
pub(in crate::admin) use options;
