//! The error of a command, and its exit code.

use std::path::{Path, PathBuf};

use crate::problem::ApiProblem;

/// The reason for a non-zero exit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The server refused part of the work; the details are already printed.
    #[error("{0}")]
    Incomplete(String),
    /// The arguments or the mapping are invalid.
    #[error("{0}")]
    Usage(String),
    /// The server refused the request.
    #[error("the server refused: {0}")]
    Refused(Box<ApiProblem>),
    /// An earlier try of the request created a secret, and its response was lost. The server cannot show the secret again.
    #[error(
        "the server refused: {problem}\nThe first attempt created the key, but its response with the secret was lost. \
         Give the key a new secret:\n  edgeboard keys rotate {key} --overlap-s 0"
    )]
    SecretLost {
        /// The problem document of the server.
        problem: Box<ApiProblem>,
        /// The id of the key.
        key: String,
    },
    /// The response does not follow this API.
    #[error("{0}")]
    Protocol(String),
    /// The server is unreachable, or still asks to retry later after the last retry.
    #[error("{0}")]
    Unreachable(String),
    /// A local file could not be read or written.
    #[error("{path}: {cause}", path = path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What the system or the parser said.
        cause: String,
    },
    /// Standard output was closed or could not be written.
    #[error("standard output: {0}")]
    Output(std::io::Error),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    /// Creates an error about the file at `path`.
    pub(crate) fn file(path: &Path, cause: impl std::fmt::Display) -> Self {
        Self::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// Returns the process's exit code; `EXIT_CODES` in the help text lists all exit codes.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Incomplete(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) | Self::SecretLost { .. } | Self::Protocol(_) => 3,
            Self::Unreachable(_) => 4,
            Self::File { .. } | Self::Output(_) => 5,
            Self::Interrupted => 130,
        }
    }
}

/// The meaning of every exit code, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  incomplete: rows were refused or could not be read, or an export found no consistent snapshot
    2  wrong arguments or mapping; nothing was sent
    3  the server refused the request (its problem is printed), or is not an Edgeboard server
    4  the server is unreachable, or still asks to wait after all retries
    5  a local file could not be read or written
  130  interrupted by Ctrl-C";
