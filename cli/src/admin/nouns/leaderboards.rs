//! Leaderboards, and what is in them.

use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, OptionKind,
};

const LEADERBOARD: &str = "/leaderboards/{leaderboard}";
const LEADERBOARD_FIELDS: &[CommandOption] = &[
    CommandOption::new("title", "title", OptionKind::Text, "The name for people"),
    CommandOption::new(
        "column",
        "columns",
        OptionKind::Columns,
        "A column, such as points or time_ms:asc; up to three, the first decides",
    ),
    CommandOption::new(
        "operator",
        "operator",
        OptionKind::One(&["best", "set", "increment", "decrement"]),
        "What a submission does to an entry",
    ),
    CommandOption::new(
        "operator-override",
        "operator_override",
        OptionKind::One(&["true", "false"]),
        "Whether a submission may name another operator",
    ),
    CommandOption::new(
        "ties",
        "ties",
        OptionKind::One(&["earliest", "latest", "shared", "dense"]),
        "How entries of equal values are ranked",
    ),
    CommandOption::new(
        "reset-cron",
        "reset.cron",
        OptionKind::Text,
        "When a new period begins, in five fields of cron",
    ),
    CommandOption::new(
        "reset-time-zone",
        "reset.time_zone",
        OptionKind::Text,
        "The time zone of the reset, such as Europe/Madrid",
    ),
    CommandOption::new(
        "keep-periods",
        "keep_periods",
        OptionKind::Integer,
        "How many periods are kept, 1 to 1000",
    ),
    CommandOption::new(
        "log-keep-events",
        "log.keep_events",
        OptionKind::Integer,
        "How many events the log keeps",
    ),
    CommandOption::new(
        "log-keep-days",
        "log.keep_days",
        OptionKind::Integer,
        "For how many days the log keeps an event",
    ),
    CommandOption::new(
        "starts-at",
        "starts_at",
        OptionKind::Instant,
        "Scores from before are refused",
    ),
    CommandOption::new(
        "ends-at",
        "ends_at",
        OptionKind::Instant,
        "Scores from then on are refused",
    ),
    CommandOption::new("min", "limits.min", OptionKind::Integer, "The least value"),
    CommandOption::new("max", "limits.max", OptionKind::Integer, "The greatest value"),
    CommandOption::new(
        "max-change",
        "limits.max_change",
        OptionKind::Integer,
        "The most that a submission changes an entry",
    ),
    CommandOption::new(
        "max-attempts",
        "limits.max_attempts",
        OptionKind::Integer,
        "The most submissions of a player in a period",
    ),
    CommandOption::new(
        "max-entries",
        "limits.max_entries",
        OptionKind::Integer,
        "The most entries in a period",
    ),
    CommandOption::new(
        "read",
        "access.read",
        OptionKind::One(&["public", "private"]),
        "Who may read",
    ),
    CommandOption::new(
        "write",
        "access.write",
        OptionKind::One(&["server", "player"]),
        "Who may write",
    ),
];
const REBUILD: &[CommandOption] = &[CommandOption::new(
    "rebuild",
    "rebuild",
    OptionKind::Switch,
    "Reorder the entries that are there, if the change needs it",
)];
const PERIOD: &[CommandOption] = &[CommandOption::new(
    "period",
    "period",
    OptionKind::Text,
    "current (the default), previous, a period's id, a date, or an instant in it",
)];

pub(super) const LEADERBOARDS: Noun = Noun {
    name: "leaderboards",
    about: "Leaderboards and their configuration",
    operations: &[
        AdminOperation::get("list", "/leaderboards", "List the leaderboards")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "leaderboards",
                &[
                    "id",
                    "title",
                    "columns",
                    "operator",
                    "ties",
                    "reset",
                    "access.read",
                    "access.write",
                ],
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
            &["id", "starts_at", "ends_at", "count", "version"],
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
            .view(AnswerFormat::Rows(
                "bans",
                &["player", "banned_at", "expires_at", "reason"],
            )),
        AdminOperation::get("get", BAN, "Show why and until when a player is banned"),
        AdminOperation::put(
            BAN,
            "Ban a player in every leaderboard",
            BodyRule::Optional(&[
                CommandOption::new("reason", "reason", OptionKind::Text, "Why"),
                CommandOption::new(
                    "expires-at",
                    "expires_at",
                    OptionKind::Instant,
                    "When the ban ends by itself",
                ),
            ]),
        )
        .view(AnswerFormat::Done("banned")),
        AdminOperation::delete("delete", BAN, "Lift a ban", "no longer banned"),
    ],
};
