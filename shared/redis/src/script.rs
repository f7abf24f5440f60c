//! Lua scripts: how they are put together, and how they are run in one command.

use std::sync::OnceLock;

use leaderboard_core::StoreError;

use crate::connection::{Connection, Reply};
use crate::keys::Key;

/// A script and its digest.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    /// A script that writes nothing is sent so that a replica may run it.
    reads_only: bool,
    digest: OnceLock<String>,
}

/// The keys and arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    keys: Vec<Key>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    /// A call on these keys.
    pub(crate) fn on(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: Vec::new(),
        }
    }

    /// Adds keys.
    pub(crate) fn keys(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.keys.extend(keys);
    }

    /// Adds an argument of bytes.
    pub(crate) fn bytes(&mut self, bytes: impl Into<Vec<u8>>) {
        self.arguments.push(bytes.into());
    }

    /// Adds an argument as text: names, and numbers in decimal.
    pub(crate) fn text(&mut self, value: &(impl ToString + ?Sized)) {
        self.arguments.push(value.to_string().into_bytes());
    }

    /// Adds a value as text, or the empty argument.
    pub(crate) fn option(&mut self, value: Option<impl ToString>) {
        self.arguments
            .push(value.map_or_else(Vec::new, |value| value.to_string().into_bytes()));
    }

    /// Adds a 1 or a 0.
    pub(crate) fn flag(&mut self, set: bool) {
        self.arguments.push(vec![if set { b'1' } else { b'0' }]);
    }
}

impl Script {
    /// A script that writes.
    pub(crate) const fn new(source: &'static str) -> Self {
        Self {
            source,
            reads_only: false,
            digest: OnceLock::new(),
        }
    }

    /// A script that only reads.
    pub(crate) const fn reading(source: &'static str) -> Self {
        Self {
            source,
            reads_only: true,
            digest: OnceLock::new(),
        }
    }

    /// Runs the script by its digest, or by its source when the server does not have it.
    pub(crate) async fn run<C: Connection>(
        &self,
        connection: &C,
        call: &Call,
    ) -> Result<Vec<Reply>, StoreError> {
        let digest = self
            .digest
            .get_or_init(|| sha1_smol::Sha1::from(self.source).digest().to_string());
        let count = call.keys.len().to_string();
        let mut arguments: Vec<&[u8]> = Vec::with_capacity(2 + call.keys.len() + call.arguments.len());
        arguments.extend([digest.as_bytes(), count.as_bytes()]);
        arguments.extend(call.keys.iter().chain(&call.arguments).map(Vec::as_slice));
        let (by_digest, by_source) = if self.reads_only {
            ("EVALSHA_RO", "EVAL_RO")
        } else {
            ("EVALSHA", "EVAL")
        };
        match connection.command(by_digest, &arguments).await {
            Err(error) if error.is_no_script() => {
                if let Some(first) = arguments.first_mut() {
                    *first = self.source.as_bytes();
                }
                Ok(connection.command(by_source, &arguments).await?)
            }
            answer => Ok(answer?),
        }
    }
}

/// Joins scripts, the shared parts first.
macro_rules! lua {
    ($($name:literal),+) => {
        concat!($(include_str!(concat!("scripts/", $name, ".lua"))),+)
    };
}

pub(crate) static SUBMIT: Script = Script::new(lua!("words", "period", "remembered", "submit"));
pub(crate) static REMOVE: Script = Script::new(lua!("words", "period", "reading", "remove"));
pub(crate) static HIDE: Script = Script::new(lua!("words", "period", "families", "hide"));
pub(crate) static PUT: Script = Script::new(lua!("words", "period", "families", "rebuild", "put"));
pub(crate) static DELETE: Script = Script::new(lua!("words", "period", "families", "delete"));
pub(crate) static BURY: Script = Script::new(lua!("bury"));
pub(crate) static PAGE: Script = Script::reading(lua!("words", "period", "reading", "page"));
pub(crate) static AROUND: Script = Script::reading(lua!("words", "period", "reading", "around"));
pub(crate) static STANDINGS: Script = Script::reading(lua!("words", "period", "reading", "standings"));
pub(crate) static SAMPLE: Script = Script::reading(lua!("words", "period", "reading", "sample"));
pub(crate) static POSITIONS: Script = Script::reading(lua!("words", "period", "reading", "positions"));
pub(crate) static PERIODS: Script = Script::reading(lua!("words", "period", "families", "periods"));
pub(crate) static LIST: Script = Script::reading(lua!("list"));
