//! Why a host does not start. Every error prints as one line.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::manifest::ManifestError;

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A value that the manifest needs is missing, or makes it wrong.
    #[error("{place}: {reason}")]
    Value {
        /// The key of the manifest or the option it is about.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The Wasm of a component cannot be read.
    #[error("component.{id}.source: {path}: {reason}", path = path.display())]
    MissingComponent {
        /// The component.
        id: String,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The Wasm of a component cannot be run.
    #[error("component.{id}: {reason}")]
    BadComponent {
        /// The component.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address is taken.
    #[error("{0} is already in use: choose another with --listen, or port 0 for a free one")]
    PortInUse(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        reason: String,
    },
    /// The state directory or a file in it cannot be used.
    #[error("--state-dir: {0}")]
    State(String),
    /// The engine or a thread cannot be made.
    #[error("cannot start: {0}")]
    System(String),
}

/// An error as one line, with its causes and without backtraces.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(|cause| cause.to_string());
    let lines = causes.filter(|cause| !cause.starts_with("error while executing at wasm backtrace"));
    lines
        .map(|cause| cause.lines().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(": ")
}
