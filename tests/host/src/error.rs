//! The errors of a start. Each error is displayed as one line.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::manifest::ManifestError;

/// The reason why a host does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A value of a variable or an option is missing or wrong.
    #[error("{place}: {reason}")]
    Value {
        /// The key of the manifest, or the option.
        place: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// The Wasm of a component cannot be read.
    #[error("component.{id}.source: {path}: {reason}", path = path.display())]
    MissingComponent {
        /// The id of the component.
        id: String,
        /// The path of the component's Wasm file.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// The Wasm of a component cannot be run.
    #[error("component.{id}: {reason}")]
    BadComponent {
        /// The id of the component.
        id: String,
        /// What is wrong with the component.
        reason: String,
    },
    /// Another process listens on the address.
    #[error("{0} is already in use: choose another with --listen, or port 0 for a free one")]
    PortInUse(SocketAddr),
    /// The host cannot listen on the address for another reason.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The message of the operating system.
        reason: String,
    },
    /// The state directory or a file in it cannot be used.
    #[error("--state-dir: {0}")]
    State(String),
    /// The engine or a thread cannot be created.
    #[error("cannot start: {0}")]
    System(String),
}

/// Formats an error in one line, with its causes and without backtraces.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(|cause| cause.to_string());
    let lines = causes.filter(|cause| !cause.starts_with("error while executing at wasm backtrace"));
    lines
        .map(|cause| cause.lines().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(": ")
}
