//! The commands, one file each; `import` has its own directory.

pub(crate) mod export;
pub(crate) mod read;
pub(crate) mod submit;

use std::sync::Arc;

use crate::args::Global;
use crate::client::{Client, Notify};
use crate::failure::Failure;
use crate::stop::Stop;

/// A client for a command that makes a few calls; retries are told on standard error.
pub(crate) fn client(global: &Global) -> Result<Client, Failure> {
    let notify: Notify = Arc::new(|line: &str| eprintln!("edgeboard: {line}"));
    Client::new(global.connection(None), notify, Stop::new())
}

/// Reads an answer, or says that it is not one of this API.
pub(crate) fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::Protocol(format!("the answer is not as the Edgeboard API says: {error}")))
}
