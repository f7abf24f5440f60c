//! Reads and checks a manifest (`spin.toml`, version 2). An error is displayed as one line and names its
//! place.

mod check;
mod place;
mod schema;
mod template;

use std::path::{Path, PathBuf};

pub(crate) use schema::{
    Component, FilesMount, HttpTrigger, Manifest, Route, Source, StaticResponse, Variable,
};

pub(crate) use template::{Template, check_variable_name};

use place::Place;

/// An error in a manifest. Each variant is displayed as one line.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{path}: cannot read the manifest: {reason}", path = path.display())]
    Unreadable {
        /// The manifest's path.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// The text is not TOML, or does not have the structure of a manifest.
    #[error("{path}:{line}:{column}: {message}", path = path.display())]
    Malformed {
        /// The manifest's path.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// What is wrong at this place.
        message: String,
    },
    /// The structure is correct, but a value is not.
    #[error("{path}: {place}: {message}", path = path.display())]
    Invalid {
        /// The manifest's path.
        path: PathBuf,
        /// The key that is wrong, such as `component.scores.source`.
        place: String,
        /// What is wrong with the key.
        message: String,
    },
}

/// Reads and checks the manifest at `path`.
///
/// # Errors
/// The first error, with its place.
pub(crate) fn read(path: &Path) -> Result<Manifest, ManifestError> {
    let text = std::fs::read_to_string(path).map_err(|error| ManifestError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    parse(path, &text)
}

/// Parses and checks the text of a manifest. `path` is only used in errors.
///
/// # Errors
/// The first error, with its place.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Manifest, ManifestError> {
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        let place = Place::of(text, error.span());
        ManifestError::Malformed {
            path: path.to_owned(),
            line: place.line,
            column: place.column,
            message: error.message().lines().collect::<Vec<_>>().join(" "),
        }
    })?;
    check::check_manifest(&manifest).map_err(|(place, message)| ManifestError::Invalid {
        path: path.to_owned(),
        place,
        message,
    })?;
    Ok(manifest)
}

#[cfg(test)]
mod tests;
