//! The commands about leaderboards and their contents.

use crate::admin::operation::OptionKind::{Columns, Instant, Integer, One, Switch, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, ENTRIES, EVENTS, Noun, options,
};

const LEADERBOARD: &str = "/leaderboards/{leaderboard}";
const LEADERBOARD_FIELDS: &[CommandOption] = options! {
    "title" => "title": Text, "The title of the leaderboard, for people";
    "column" => "columns": Columns, "A column, such as points or time_ms:asc. Repeatable, up to three; the first column decides the order";
    "operator" => "operator": One(&["best", "set", "increment", "decrement"]), "How a submission changes an entry";
    "operator-override" => "operator_override": One(&["true", "false"]), "Whether the submission of a server may name another operator";
    "ties" => "ties": One(&["earliest", "latest", "shared", "dense"]), "How entries with equal values are ranked";
    "reset-cron" => "reset.cron": Text, "When a new period begins: a cron expression with five fields";
    "reset-time-zone" => "reset.time_zone": Text, "The time zone of the cron expression, such as Europe/Madrid";
    "keep-periods" => "keep_periods": Integer, "How many periods are kept, 1 to 1000";
    "log-keep-events" => "log.keep_events": Integer, "How many events the event log keeps at most";
    "log-keep-days" => "log.keep_days": Integer, "For how many days the event log keeps an event at most";
    "late-scores" => "late_scores": One(&["refuse", "reopen"]), "What a score does that belongs to a period with final standings";
    "claim-days" => "claim_days": Integer, "For how many days a prize can be claimed, 1 to 365";
    "starts-at" => "starts_at": Instant, "Refuse scores that happened before this instant";
    "ends-at" => "ends_at": Instant, "Refuse scores that happened at this instant or later";
    "min" => "limits.min": Integer, "The smallest value of the first column";
    "max" => "limits.max": Integer, "The largest value of the first column";
    "max-change" => "limits.max_change": Integer, "The largest amount by which one submission may change the first column of an entry";
    "max-attempts" => "limits.max_attempts": Integer, "How many submissions of one player a period accepts";
    "max-entries" => "limits.max_entries": Integer, "How many entries a period can have";
    "read" => "access.read": One(&["public", "private"]), "Who may read the leaderboard";
    "write" => "access.write": One(&["server", "player"]), "Who may submit scores";
};
const REBUILD: &[CommandOption] = options! {
    "rebuild" => "rebuild": Switch, "Allow the service to reorder the entries of the current period, if the change requires it, and to repair the stored counts of a period";
    "period" => "period": Text, "The period whose stored counts --rebuild repairs: current, previous, the id of a period, or a date or an instant in a period [default: current]";
};
const COMPARISON: &[CommandOption] = options! {
    "period" => "period": Text, "The period: current, previous, the id of a period, or a date or an instant in a period [default: current]";
    "swap" => "swap": Switch, "Correct the entries that differ";
    "after" => "after": Text, "Continue where a command that was stopped was, as it said last";
};
const PERIOD: &[CommandOption] = options! {
    "period" => "period": Text, "The period: current, previous, the id of a period, or a date or an instant in a period [default: current]";
};

const ENDED_PERIOD: &[CommandOption] = options! {
    "period" => "period": Text, "A period that has ended: previous, the id of a period, or a date or an instant in a period [default: previous]";
};

const DAYS: &[CommandOption] = options! {
    "from" => "from": Text, "The first day (UTC) [default: 29 days before --to]";
    "to" => "to": Text, "The last day (UTC) [default: today]";
};
const ACTIVITY_TABLE: AnswerFormat =
    AnswerFormat::Rows("days", "day submissions changes players players_exact");
