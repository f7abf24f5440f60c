//! The commands about leaderboards and their contents.

use crate::admin::operation::OptionKind::{Columns, Instant, Integer, One, Switch, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, options,
};

const LEADERBOARD: &str = "/leaderboards/{leaderboard}";
const LEADERBOARD_FIELDS: &[CommandOption] = options! {
    "title" => "title": Text, "The name for people";
    "column" => "columns": Columns, "A column, such as points or time_ms:asc; up to three, the first decides";
    "operator" => "operator": One(&["best", "set", "increment", "decrement"]), "What a submission does to an entry";
    "operator-override" => "operator_override": One(&["true", "false"]), "Whether a submission may name another operator";
    "ties" => "ties": One(&["earliest", "latest", "shared", "dense"]), "How entries of equal values are ranked";
    "reset-cron" => "reset.cron": Text, "When a new period begins, in five fields of cron";
    "reset-time-zone" => "reset.time_zone": Text, "The time zone of the reset, such as Europe/Madrid";
    "keep-periods" => "keep_periods": Integer, "How many periods are kept, 1 to 1000";
    "log-keep-events" => "log.keep_events": Integer, "How many events the log keeps";
    "log-keep-days" => "log.keep_days": Integer, "For how many days the log keeps an event";
    "starts-at" => "starts_at": Instant, "Scores from before are refused";
    "ends-at" => "ends_at": Instant, "Scores from then on are refused";
    "min" => "limits.min": Integer, "The least value";
    "max" => "limits.max": Integer, "The greatest value";
    "max-change" => "limits.max_change": Integer, "The most that a submission changes an entry";
    "max-attempts" => "limits.max_attempts": Integer, "The most submissions of a player in a period";
    "max-entries" => "limits.max_entries": Integer, "The most entries in a period";
    "read" => "access.read": One(&["public", "private"]), "Who may read";
    "write" => "access.write": One(&["server", "player"]), "Who may write";
};
const REBUILD: &[CommandOption] = options! {
    "rebuild" => "rebuild": Switch, "Reorder the entries that are there, if the change needs it";
};
const PERIOD: &[CommandOption] = options! {
    "period" => "period": Text, "current (the default), previous, a period's id, a date, or an instant in it";
};

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
            "Create or replace a leaderboard; what is left out has its default",
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
            "Delete a leaderboard with all its scores",
            "deleted",
        )
        .conditional(),
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
    ],
};

pub(super) const SCORES: Noun = Noun {
    name: "scores",
    about: "Scores that are there (`submit` and `import` make new ones)",
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
    about: "Shadow bans: banned players see themselves, and nobody else sees them",
    operations: &[
        AdminOperation::get("list", "/bans", "List the bans that hold")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows("bans", "player banned_at expires_at reason")),
        AdminOperation::get("get", BAN, "Show why and until when a player is banned"),
        AdminOperation::put(
            BAN,
            "Ban a player in every leaderboard",
            BodyRule::Optional(options! {
                "reason" => "reason": Text, "Why";
                "expires-at" => "expires_at": Instant, "When the ban ends by itself";
            }),
        )
        .view(AnswerFormat::Done("banned")),
        AdminOperation::delete("delete", BAN, "Lift a ban", "no longer banned"),
    ],
};
