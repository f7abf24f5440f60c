//! Leaderboards, and what is in them.

use crate::admin::operation::{Body, DOCUMENTS, Field, Kind, Noun, Operation, View};

const LEADERBOARD: &str = "/leaderboards/{leaderboard}";
const LEADERBOARD_FIELDS: &[Field] = &[
    Field::new("title", "title", Kind::Text, "The name for people"),
    Field::new(
        "column",
        "columns",
        Kind::Columns,
        "A column, such as points or time_ms:asc; up to three, the first decides",
    ),
    Field::new(
        "operator",
        "operator",
        Kind::One(&["best", "set", "increment", "decrement"]),
        "What a submission does to an entry",
    ),
    Field::new(
        "operator-override",
        "operator_override",
        Kind::One(&["true", "false"]),
        "Whether a submission may name another operator",
    ),
    Field::new(
        "ties",
        "ties",
        Kind::One(&["earliest", "latest", "shared", "dense"]),
        "How entries of equal values are ranked",
    ),
    Field::new(
        "reset-cron",
        "reset.cron",
        Kind::Text,
        "When a new period begins, in five fields of cron",
    ),
    Field::new(
        "reset-time-zone",
        "reset.time_zone",
        Kind::Text,
        "The time zone of the reset, such as Europe/Madrid",
    ),
    Field::new(
        "keep-periods",
        "keep_periods",
        Kind::Integer,
        "How many periods are kept, 1 to 1000",
    ),
    Field::new(
        "log-keep-events",
        "log.keep_events",
        Kind::Integer,
        "How many events the log keeps",
    ),
    Field::new(
        "log-keep-days",
        "log.keep_days",
        Kind::Integer,
        "For how many days the log keeps an event",
    ),
    Field::new(
        "starts-at",
        "starts_at",
        Kind::Instant,
        "Scores from before are refused",
    ),
    Field::new(
        "ends-at",
        "ends_at",
        Kind::Instant,
        "Scores from then on are refused",
    ),
    Field::new("min", "limits.min", Kind::Integer, "The least value"),
    Field::new("max", "limits.max", Kind::Integer, "The greatest value"),
    Field::new(
        "max-change",
        "limits.max_change",
        Kind::Integer,
        "The most that a submission changes an entry",
    ),
    Field::new(
        "max-attempts",
        "limits.max_attempts",
        Kind::Integer,
        "The most submissions of a player in a period",
    ),
    Field::new(
        "max-entries",
        "limits.max_entries",
        Kind::Integer,
        "The most entries in a period",
    ),
    Field::new(
        "read",
        "access.read",
        Kind::One(&["public", "private"]),
        "Who may read",
    ),
    Field::new(
        "write",
        "access.write",
        Kind::One(&["server", "player"]),
        "Who may write",
    ),
];
const REBUILD: &[Field] = &[Field::new(
    "rebuild",
    "rebuild",
    Kind::Switch,
    "Reorder the entries that are there, if the change needs it",
)];
const PERIOD: &[Field] = &[Field::new(
    "period",
    "period",
    Kind::Text,
    "current (the default), previous, a period's id, a date, or an instant in it",
)];

pub(super) const LEADERBOARDS: Noun = Noun {
    name: "leaderboards",
    about: "Leaderboards and their configuration",
    operations: &[
        Operation::get("list", "/leaderboards", "List the leaderboards")
            .paged(DOCUMENTS)
            .view(View::Rows(
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
        Operation::get("get", LEADERBOARD, "Show a leaderboard").conditional(),
        Operation::put(
            LEADERBOARD,
            "Create or replace a leaderboard; what is left out has its default",
            Body::Defaults(LEADERBOARD_FIELDS),
        )
        .query(REBUILD)
        .conditional(),
        Operation::patch(
            LEADERBOARD,
            "Change some fields of a leaderboard",
            LEADERBOARD_FIELDS,
        )
        .query(REBUILD)
        .conditional(),
        Operation::delete(
            "delete",
            LEADERBOARD,
            "Delete a leaderboard with all its scores",
            "deleted",
        )
        .conditional(),
        Operation::get(
            "periods",
            "/leaderboards/{leaderboard}/periods",
            "List the periods that have entries, newest first",
        )
        .paged(DOCUMENTS)
        .view(View::Rows(
            "periods",
            &["id", "starts_at", "ends_at", "count", "version"],
        )),
    ],
};

pub(super) const SCORES: Noun = Noun {
    name: "scores",
    about: "Scores that are there (`submit` and `import` make new ones)",
    operations: &[Operation::delete(
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
        Operation::get("list", "/bans", "List the bans that hold")
            .paged(DOCUMENTS)
            .view(View::Rows(
                "bans",
                &["player", "banned_at", "expires_at", "reason"],
            )),
        Operation::get("get", BAN, "Show why and until when a player is banned"),
        Operation::put(
            BAN,
            "Ban a player in every leaderboard",
            Body::Optional(&[
                Field::new("reason", "reason", Kind::Text, "Why"),
                Field::new(
                    "expires-at",
                    "expires_at",
                    Kind::Instant,
                    "When the ban ends by itself",
                ),
            ]),
        )
        .view(View::Done("banned")),
        Operation::delete("delete", BAN, "Lift a ban", "no longer banned"),
    ],
};
