//! Lua scripts: how they are put together, and how they are run in one command.

use std::fmt::Display;
use std::io::Write;
use std::sync::OnceLock;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Expected;

use crate::connection::{Connection, Reply};
use crate::keys::Key;

/// A script: its parts, the shared ones first. They are joined at the first use, so that a component holds each
/// shared part once.
#[derive(Debug)]
pub(crate) struct Script {
    parts: &'static [&'static str],
    /// A script that writes nothing is sent so that a replica may run it.
    reads_only: bool,
    /// A script that takes data out runs on a server that is out of memory, too.
    frees_memory: bool,
    joined: OnceLock<Joined>,
}

/// A script as the server knows it.
#[derive(Debug)]
struct Joined {
    source: String,
    digest: String,
}

/// The keys and arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    keys: Vec<Key>,
    arguments: Arguments,
}

/// How arguments go out.
#[derive(Debug)]
enum Arguments {
    /// Each on its own.
    Each(Vec<Vec<u8>>),
    /// All in one, each after its length: what `take` in `arguments.lua` reads. Each argument of a command costs a
    /// microsecond on its way through the host and the server, and a submission has dozens.
    Together(Vec<u8>),
}

impl Default for Arguments {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

/// The first line of a script that may write although the server is out of memory (Redis 7.0 and newer).
const ALLOW_OOM: &str = "#!lua flags=allow-oom\n";
/// The bytes of a length before an argument.
const LENGTH_BYTES: usize = 4;

impl Call {
    /// A call on these keys.
    pub(crate) fn on(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: Arguments::default(),
        }
    }

    /// A call on these keys of a script that reads its arguments with `take`.
    pub(crate) fn taking(keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: Arguments::Together(Vec::new()),
        }
    }

    /// Adds keys.
    pub(crate) fn keys(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.keys.extend(keys);
    }

    /// Adds the argument that `write` writes.
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        match &mut self.arguments {
            Arguments::Each(arguments) => {
                let mut argument = Vec::new();
                write(&mut argument);
                arguments.push(argument);
            }
            Arguments::Together(bytes) => {
                let begin = bytes.len() + LENGTH_BYTES;
                bytes.resize(begin, 0);
                write(bytes);
                let length = u32::try_from(bytes.len() - begin).unwrap_or(u32::MAX);
                if let Some(place) = bytes.get_mut(begin - LENGTH_BYTES..begin) {
                    place.copy_from_slice(&length.to_be_bytes());
                }
            }
        }
    }

    /// Adds an argument of bytes.
    pub(crate) fn bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.add(|argument| argument.extend_from_slice(bytes.as_ref()));
    }

    /// Replaces the first argument of those that go out each on its own.
    pub(crate) fn replace_first(&mut self, value: &str) {
        if let Arguments::Each(arguments) = &mut self.arguments
            && let Some(first) = arguments.first_mut()
        {
            *first = value.as_bytes().to_vec();
        }
    }

    /// Adds an argument as text: names, and numbers in decimal.
    pub(crate) fn text(&mut self, value: &(impl Display + ?Sized)) {
        self.add(|argument| {
            // Writing to memory does not fail.
            let _ = write!(argument, "{value}");
        });
    }

    /// Adds a value as text, or the empty argument.
    pub(crate) fn option(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.text(&value),
            None => self.bytes([]),
        }
    }

    /// Adds what `is_expected` in `expected.lua` understands.
    pub(crate) fn expected(&mut self, expected: Expected) {
        match expected {
            Expected::Any => self.text("any"),
            Expected::Absent => self.text("absent"),
            Expected::Version(version) => self.text(&version),
        }
    }

    /// Adds a 1 or a 0.
    pub(crate) fn flag(&mut self, set: bool) {
        self.bytes([if set { b'1' } else { b'0' }]);
    }
}

