//! What can happen, at random.

use leaderboard_core::{
    Columns, IdScope, Leaderboard, Limits, LogPolicy, MAX_KEEP_DAYS, MAX_KEEP_EVENTS, MAX_KEEP_PERIODS,
    Metadata, Operator, Order, PlayerId, Schedule, Ties,
};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::given;
use crate::given::{DAY_MS, columns, schedule};

/// The most steps of one history.
pub(super) const MOST_STEPS: usize = 60;
/// The leaderboards of one history.
pub(super) const BOARDS: [&str; 3] = ["one", "two", "three"];
const HOUR_MS: i64 = 3_600_000;

/// A world to begin with, and what happens in it.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) players: Vec<PlayerId>,
    pub(super) boards: Vec<Leaderboard>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// One call with some attempts, on terms.
    Submit {
        tries: Vec<Try>,
        terms: Terms,
    },
    /// An earlier attempt comes again, to these leaderboards.
    Repeat {
        which: Index,
        boards: Vec<bool>,
    },
    Configure {
        leaderboard: Box<Leaderboard>,
        rebuild: bool,
        most: Option<u64>,
    },
    Delete {
        board: usize,
    },
    Remove {
        board: usize,
        player: Index,
        back_ms: i64,
    },
    /// For ever, or for so long.
    Ban {
        player: Index,
        for_ms: Option<i64>,
    },
    Unban(Index),
    Pass {
        ms: i64,
    },
}

/// What limits a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    /// The burst of the limit that every try is charged on.
    pub(super) burst: Option<u64>,
    /// The most entries.
    pub(super) max_entries: Option<u64>,
    /// The most calls; they come to as many within a day.
    pub(super) max_calls: Option<u64>,
}

/// A score; its tuple is as long as the longest there is.
#[derive(Debug, Clone)]
pub(super) struct Try {
    pub(super) boards: Vec<bool>,
    pub(super) player: Index,
    pub(super) values: Vec<i64>,
    pub(super) operator: Operator,
    pub(super) metadata: Option<Metadata>,
    /// How long ago it happened; negative is a clock that is ahead.
    pub(super) ago_ms: i64,
    pub(super) id: Option<u8>,
    pub(super) id_scope: IdScope,
    /// Whether it is refused already, and only a repeat of its id is answered.
    pub(super) refused: bool,
}

/// Few values often, so that there are ties, and all of the range.
pub(super) fn values() -> impl Strategy<Value = i64> {
    let edges = [
        i64::MIN,
        i64::MIN + 1,
        i64::MAX - 1,
        i64::MAX,
        1 << 53,
        (1 << 53) + 1,
        -(1 << 53) - 1,
    ];
    let words = [
        1 << 32,
        (1 << 32) - 1,
        -(1 << 32),
        -(1 << 32) - 1,
        (1 << 31),
        -(1 << 31),
    ];
    prop_oneof![
        5 => -2..=2_i64,
        1 => select(edges.to_vec()),
        1 => select(words.to_vec()),
        1 => any::<i64>(),
    ]
}

/// Combining marks, right to left, emoji, quotes, and names of the greatest length.
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

fn orders() -> impl Strategy<Value = Columns> {
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
    (orders(), ties, operators(), schedules(), limits()).prop_map(
        move |(columns, ties, operator, schedule, limits)| Leaderboard {
            columns,
            ties,
            operator,
            schedule,
            limits,
            // A period that has expired may be gone or not, so none does here.
            keep_periods: MAX_KEEP_PERIODS,
            // Nothing of a log goes, so that it can be replayed.
            log: LogPolicy {
                keep_events: MAX_KEEP_EVENTS,
                keep_days: MAX_KEEP_DAYS,
            },
            ..given::board(name)
        },
    )
}

fn some_boards() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(0.6), BOARDS.len())
}

fn tries() -> impl Strategy<Value = Try> {
    let metadata = weighted(0.4, select(vec!["{}", "{\"a\":1}", "\"é\\n\""]));
    let ago = prop_oneof![
        4 => Just(0),
        2 => -1000..1000_i64,
        1 => 0..3 * HOUR_MS,
        1 => 0..2 * DAY_MS,
    ];
    let tuple = prop::collection::vec(values(), 3);
    (
        some_boards(),
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
            |(boards, player, values, operator, metadata, ago_ms, (id, id_of_player, refused))| Try {
                boards,
                player,
                values,
                operator,
                metadata: metadata.map(given::metadata),
                ago_ms,
                id,
                id_scope: if id_of_player {
                    IdScope::Player
                } else {
                    IdScope::Leaderboard
                },
                refused,
            },
        )
}

fn terms() -> impl Strategy<Value = Terms> {
    (
        weighted(0.3, 4..60_u64),
        weighted(0.4, 0..24_u64),
        weighted(0.1, 0..20_u64),
    )
        .prop_map(|(burst, max_entries, max_calls)| Terms {
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
        12 => (prop::collection::vec(tries(), 1..5), terms()).prop_map(|(tries, terms)| Step::Submit { tries, terms }),
        3 => (any::<Index>(), some_boards()).prop_map(|(which, boards)| Step::Repeat { which, boards }),
        2 => (any_board, any::<bool>(), weighted(0.4, 0..4_u64))
            .prop_map(|(leaderboard, rebuild, most)| Step::Configure { leaderboard, rebuild, most }),
        1 => (0..BOARDS.len()).prop_map(|board| Step::Delete { board }),
        2 => (0..BOARDS.len(), any::<Index>(), 0..HOUR_MS)
            .prop_map(|(board, player, back_ms)| Step::Remove { board, player, back_ms }),
        2 => (any::<Index>(), weighted(0.5, 1..2 * HOUR_MS))
            .prop_map(|(player, for_ms)| Step::Ban { player, for_ms }),
        2 => any::<Index>().prop_map(Step::Unban),
        3 => pass.prop_map(|ms| Step::Pass { ms }),
    ]
}

pub(super) fn histories() -> impl Strategy<Value = History> {
    let boards = (
        leaderboards(BOARDS[0]),
        leaderboards(BOARDS[1]),
        leaderboards(BOARDS[2]),
    );
    (players(), boards, prop::collection::vec(steps(), 1..=MOST_STEPS)).prop_map(
        |(players, boards, steps)| History {
            players,
            boards: vec![boards.0, boards.1, boards.2],
            steps,
        },
    )
}
