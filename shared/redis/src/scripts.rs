//! The Lua scripts of this crate. Each script is a list of parts: the shared parts first, in the order in which they need each
//! other, then the script's own part. The head comment of a Lua file says which parts it needs, and describes KEYS, ARGV
//! and the reply.

use crate::script::Script;

const NUMBERS: &str = include_str!("scripts/numbers.lua");
const PERIOD: &str = include_str!("scripts/period.lua");
const ARGUMENTS: &str = include_str!("scripts/arguments.lua");
const CLOCK: &str = include_str!("scripts/clock.lua");
const PUBLISH: &str = include_str!("scripts/publish.lua");
const VERSIONS: &str = include_str!("scripts/versions.lua");
const RATE_LIMITS: &str = include_str!("scripts/rate_limits.lua");
const ENTRY_COUNTS: &str = include_str!("scripts/entry_counts.lua");
const LOG: &str = include_str!("scripts/log.lua");
const EXPECTED_VERSION: &str = include_str!("scripts/expected_version.lua");
const DOCUMENTS: &str = include_str!("scripts/documents.lua");
const BANS: &str = include_str!("scripts/bans.lua");
const PERIOD_READS: &str = include_str!("scripts/period_reads.lua");
const DEAD_LETTERS: &str = include_str!("scripts/dead_letters.lua");
const PERIOD_KEYS: &str = include_str!("scripts/period_keys.lua");
const EXPIRIES: &str = include_str!("scripts/expiries.lua");
const PERIOD_DELETION: &str = include_str!("scripts/period_deletion.lua");
const PERIOD_SUMMARY: &str = include_str!("scripts/period_summary.lua");

/// Defines scripts: `NAME = kind([shared parts], own parts);`. The kind is a constructor of [`Script`].
macro_rules! scripts {
    ($($name:ident = $kind:ident([$($shared:ident)*], $($own:literal)+);)*) => {$(
        pub(crate) static $name: Script =
            Script::$kind(&[$($shared,)* $(include_str!(concat!("scripts/", $own, ".lua"))),+]);
    )*};
}

scripts! {
    SUBMIT = new(
        [NUMBERS PERIOD ARGUMENTS CLOCK PUBLISH RATE_LIMITS ENTRY_COUNTS LOG BANS],
        "idempotency" "entry_rules" "submit"
    );
    ANNOUNCE = new([CLOCK PUBLISH], "announce");
    CHARGE = new([NUMBERS ARGUMENTS CLOCK RATE_LIMITS], "charge");
    READ_USAGE = new([NUMBERS PERIOD ARGUMENTS CLOCK ENTRY_COUNTS LOG], "read_usage");
    COUNT_ENTRIES = new([NUMBERS PERIOD ARGUMENTS CLOCK ENTRY_COUNTS], "count_entries");
    REMOVE_ENTRY = freeing_memory([NUMBERS PERIOD CLOCK ENTRY_COUNTS LOG BANS PERIOD_READS], "remove_entry");
    CHANGE_BANS = freeing_memory([NUMBERS PERIOD LOG BANS], "change_bans");
    LIST_BANS = read_only([NUMBERS BANS], "list_bans");
    PUT_LEADERBOARD = new(
        [NUMBERS PERIOD CLOCK VERSIONS ENTRY_COUNTS LOG PERIOD_KEYS PERIOD_DELETION EXPIRIES EXPECTED_VERSION],
        "rebuild" "put_leaderboard"
    );
    APPLY_EXPIRIES = new([NUMBERS PERIOD CLOCK ENTRY_COUNTS PERIOD_KEYS EXPIRIES], "apply_expiries");
    DELETE_LEADERBOARD = freeing_memory(
        [NUMBERS PERIOD CLOCK ENTRY_COUNTS LOG PERIOD_KEYS PERIOD_DELETION EXPECTED_VERSION],
        "delete_leaderboard"
    );
    SWEEP_DELETED = freeing_memory(
        [NUMBERS PERIOD CLOCK ENTRY_COUNTS PERIOD_KEYS PERIOD_DELETION],
        "sweep_deleted"
    );
    PUSH_DEAD_LETTERS = new([DEAD_LETTERS], "push_dead_letters");
    DELETE_DEAD_LETTER = freeing_memory([DEAD_LETTERS], "delete_dead_letter");
    LIST_DEAD_LETTERS = read_only([], "list_dead_letters");
    APPEND_AUDIT = new([], "append_audit");
    READ_AUDIT = read_only([], "read_audit");
    READ_PAGE = read_only([NUMBERS PERIOD BANS PERIOD_READS], "read_page");
    READ_AROUND = read_only([NUMBERS PERIOD BANS PERIOD_READS], "read_around");
    ENTRIES_BY_PLAYER = read_only([NUMBERS PERIOD BANS PERIOD_READS], "entries_by_player");
    READ_SAMPLE = read_only([NUMBERS PERIOD BANS PERIOD_READS], "read_sample");
    FIND_POSITIONS = read_only([NUMBERS PERIOD BANS PERIOD_READS], "find_positions");
    LIST_PERIODS = read_only([NUMBERS PERIOD BANS PERIOD_KEYS PERIOD_SUMMARY], "list_periods");
    FIND_PERIOD = read_only([NUMBERS PERIOD PERIOD_SUMMARY], "find_period");
    LIST_LEADERBOARDS = read_only([], "list_leaderboards");
    READ_LEADERBOARDS = read_only([], "read_leaderboards");
    READ_DOCUMENTS = read_only([NUMBERS DOCUMENTS], "read_documents");
    LIST_DOCUMENTS = read_only([NUMBERS DOCUMENTS], "list_documents");
    DELETE_DOCUMENT = freeing_memory([NUMBERS EXPECTED_VERSION DOCUMENTS], "delete_document");
    ADD_COUNTERS = new([NUMBERS], "add_counters");
}

/// The parts of the two scripts that store a document.
const PUT_DOCUMENT_PARTS: &[&str] = &[
    NUMBERS,
    CLOCK,
    VERSIONS,
    EXPECTED_VERSION,
    DOCUMENTS,
    include_str!("scripts/put_document.lua"),
];
pub(crate) static PUT_DOCUMENT: Script = Script::new(PUT_DOCUMENT_PARTS);
/// [`PUT_DOCUMENT`] for a server that is out of memory and a document that is not longer than the stored document.
pub(crate) static SHORTEN_DOCUMENT: Script = Script::freeing_memory(PUT_DOCUMENT_PARTS);