impl Script {
    /// A script that writes.
    pub(crate) const fn new(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: false,
            frees_memory: false,
            joined: OnceLock::new(),
        }
    }

    /// A script that only reads.
    pub(crate) const fn reading(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: true,
            frees_memory: false,
            joined: OnceLock::new(),
        }
    }

    /// A script that takes more out than it writes, or as much. The server runs it, with all its writes, when it is out of memory and
    /// refuses the writes of other scripts.
    pub(crate) const fn freeing(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            reads_only: false,
            frees_memory: true,
            joined: OnceLock::new(),
        }
    }

    fn joined(&self) -> &Joined {
        self.joined.get_or_init(|| {
            let mut source = self.parts.concat();
            if self.frees_memory {
                source.insert_str(0, ALLOW_OOM);
            }
            let digest = sha1_smol::Sha1::from(&source).digest().to_string();
            Joined { source, digest }
        })
    }

    /// Runs the script by its digest, or by its source when the server does not have it.
    pub(crate) async fn run<C: Connection>(
        &self,
        connection: &C,
        call: &Call,
    ) -> Result<Vec<Reply>, StoreError> {
        let Joined { source, digest } = self.joined();
        let count = call.keys.len().to_string();
        let mut arguments: Vec<&[u8]> = vec![digest.as_bytes(), count.as_bytes()];
        arguments.extend(call.keys.iter().map(Vec::as_slice));
        match &call.arguments {
            Arguments::Each(each) => arguments.extend(each.iter().map(Vec::as_slice)),
            Arguments::Together(bytes) => arguments.push(bytes),
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
            answer => Ok(answer?),
        }
    }
}

const WORDS: &str = include_str!("scripts/words.lua");
const PERIOD: &str = include_str!("scripts/period.lua");
const ARGUMENTS: &str = include_str!("scripts/arguments.lua");
const CLOCK: &str = include_str!("scripts/clock.lua");
const PUBLISH: &str = include_str!("scripts/publish.lua");
const VERSIONS: &str = include_str!("scripts/versions.lua");
const METERING: &str = include_str!("scripts/metering.lua");
const HELD: &str = include_str!("scripts/held.lua");
const LOG: &str = include_str!("scripts/log.lua");
const EXPECTED: &str = include_str!("scripts/expected.lua");
const DOCUMENTS: &str = include_str!("scripts/documents.lua");
const BANS: &str = include_str!("scripts/bans.lua");
const READING: &str = include_str!("scripts/reading.lua");
const DEAD_LETTERS: &str = include_str!("scripts/dead_letters.lua");
const FAMILIES: &str = include_str!("scripts/families.lua");
const EXPIRIES: &str = include_str!("scripts/expiries.lua");
const GONE: &str = include_str!("scripts/gone.lua");
const SUMMARY: &str = include_str!("scripts/summary.lua");

pub(crate) static SUBMIT: Script = Script::new(&[
    WORDS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    PUBLISH,
    METERING,
    HELD,
    LOG,
    BANS,
    include_str!("scripts/remembered.lua"),
    include_str!("scripts/decide.lua"),
    include_str!("scripts/submit.lua"),
]);
pub(crate) static ANNOUNCE: Script = Script::new(&[CLOCK, PUBLISH, include_str!("scripts/announce.lua")]);
pub(crate) static METER: Script = Script::new(&[
    WORDS,
    ARGUMENTS,
    CLOCK,
    METERING,
    include_str!("scripts/meter.lua"),
]);
pub(crate) static USAGE: Script = Script::new(&[
    WORDS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    HELD,
    LOG,
    include_str!("scripts/usage.lua"),
]);
pub(crate) static COUNT_ENTRIES: Script = Script::new(&[
    WORDS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    HELD,
    include_str!("scripts/count_entries.lua"),
]);
pub(crate) static REMOVE: Script = Script::freeing(&[
    WORDS,
    PERIOD,
    CLOCK,
    HELD,
    LOG,
    BANS,
    READING,
    include_str!("scripts/remove.lua"),
]);
pub(crate) static CHANGE_BANS: Script =
    Script::freeing(&[WORDS, PERIOD, LOG, BANS, include_str!("scripts/change_bans.lua")]);
