//! Joins the parts of Lua scripts, and runs a script in one command.

use std::fmt::Display;
use std::io::Write;
use std::sync::OnceLock;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Expected;

use crate::connection::{Connection, Reply};
use crate::keys::Key;

/// A script as a list of parts, the shared parts first. The first use joins the parts, so that a component contains each shared
/// part once.
#[derive(Debug)]
pub(crate) struct Script {
    parts: &'static [&'static str],
    /// The script writes nothing, so a replica may run it.
    reads_only: bool,
    /// The script deletes data, so it also runs on a server that is out of memory.
    frees_memory: bool,
    joined: OnceLock<Joined>,
}

/// The joined source of a script, and the digest by which the server knows the script.
#[derive(Debug)]
struct Joined {
    source: String,
    digest: String,
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

/// The first line of a script that may write although the server is out of memory (Redis 7.0 and newer).
const ALLOW_OOM: &str = "#!lua flags=allow-oom\n";
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

impl Script {
    /// Creates a script that writes.
    pub(crate) const fn new(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: false,
            frees_memory: false,
            joined: OnceLock::new(),
        }
    }

    /// Creates a script that only reads.
    pub(crate) const fn read_only(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: true,
            frees_memory: false,
            joined: OnceLock::new(),
        }
    }

    /// Creates a script that frees at least as much memory as it takes. A server that is out of memory runs this script with all
    /// its writes, and refuses the writes of other scripts.
    pub(crate) const fn freeing_memory(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: false,
            frees_memory: true,
            joined: OnceLock::new(),
        }
    }

    fn join_parts(&self) -> &Joined {
        self.joined.get_or_init(|| {
            let mut source = self.parts.concat();
            if self.frees_memory {
                source.insert_str(0, ALLOW_OOM);
            }
            let digest = sha1_smol::Sha1::from(&source).digest().to_string();
            Joined { source, digest }
        })
    }

    /// Runs the script by its digest; by its source if the server does not know the digest.
    pub(crate) async fn run<C: Connection>(
        &self,
        connection: &C,
        call: &ScriptCall,
    ) -> Result<Vec<Reply>, StoreError> {
        let Joined { source, digest } = self.join_parts();
        let count = call.keys.len().to_string();
        let mut arguments: Vec<&[u8]> = vec![digest.as_bytes(), count.as_bytes()];
        arguments.extend(call.keys.iter().map(Vec::as_slice));
        match &call.arguments {
            ScriptArguments::Separate(each) => arguments.extend(each.iter().map(Vec::as_slice)),
            ScriptArguments::Packed(bytes) => arguments.push(bytes),
        }
        let (by_digest, by_source) = if self.reads_only {
            ("EVALSHA_RO", "EVAL_RO")
        } else {
            ("EVALSHA", "EVAL")
        };
        match connection.command(by_digest, &arguments).await {
            Err(error) if error.is_no_script() => {
                if let Some(first) = arguments.first_mut() {
                    *first = source.as_bytes();
                }
                Ok(connection.command(by_source, &arguments).await?)
            }
            result => Ok(result?),
        }
    }
}
