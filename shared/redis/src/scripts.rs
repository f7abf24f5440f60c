//! The Lua scripts of this crate. They are one library: first the shared parts, in the order in which they need each other, then
//! the scripts. The head comment of a Lua file describes KEYS, ARGV and the reply.

use crate::script::{Effect, Script};

/// Defines the library's source, and a [`Script`] for each of its scripts: `NAME = Effect "file";`. A script can have a further file
/// before it, for functions that only this script calls. Lua allows 200 local variables in the library, and such functions do not
/// count.
macro_rules! library {
    (shared $($shared:literal)*; $($name:ident = $effect:ident $($file:literal)+;)*) => {
        /// The source of all scripts. It expects a function `register_script` (see `library.rs`).
        pub(crate) const LIBRARY: &str = concat!(
            $(include_str!(concat!("scripts/", $shared, ".lua")),)*
            $(
                "add_script('", stringify!($name), "', '", stringify!($effect), "', function()\n",
                $(include_str!(concat!("scripts/", $file, ".lua")),)+
                "end)\n",
            )*
        );
        $(
            pub(crate) static $name: Script = Script { name: stringify!($name), effect: Effect::$effect };
        )*
    };
}

library! {
    shared
        "arguments" "numbers" "clock" "publish" "versions" "expected_version" "period" "period_keys" "bans"
        "period_reads" "period_summary" "rate_limits" "entry_counts" "period_deletion" "expiries" "log"
        "idempotency" "entry_rules" "standings" "submission_arguments" "submission_plans" "submission_writes"
        "documents" "dead_letters" "queue" "register";

    SUBMIT = Writes "submit";
    ANNOUNCE = Writes "announce";
    WRITE_CLOCK = Writes "write_clock";
    CHARGE = Writes "charge";
    READ_USAGE = Writes "read_usage";
    COUNT_ENTRIES = Writes "count_entries";
    REMOVE_ENTRY = FreesMemory "remove_entry";
    ERASE_ENTRIES = FreesMemory "erase_entries";
    SEARCH_STREAM = Reads "search_stream";
    REWRITE_STREAM = Writes "rewrite_stream";
    CHANGE_BANS = FreesMemory "change_bans";
    LIST_BANS = Reads "list_bans";
    FIND_BANNED = Reads "find_banned";
    PUT_LEADERBOARD = Writes "rebuild" "put_leaderboard";
    APPLY_EXPIRIES = Writes "apply_expiries";
    DELETE_LEADERBOARD = FreesMemory "delete_leaderboard";
    SWEEP_DELETED = FreesMemory "sweep_deleted";
    PUSH_DEAD_LETTERS = Writes "push_dead_letters";
    DELETE_DEAD_LETTER = FreesMemory "delete_dead_letter";
    LIST_DEAD_LETTERS = Reads "list_dead_letters";
    ENQUEUE = Writes "enqueue";
    CLAIM_ITEMS = Writes "claim_items";
    RETRY_ITEMS = Writes "retry_items";
    FINISH_ITEMS = FreesMemory "finish_items";
    LIST_PENDING = Reads "list_pending";
    MEASURE_QUEUE = Reads "measure_queue";
    FIND_EARLY_ITEMS = Reads "find_early_items";
    FIND_REQUESTS_ABOUT = Reads "find_requests_about";
    DELETE_REQUEST = FreesMemory "delete_request";
    APPEND_AUDIT = Writes "append_audit";
    READ_AUDIT = Reads "read_audit";
    READ_PAGE = Reads "read_page";
    READ_AROUND = Reads "read_around";
    ENTRIES_BY_PLAYER = Reads "entries_by_player";
    READ_SAMPLE = Reads "read_sample";
    FIND_POSITIONS = Reads "find_positions";
    READ_STORED_ENTRIES = Reads "stored_entries" "read_stored_entries";
    SCAN_STORED_PLAYERS = Writes "stored_entries" "scan_stored_players";
    CORRECT_ENTRIES = Writes "stored_entries" "correct_entries";
    PUT_SNAPSHOT = Writes "put_snapshot";
    DELETE_SNAPSHOTS = FreesMemory "delete_snapshots";
    FREEZE_STANDINGS = Writes "freeze_standings";
    READ_CLAIMS = Reads "read_claims";
    CLAIM_PRIZE = Writes "claim_prize";
    FIND_STORED_PERIOD = Reads "find_stored_period";
    LIST_STORED_ENTRIES = Reads "list_stored_entries";
    LIST_CLAIMS = Reads "list_claims";
    BEGIN_IMPORT = Writes "begin_import";
    WRITE_IMPORT = Writes "write_import";
    FINISH_IMPORT = Writes "finish_import";
    DISCARD_IMPORT = FreesMemory "discard_import" "delete_leaderboard";
    LIST_PERIODS = Reads "list_periods";
    FIND_PERIOD = Reads "find_period";
    LIST_LEADERBOARDS = Reads "list_leaderboards";
    READ_LEADERBOARDS = Reads "read_leaderboards";
    READ_DOCUMENTS = Reads "read_documents";
    LIST_DOCUMENTS = Reads "list_documents";
    DELETE_DOCUMENT = FreesMemory "delete_document";
    ADD_COUNTERS = Writes "add_counters";
    PUT_DOCUMENT = Writes "put_document";
    SHORTEN_DOCUMENT = FreesMemory "put_document";
    RUN_READ = Reads "run_read";
    FIND_PLACE = Reads "find_place";
    PLACE_TENANT = FreesMemory "place_tenant";
    MARK_PLACE = FreesMemory "mark_place";
    READ_MARKER = Reads "move" "read_marker";
    CHANGE_MARKER = FreesMemory "move" "change_marker";
    SET_PLACE = FreesMemory "set_place";
    SCAN_TENANT = Reads "move" "scan_tenant";
    DELETE_KEYS = FreesMemory "move" "delete_keys";
    MEASURE_KEYS = Reads "streams" "measure_keys";
    READ_PARTS = Reads "streams" "read_parts";
    WRITE_PARTS = Writes "move" "write_parts";
}
