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

pub(crate) static SUBMIT: Script = Script::new(&[
    NUMBERS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    PUBLISH,
    RATE_LIMITS,
    ENTRY_COUNTS,
    LOG,
    BANS,
    include_str!("scripts/idempotency.lua"),
    include_str!("scripts/entry_rules.lua"),
    include_str!("scripts/submit.lua"),
]);
pub(crate) static ANNOUNCE: Script = Script::new(&[CLOCK, PUBLISH, include_str!("scripts/announce.lua")]);
pub(crate) static CHARGE: Script = Script::new(&[
    NUMBERS,
    ARGUMENTS,
    CLOCK,
    RATE_LIMITS,
    include_str!("scripts/charge.lua"),
]);
pub(crate) static READ_USAGE: Script = Script::new(&[
    NUMBERS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    ENTRY_COUNTS,
    LOG,
    include_str!("scripts/read_usage.lua"),
]);
pub(crate) static COUNT_ENTRIES: Script = Script::new(&[
    NUMBERS,
    PERIOD,
    ARGUMENTS,
    CLOCK,
    ENTRY_COUNTS,
    include_str!("scripts/count_entries.lua"),
]);
pub(crate) static REMOVE_ENTRY: Script = Script::freeing_memory(&[
    NUMBERS,
    PERIOD,
    CLOCK,
    ENTRY_COUNTS,
    LOG,
    BANS,
    PERIOD_READS,
    include_str!("scripts/remove_entry.lua"),
]);
pub(crate) static CHANGE_BANS: Script = Script::freeing_memory(&[
    NUMBERS,
    PERIOD,
    LOG,
    BANS,
    include_str!("scripts/change_bans.lua"),
]);
pub(crate) static LIST_BANS: Script =
    Script::read_only(&[NUMBERS, BANS, include_str!("scripts/list_bans.lua")]);
pub(crate) static PUT_LEADERBOARD: Script = Script::new(&[
    NUMBERS,
    PERIOD,
    CLOCK,
    VERSIONS,
    ENTRY_COUNTS,
    LOG,
    PERIOD_KEYS,
    PERIOD_DELETION,
    EXPIRIES,
    EXPECTED_VERSION,
    include_str!("scripts/rebuild.lua"),
    include_str!("scripts/put_leaderboard.lua"),
]);
pub(crate) static APPLY_EXPIRIES: Script = Script::new(&[
    NUMBERS,
    PERIOD,
    CLOCK,
    ENTRY_COUNTS,
    PERIOD_KEYS,
    EXPIRIES,
    include_str!("scripts/apply_expiries.lua"),
]);
pub(crate) static DELETE_LEADERBOARD: Script = Script::freeing_memory(&[
    NUMBERS,
    PERIOD,
    CLOCK,
    ENTRY_COUNTS,
    LOG,
    PERIOD_KEYS,
    PERIOD_DELETION,
    EXPECTED_VERSION,
    include_str!("scripts/delete_leaderboard.lua"),
]);
pub(crate) static SWEEP_DELETED: Script = Script::freeing_memory(&[
    NUMBERS,
    PERIOD,
    CLOCK,
    ENTRY_COUNTS,
    PERIOD_KEYS,
    PERIOD_DELETION,
    include_str!("scripts/sweep_deleted.lua"),
]);
pub(crate) static PUSH_DEAD_LETTERS: Script =
    Script::new(&[DEAD_LETTERS, include_str!("scripts/push_dead_letters.lua")]);
pub(crate) static DELETE_DEAD_LETTER: Script =
    Script::freeing_memory(&[DEAD_LETTERS, include_str!("scripts/delete_dead_letter.lua")]);
pub(crate) static LIST_DEAD_LETTERS: Script =
    Script::read_only(&[include_str!("scripts/list_dead_letters.lua")]);
pub(crate) static APPEND_AUDIT: Script = Script::new(&[include_str!("scripts/append_audit.lua")]);
pub(crate) static READ_AUDIT: Script = Script::read_only(&[include_str!("scripts/read_audit.lua")]);
pub(crate) static READ_PAGE: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_READS,
    include_str!("scripts/read_page.lua"),
]);
pub(crate) static READ_AROUND: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_READS,
    include_str!("scripts/read_around.lua"),
]);
pub(crate) static ENTRIES_BY_PLAYER: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_READS,
    include_str!("scripts/entries_by_player.lua"),
]);
pub(crate) static READ_SAMPLE: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_READS,
    include_str!("scripts/read_sample.lua"),
]);
pub(crate) static FIND_POSITIONS: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_READS,
    include_str!("scripts/find_positions.lua"),
]);
pub(crate) static LIST_PERIODS: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    BANS,
    PERIOD_KEYS,
    PERIOD_SUMMARY,
    include_str!("scripts/list_periods.lua"),
]);
pub(crate) static FIND_PERIOD: Script = Script::read_only(&[
    NUMBERS,
    PERIOD,
    PERIOD_SUMMARY,
    include_str!("scripts/find_period.lua"),
]);
pub(crate) static LIST_LEADERBOARDS: Script =
    Script::read_only(&[include_str!("scripts/list_leaderboards.lua")]);
pub(crate) static READ_LEADERBOARDS: Script =
    Script::read_only(&[include_str!("scripts/read_leaderboards.lua")]);
pub(crate) static READ_DOCUMENTS: Script =
    Script::read_only(&[NUMBERS, DOCUMENTS, include_str!("scripts/read_documents.lua")]);
pub(crate) static LIST_DOCUMENTS: Script =
    Script::read_only(&[NUMBERS, DOCUMENTS, include_str!("scripts/list_documents.lua")]);
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
pub(crate) static DELETE_DOCUMENT: Script = Script::freeing_memory(&[
    NUMBERS,
    EXPECTED_VERSION,
    DOCUMENTS,
    include_str!("scripts/delete_document.lua"),
]);
pub(crate) static ADD_COUNTERS: Script = Script::new(&[NUMBERS, include_str!("scripts/add_counters.lua")]);