pub(crate) static LIST_BANS: Script = Script::reading(&[WORDS, BANS, include_str!("scripts/list_bans.lua")]);
pub(crate) static PUT: Script = Script::new(&[
    WORDS,
    PERIOD,
    CLOCK,
    VERSIONS,
    HELD,
    LOG,
    FAMILIES,
    GONE,
    EXPIRIES,
    EXPECTED,
    include_str!("scripts/rebuild.lua"),
    include_str!("scripts/put.lua"),
]);
pub(crate) static APPLY_EXPIRIES: Script = Script::new(&[
    WORDS,
    PERIOD,
    CLOCK,
    HELD,
    FAMILIES,
    EXPIRIES,
    include_str!("scripts/apply_expiries.lua"),
]);
pub(crate) static DELETE: Script = Script::freeing(&[
    WORDS,
    PERIOD,
    CLOCK,
    HELD,
    LOG,
    FAMILIES,
    GONE,
    EXPECTED,
    include_str!("scripts/delete.lua"),
]);
pub(crate) static SWEEP: Script = Script::freeing(&[
    WORDS,
    PERIOD,
    CLOCK,
    HELD,
    FAMILIES,
    GONE,
    include_str!("scripts/sweep.lua"),
]);
pub(crate) static PUSH_DEAD_LETTERS: Script =
    Script::new(&[DEAD_LETTERS, include_str!("scripts/push_dead_letters.lua")]);
pub(crate) static DELETE_DEAD_LETTER: Script =
    Script::freeing(&[DEAD_LETTERS, include_str!("scripts/delete_dead_letter.lua")]);
pub(crate) static LIST_DEAD_LETTERS: Script =
    Script::reading(&[include_str!("scripts/list_dead_letters.lua")]);
pub(crate) static APPEND_AUDIT: Script = Script::new(&[include_str!("scripts/append_audit.lua")]);
pub(crate) static READ_AUDIT: Script = Script::reading(&[include_str!("scripts/read_audit.lua")]);
pub(crate) static PAGE: Script =
    Script::reading(&[WORDS, PERIOD, BANS, READING, include_str!("scripts/page.lua")]);
pub(crate) static AROUND: Script =
    Script::reading(&[WORDS, PERIOD, BANS, READING, include_str!("scripts/around.lua")]);
pub(crate) static STANDINGS: Script = Script::reading(&[
    WORDS,
    PERIOD,
    BANS,
    READING,
    include_str!("scripts/standings.lua"),
]);
pub(crate) static SAMPLE: Script =
    Script::reading(&[WORDS, PERIOD, BANS, READING, include_str!("scripts/sample.lua")]);
pub(crate) static POSITIONS: Script = Script::reading(&[
    WORDS,
    PERIOD,
    BANS,
    READING,
    include_str!("scripts/positions.lua"),
]);
pub(crate) static PERIODS: Script = Script::reading(&[
    WORDS,
    PERIOD,
    BANS,
    FAMILIES,
    SUMMARY,
    include_str!("scripts/periods.lua"),
]);
pub(crate) static FIND_PERIOD: Script =
    Script::reading(&[WORDS, PERIOD, SUMMARY, include_str!("scripts/find_period.lua")]);
pub(crate) static LIST: Script = Script::reading(&[include_str!("scripts/list.lua")]);
pub(crate) static READ_CONFIGURATIONS: Script =
    Script::reading(&[include_str!("scripts/read_configurations.lua")]);
pub(crate) static READ_DOCUMENTS: Script =
    Script::reading(&[WORDS, DOCUMENTS, include_str!("scripts/read_documents.lua")]);
pub(crate) static LIST_DOCUMENTS: Script =
    Script::reading(&[WORDS, DOCUMENTS, include_str!("scripts/list_documents.lua")]);
/// The parts of a put of a document.
const PUT_DOCUMENT_PARTS: &[&str] = &[
    WORDS,
    CLOCK,
    VERSIONS,
    EXPECTED,
    DOCUMENTS,
    include_str!("scripts/put_document.lua"),
];
pub(crate) static PUT_DOCUMENT: Script = Script::new(PUT_DOCUMENT_PARTS);
/// A put of a document that is no longer than the one before it, on a server that is out of memory.
pub(crate) static SHORTEN_DOCUMENT: Script = Script::freeing(PUT_DOCUMENT_PARTS);
pub(crate) static DELETE_DOCUMENT: Script = Script::freeing(&[
    WORDS,
    EXPECTED,
    DOCUMENTS,
    include_str!("scripts/delete_document.lua"),
]);
pub(crate) static COUNT: Script = Script::new(&[WORDS, include_str!("scripts/count.lua")]);
