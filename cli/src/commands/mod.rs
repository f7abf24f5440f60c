//! The commands about scores, one file each; `import` has its own directory, and so has the administration.

pub(crate) mod completion;
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

/// A random id of 128 bits, so that a retry after a lost answer is recognised.
pub(crate) fn random_id() -> Result<String, Failure> {
    let high = getrandom::u64().map_err(no_randomness)?;
    let low = getrandom::u64().map_err(no_randomness)?;
    Ok(format!("{high:016x}{low:016x}"))
}

fn no_randomness(error: getrandom::Error) -> Failure {
    Failure::Usage(format!(
        "the system gives no random numbers ({error}); give an --id"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_differ() {
        assert_ne!(random_id().unwrap(), random_id().unwrap());
        assert_eq!(random_id().unwrap().len(), 32);
    }
}
