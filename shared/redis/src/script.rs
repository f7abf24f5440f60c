//! A script of the library, and the keys and arguments of one run of it.

use std::fmt::Display;
use std::io::Write;

use leaderboard_core::ports::Expected;

use crate::keys::{self, Key};
use crate::placement::Placement;

/// A script of the library (see `scripts.rs`).
#[derive(Debug)]
pub(crate) struct Script {
    /// The name under which the library registers the script.
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
}

/// What a script does to the data. The server refuses a script that does more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The script only reads, so a replica may run it.
    Reads,
    /// The script writes, so a server that is out of memory refuses it.
    Writes,
    /// The script frees at least as much memory as it takes, so a server that is out of memory runs it with all its writes.
    FreesMemory,
}

/// The keys and arguments of one run of a script.
#[derive(Debug, Default)]
pub(crate) struct ScriptCall {
    keys: Vec<Key>,
    arguments: ScriptArguments,
}

/// How the command carries the arguments.
#[derive(Debug)]
enum ScriptArguments {
    /// Each argument is an argument of the command.
    Separate(Vec<Vec<u8>>),
    /// One argument of the command holds all arguments, each after its length; `next_argument` in `arguments.lua` reads them.
    /// An argument of a command costs a microsecond in host and server, and a submission has dozens.
    Packed(Vec<u8>),
}

impl Default for ScriptArguments {
    fn default() -> Self {
        Self::Separate(Vec::new())
    }
}

/// The length of an argument takes four bytes before the argument.
const LENGTH_BYTES: usize = 4;

impl ScriptCall {
    /// Creates a call with these keys and separate arguments.
    pub(crate) fn with_keys(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: ScriptArguments::default(),
        }
    }

    /// Creates a call with these keys for a script that reads its arguments with `next_argument`.
    pub(crate) fn with_packed_arguments(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: ScriptArguments::Packed(Vec::new()),
        }
    }

    /// Adds keys.
    pub(crate) fn add_keys(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.keys.extend(keys);
    }

    /// Adds the argument that `write` writes.
    fn add_argument(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        match &mut self.arguments {
            ScriptArguments::Separate(arguments) => {
                let mut argument = Vec::new();
                write(&mut argument);
                arguments.push(argument);
            }
            ScriptArguments::Packed(bytes) => {
                let begin = bytes.len() + LENGTH_BYTES;
                bytes.resize(begin, 0);
                write(bytes);
                let length = u32::try_from(bytes.len() - begin).unwrap_or(u32::MAX);
                if let Some(length_bytes) = bytes.get_mut(begin - LENGTH_BYTES..begin) {
                    length_bytes.copy_from_slice(&length.to_be_bytes());
                }
            }
        }
    }

    /// Adds an argument of bytes.
    pub(crate) fn add_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.add_argument(|argument| argument.extend_from_slice(bytes.as_ref()));
    }

    /// Replaces the first argument. Does nothing to packed arguments.
    pub(crate) fn replace_first_argument(&mut self, value: &str) {
        if let ScriptArguments::Separate(arguments) = &mut self.arguments
            && let Some(first) = arguments.first_mut()
        {
            *first = value.as_bytes().to_vec();
        }
    }

    /// Adds an argument as text: a name, or a number in decimal.
    pub(crate) fn add_text(&mut self, value: &(impl Display + ?Sized)) {
        self.add_argument(|argument| {
            // Writing to memory does not fail.
            let _ = write!(argument, "{value}");
        });
    }

    /// Adds a value as text, or an empty argument for `None`.
    pub(crate) fn add_option(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.add_text(&value),
            None => self.add_bytes([]),
        }
    }

    /// Adds an expected version in the form of `is_expected` in `expected_version.lua`.
    pub(crate) fn add_expected(&mut self, expected: Expected) {
        match expected {
            Expected::Any => self.add_text("any"),
            Expected::Absent => self.add_text("absent"),
            Expected::Version(version) => self.add_text(&version),
        }
    }

    /// Adds a 1 or a 0.
    pub(crate) fn add_flag(&mut self, set: bool) {
        self.add_bytes([if set { b'1' } else { b'0' }]);
    }
}

impl ScriptCall {
    /// Returns the arguments of a command that runs a script: `first` (the name of a function, or the digest of a source), the number
    /// of keys, the keys, the arguments. A placement is one more key and one more argument, both the last.
    pub(crate) fn command_arguments<'a>(
        &'a self,
        first: &'a [u8],
        key_count: &'a [u8],
        placement: Option<&'a Placement>,
    ) -> Vec<&'a [u8]> {
        let mut arguments = vec![first, key_count];
        arguments.extend(self.keys.iter().map(Vec::as_slice));
        arguments.extend(placement.map(|placement| placement.marker.as_slice()));
        match &self.arguments {
            ScriptArguments::Separate(each) => arguments.extend(each.iter().map(Vec::as_slice)),
            ScriptArguments::Packed(bytes) => arguments.push(bytes),
        }
        arguments.extend(placement.map(|placement| placement.expected.as_bytes()));
        arguments
    }

    /// Returns the number of keys in decimal, with the key of a placement.
    pub(crate) fn key_count(&self, placement: Option<&Placement>) -> String {
        (self.keys.len() + usize::from(placement.is_some())).to_string()
    }

    /// Returns the tenant of the keys; `None` for keys of the operator.
    pub(crate) fn tenant(&self) -> Option<&str> {
        keys::tenant_of(&self.keys)
    }
}
