//! Random histories of leaderboards. Tests run them on a store and on the model, and compare the results.

use leaderboard_core::{
    Columns, IdScope, LateScores, Leaderboard, Limits, LogPolicy, MAX_KEEP_DAYS, MAX_KEEP_EVENTS,
    MAX_KEEP_PERIODS, Metadata, Operator, Order, PlayerId, Schedule, StandingsPolicy, Ties,
};
use leaderboard_test_support::values::{self as examples, DAY_MS, columns, schedule};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The largest number of steps of a history.
pub const MOST_STEPS: usize = 60;
/// The ids of the leaderboards of a history.
pub const BOARDS: [&str; 3] = [FIRST, SECOND, THIRD];
const FIRST: &str = "one";
const SECOND: &str = "two";
const THIRD: &str = "three";
const HOUR_MS: i64 = 3_600_000;

/// The players and the leaderboards of a history, and the calls that follow.
#[derive(Debug, Clone)]
pub struct History {
    /// The players that the steps choose from.
    pub players: Vec<PlayerId>,
    /// The leaderboards that exist before the first step.
    pub boards: Vec<Leaderboard>,
    /// The calls.
    pub steps: Vec<Step>,
}

/// One call, or the time that passes.
#[derive(Debug, Clone)]
pub enum Step {
    /// One call with some submissions.
    Submit {
        /// The submissions.
        submissions: Vec<RandomSubmission>,
        /// The limits.
        limits: CallLimits,
    },
    /// An earlier submission is repeated.
    Repeat {
        /// Chooses the submission.
        which: Index,
        /// For each of [`BOARDS`], whether the repeated submission goes to it.
        boards: Vec<bool>,
    },
    /// A configuration is stored.
    Configure {
        /// The configuration.
        leaderboard: Box<Leaderboard>,
        /// Whether entries may be reordered.
        rebuild: bool,
        /// The largest number of leaderboards of the tenant.
        max_leaderboards: Option<u64>,
    },
    /// A leaderboard is deleted.
    Delete {
        /// Its position in [`BOARDS`].
        board: usize,
    },
    /// An entry is removed.
    Remove {
        /// The position of its leaderboard in [`BOARDS`].
        board: usize,
        /// Chooses the player.
        player: Index,
        /// How long ago its period was the current period, in milliseconds.
        back_ms: i64,
    },
    /// A player is banned.
    Ban {
        /// Chooses the player.
        player: Index,
        /// The duration in milliseconds; `None` for a ban without an end.
        for_ms: Option<i64>,
    },
    /// A ban ends.
    Unban(Index),
    /// A player is erased.
    Erase(Index),
    /// The standings of an ended period become final, and a player claims a prize in them.
    Freeze {
        /// The position of the leaderboard in [`BOARDS`].
        board: usize,
        /// Chooses the player.
        player: Index,
        /// How long ago the period was the current period, in milliseconds.
        back_ms: i64,
    },
    /// Time passes.
    Pass {
        /// The time in milliseconds.
        ms: i64,
    },
}

/// The limits of a call.
#[derive(Debug, Clone, Default)]
pub struct CallLimits {
    /// The burst of the rate limit to which every submission is charged.
    pub burst: Option<u64>,
    /// The largest number of entries of the tenant.
    pub max_entries: Option<u64>,
    /// The largest number of calls of a day.
    pub max_calls: Option<u64>,
}

/// A submission. It has three values, because a leaderboard has at most three columns.
#[derive(Debug, Clone)]
pub struct RandomSubmission {
    /// For each of [`BOARDS`], whether the submission goes to it.
    pub boards: Vec<bool>,
    /// Chooses the player.
    pub player: Index,
    /// The values.
    pub values: Vec<i64>,
    /// The operator.
    pub operator: Operator,
    /// The metadata.
    pub metadata: Option<Metadata>,
    /// How long before the call the submission happened, in milliseconds. Negative if its clock is ahead.
    pub ago_ms: i64,
    /// The number in its id.
    pub id: Option<u8>,
    /// Where the id is unique.
    pub id_scope: IdScope,
    /// Whether an earlier check refused it, so that only a replay of its id succeeds.
    pub refused: bool,
}

/// Generates small values often, so that there are ties, and values of the whole range.
fn values() -> impl Strategy<Value = i64> {
    let edges_of_64_bits = [
        i64::MIN,
        i64::MIN + 1,
        i64::MAX - 1,
        i64::MAX,
        1 << 53,
        (1 << 53) + 1,
        -(1 << 53) - 1,
    ];
    let edges_of_32_bits = [
        1 << 32,
        (1 << 32) - 1,
        -(1 << 32),
        -(1 << 32) - 1,
        (1 << 31),
        -(1 << 31),
    ];
    prop_oneof![
        5 => -2..=2_i64,
        1 => select(edges_of_64_bits.to_vec()),
        1 => select(edges_of_32_bits.to_vec()),
        1 => any::<i64>(),
    ]
}