pub(super) const LEADERBOARDS: Noun = Noun {
    name: "leaderboards",
    about: "Leaderboards and their configuration",
    operations: &[
        AdminOperation::get("list", "/leaderboards", "List the leaderboards")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "leaderboards",
                "id title columns operator ties reset access.read access.write",
            )),
        AdminOperation::get("get", LEADERBOARD, "Show a leaderboard").conditional(),
        AdminOperation::put(
            LEADERBOARD,
            "Create or replace a leaderboard; a field that is left out gets its default",
            BodyRule::Defaults(LEADERBOARD_FIELDS),
        )
        .query(REBUILD)
        .conditional(),
        AdminOperation::patch(
            LEADERBOARD,
            "Change some fields of a leaderboard",
            LEADERBOARD_FIELDS,
        )
        .query(REBUILD)
        .conditional(),
        AdminOperation::delete(
            "delete",
            LEADERBOARD,
            "Delete a leaderboard with all its data",
            "deleted",
        )
        .conditional(),
        AdminOperation::post(
            "rebuild",
            "/leaderboards/{leaderboard}/rebuild",
            "Compare the entries of a period with a replay of the event log",
            BodyRule::None,
        )
        .query(COMPARISON)
        .view(AnswerFormat::Comparison),
        AdminOperation::get(
            "export",
            "/leaderboards/{leaderboard}/export",
            "Write a leaderboard with its history to standard output, as JSON lines",
        )
        .view(AnswerFormat::ExportedLines),
        AdminOperation::post(
            "import",
            "/leaderboards/{leaderboard}/import",
            "Import a leaderboard with its history from standard input; a repeated command continues",
            BodyRule::None,
        )
        .view(AnswerFormat::ImportedLines),
        AdminOperation::get(
            "get-import",
            "/leaderboards/{leaderboard}/import",
            "Show how far an import is",
        ),
        AdminOperation::delete(
            "delete-import",
            "/leaderboards/{leaderboard}/import",
            "Delete what an import has written so far",
            "has no import under way",
        ),
        AdminOperation::get(
            "periods",
            "/leaderboards/{leaderboard}/periods",
            "List the periods that have entries, newest first",
        )
        .paged(DOCUMENTS)
        .view(AnswerFormat::Rows(
            "periods",
            "id starts_at ends_at count version",
        )),
        AdminOperation::get(
            "events",
            "/leaderboards/{leaderboard}/events",
            "List the events of a leaderboard, oldest first",
        )
        .paged(EVENTS)
        .view(AnswerFormat::Rows(
            "events",
            "position recorded_at type player period values",
        )),
        AdminOperation::get(
            "activity",
            "/leaderboards/{leaderboard}/activity",
            "Show the daily activity of a leaderboard",
        )
        .query(DAYS)
        .view(ACTIVITY_TABLE),
        AdminOperation::post(
            "rebuild-activity",
            "/leaderboards/{leaderboard}/activity/rebuild",
            "Build the daily activity again from the event log",
            BodyRule::None,
        )
        .query(DAYS)
        .view(ACTIVITY_TABLE),
        AdminOperation::get(
            "standings",
            "/leaderboards/{leaderboard}/standings",
            "List the final standings of a period that has ended; the first request makes them final",
        )
        .query(ENDED_PERIOD)
        .paged(ENTRIES)
        .view(AnswerFormat::Rows("entries", "rank player values prize")),
    ],
};

const CLAIM: &str = "/leaderboards/{leaderboard}/claims/{player}";
const CLAIMS_OF_LEADERBOARD: &str = "/leaderboards/{leaderboard}/claims";
pub(super) const CLAIMS: Noun = Noun {
    name: "claims",
    about: "Prizes of players in periods that have ended",
    operations: &[
        AdminOperation::get("list", CLAIMS_OF_LEADERBOARD, "List the players who have a prize")
            .query(ENDED_PERIOD)
            .paged(ENTRIES)
            .view(AnswerFormat::Rows(
                "claims",
                "rank player prize state claimed_at expires_at",
            )),
        AdminOperation::get("get", CLAIM, "Show the prize of a player").query(ENDED_PERIOD),
        AdminOperation::post(
            "create",
            CLAIMS_OF_LEADERBOARD,
            "Claim the prize of a player; a repeated command shows the first claim",
            BodyRule::Required(options! {
                "player" => "player": Text, "The player who claims";
                "period" => "period": Text, "The period, which has ended [default: previous]";
            }),
        ),
    ],
};

pub(super) const SCORES: Noun = Noun {
    name: "scores",
    about: "Entries of players (`submit` and `import` send new scores)",
    operations: &[AdminOperation::delete(
        "delete",
        "/leaderboards/{leaderboard}/scores/{player}",
        "Remove a player's entry from a period",
        "removed",
    )
    .query(PERIOD)],
};

const BAN: &str = "/players/{player}/ban";
pub(super) const BANS: Noun = Noun {
    name: "bans",
    about: "Shadow bans: only the banned player still sees the entries of this player",
    operations: &[
        AdminOperation::get("list", "/bans", "List the bans in force")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows("bans", "player banned_at expires_at reason")),
        AdminOperation::get("get", BAN, "Show the reason and the end of a player's ban"),
        AdminOperation::put(
            BAN,
            "Ban a player in every leaderboard",
            BodyRule::Optional(options! {
                "reason" => "reason": Text, "Why the player is banned, for administrators";
                "expires-at" => "expires_at": Instant, "When the ban ends [default: never]";
            }),
        )
        .view(AnswerFormat::Done("banned")),
        AdminOperation::delete("delete", BAN, "Lift a ban", "no longer banned"),
    ],
};