/// Generates names with combining marks, right-to-left letters, emoji and quotes, and the longest names.
fn players() -> impl Strategy<Value = Vec<PlayerId>> {
    let name = prop_oneof![
        "[ab]{1,2}",
        "\\PC{1,12}",
        "[e\u{301}\u{308}é\u{5d0}-\u{5ea}\u{627}-\u{63a}\u{200f}😀-😎👍🏽\"'`\\\\%:,{} ]{1,8}",
        "é{64}",
        "[x-z]{128}",
    ];
    let named = name.prop_filter_map("a player", |text| PlayerId::new(text).ok());
    prop::collection::btree_set(named, 2..9)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn random_columns() -> impl Strategy<Value = Columns> {
    let order = select(vec![Order::Ascending, Order::Descending]);
    prop::collection::vec(order, 1..=3).prop_map(|orders| columns(&orders))
}

fn operators() -> impl Strategy<Value = Operator> {
    select(vec![
        Operator::Best,
        Operator::Set,
        Operator::Increment,
        Operator::Decrement,
    ])
}

fn schedules() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::never()),
        Just(schedule("0 * * * *", "UTC")),
        Just(schedule("30 2 * * *", "Europe/Madrid")),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let bounded = (
        of(-3..=0_i64),
        of(0..=3_i64),
        of(1..=4_u64),
        of(1..=5_u32),
        of(1..=5_u64),
    )
        .prop_map(|(min, max, max_change, max_attempts, max_entries)| Limits {
            min,
            max,
            max_change,
            max_attempts,
            max_entries,
        });
    prop_oneof![3 => Just(Limits::default()), 1 => bounded]
}

fn leaderboards(name: &'static str) -> impl Strategy<Value = Leaderboard> {
    let ties = select(vec![Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]);
    let late_scores = select(vec![LateScores::Refuse, LateScores::Reopen]);
    (
        random_columns(),
        ties,
        operators(),
        schedules(),
        limits(),
        late_scores,
    )
        .prop_map(
            move |(columns, ties, operator, schedule, limits, late_scores)| Leaderboard {
                standings: StandingsPolicy {
                    late_scores,
                    ..StandingsPolicy::default()
                },
                columns,
                ties,
                operator,
                schedule,
                limits,
                // A store may or may not have deleted an expired period, so no period expires in these histories.
                keep_periods: MAX_KEEP_PERIODS,
                // The log keeps all events, so that it can be replayed.
                log: LogPolicy {
                    keep_events: MAX_KEEP_EVENTS,
                    keep_days: MAX_KEEP_DAYS,
                },
                ..examples::board(name)
            },
        )
}

/// Generates, for each of [`BOARDS`], whether a submission goes to it.
fn targeted_boards() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(0.6), BOARDS.len())
}

fn submissions() -> impl Strategy<Value = RandomSubmission> {
    let metadata = weighted(0.4, select(vec!["{}", "{\"a\":1}", "\"é\\n\""]));
    let ago = prop_oneof![
        4 => Just(0),
        2 => -1000..1000_i64,
        1 => 0..3 * HOUR_MS,
        1 => 0..2 * DAY_MS,
    ];
    let tuple = prop::collection::vec(values(), 3);
    (
        targeted_boards(),
        any::<Index>(),
        tuple,
        operators(),
        metadata,
        ago,
        (
            weighted(0.3, 0..6_u8),
            prop::bool::weighted(0.3),
            prop::bool::weighted(0.1),
        ),
    )
        .prop_map(
            |(boards, player, values, operator, metadata, ago_ms, (id, id_of_player, refused))| {
                RandomSubmission {
                    boards,
                    player,
                    values,
                    operator,
                    metadata: metadata.map(examples::metadata),
                    ago_ms,
                    id,
                    id_scope: if id_of_player {
                        IdScope::Player
                    } else {
                        IdScope::Leaderboard
                    },
                    refused,
                }
            },
        )
}

fn call_limits() -> impl Strategy<Value = CallLimits> {
    (
        weighted(0.3, 4..60_u64),
        weighted(0.4, 0..24_u64),
        weighted(0.1, 0..20_u64),
    )
        .prop_map(|(burst, max_entries, max_calls)| CallLimits {
            burst,
            max_entries,
            max_calls,
        })
}

fn steps() -> impl Strategy<Value = Step> {
    let any_board = select(BOARDS.to_vec())
        .prop_flat_map(leaderboards)
        .prop_map(Box::new);
    let pass = prop_oneof![0..100_i64, 0..2 * HOUR_MS, 0..DAY_MS];
    prop_oneof![
        12 => (prop::collection::vec(submissions(), 1..5), call_limits()).prop_map(|(submissions, limits)| Step::Submit { submissions, limits }),
        3 => (any::<Index>(), targeted_boards()).prop_map(|(which, boards)| Step::Repeat { which, boards }),
        2 => (any_board, any::<bool>(), weighted(0.4, 0..4_u64))
            .prop_map(|(leaderboard, rebuild, max_leaderboards)| Step::Configure { leaderboard, rebuild, max_leaderboards }),
        1 => (0..BOARDS.len()).prop_map(|board| Step::Delete { board }),
        2 => (0..BOARDS.len(), any::<Index>(), 0..HOUR_MS)
            .prop_map(|(board, player, back_ms)| Step::Remove { board, player, back_ms }),
        2 => (any::<Index>(), weighted(0.5, 1..2 * HOUR_MS))
            .prop_map(|(player, for_ms)| Step::Ban { player, for_ms }),
        2 => any::<Index>().prop_map(Step::Unban),
        1 => any::<Index>().prop_map(Step::Erase),
        2 => (0..BOARDS.len(), any::<Index>(), HOUR_MS..2 * DAY_MS)
            .prop_map(|(board, player, back_ms)| Step::Freeze { board, player, back_ms }),
        3 => pass.prop_map(|ms| Step::Pass { ms }),
    ]
}

/// Generates histories.
pub fn histories() -> impl Strategy<Value = History> {
    let boards = (leaderboards(FIRST), leaderboards(SECOND), leaderboards(THIRD));
    (players(), boards, prop::collection::vec(steps(), 1..=MOST_STEPS)).prop_map(
        |(players, boards, steps)| History {
            players,
            boards: vec![boards.0, boards.1, boards.2],
            steps,
        },
    )
}
