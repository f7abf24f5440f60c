//! Strategies that generate random values of the types that the codec writes.

use leaderboard_core::{
    Access, CachePolicy, CacheStrategy, Event, EventBody, LateScores, Layout, Leaderboard, Limits, LogPolicy,
    MAX_CLAIM_DAYS, MAX_KEEP_DAYS, MAX_KEEP_EVENTS, MAX_LIFETIME_MS, MAX_PRIZES, MAX_STALE_IF_ERROR_MS,
    MAX_STALE_MS, MAX_WARM_RESPONSES, Metadata, Operator, Outcome, Period, PeriodId, Previous, Prize,
    PrizeRange, ReadAccess, Schedule, StandingsPolicy, Status, SubmissionId, Ties, Timestamp, Values,
    WarmResponse, WriteAccess,
};
use proptest::option::of;
use proptest::prelude::*;

use crate::given::{any_instant, any_player, any_value, board, columns, orders, schedule};

fn operators() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Best,
        Operator::Set,
        Operator::Increment,
        Operator::Decrement,
    ])
}

pub(super) fn layouts() -> impl Strategy<Value = Layout> {
    let ties = prop::sample::select(vec![Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]);
    (orders(), ties).prop_map(|(orders, ties)| Layout {
        columns: columns(&orders),
        ties,
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::never()),
        Just(schedule("0 0 * * 1", "Europe/Madrid")),
        Just(schedule("*/15 * * * *", "UTC")),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (
        of(i64::MIN..0),
        of(0..i64::MAX),
        of(1..=u64::MAX),
        of(1..=u32::MAX),
        of(1..=u64::MAX),
    )
        .prop_map(|(min, max, max_change, max_attempts, max_entries)| Limits {
            min,
            max,
            max_change,
            max_attempts,
            max_entries,
        })
}

pub(super) fn leaderboards() -> impl Strategy<Value = Leaderboard> {
    let rest = ("\\PC{0,40}", any::<bool>(), any::<bool>(), any::<bool>());
    let window = (of(any_instant()), of(any_instant()));
    (
        layouts(),
        operators(),
        schedules(),
        limits(),
        1..=1000_u16,
        rest,
        window,
        cache_policies(),
    )
        .prop_map(
            |(layout, operator, schedule, limits, keep_periods, rest, (starts_at, ends_at), cache)| {
                Leaderboard {
                    cache,
                    title: rest.0,
                    columns: layout.columns,
                    ties: layout.ties,
                    operator,
                    operator_override: rest.1,
                    schedule,
                    keep_periods,
                    starts_at,
                    ends_at,
                    limits,
                    access: Access {
                        read: if rest.2 {
                            ReadAccess::Public
                        } else {
                            ReadAccess::Private
                        },
                        write: if rest.3 {
                            WriteAccess::Server
                        } else {
                            WriteAccess::Player
                        },
                    },
                    ..board("any")
                }
            },
        )
        .prop_filter("a valid configuration", |board| board.check().is_ok())
        .prop_flat_map(|board| (Just(board), log_policies(), standings_policies()))
        .prop_map(|(board, log, standings)| Leaderboard {
            log,
            standings,
            ..board
        })
}

fn standings_policies() -> impl Strategy<Value = StandingsPolicy> {
    let range = prop_oneof![
        (1..=u32::MAX).prop_map(|from| PrizeRange::Ranks { from, to: u32::MAX }),
        (1..=100_u8).prop_map(PrizeRange::TopPercent),
    ];
    let prize = ("\\PC{1,64}", range).prop_map(|(name, range)| Prize { name, range });
    let prizes = prop::collection::vec(prize, 0..=MAX_PRIZES);
    let own = (prizes, 1..=MAX_CLAIM_DAYS, any::<bool>()).prop_map(|(prizes, claim_days, reopens)| {
        let late_scores = if reopens && prizes.is_empty() {
            LateScores::Reopen
        } else {
            LateScores::Refuse
        };
        StandingsPolicy {
            late_scores,
            prizes,
            claim_days,
        }
    });
    prop_oneof![Just(StandingsPolicy::default()), own]
}

fn log_policies() -> impl Strategy<Value = LogPolicy> {
    let own = (1..=MAX_KEEP_EVENTS, 1..=MAX_KEEP_DAYS).prop_map(|(keep_events, keep_days)| LogPolicy {
        keep_events,
        keep_days,
    });
    prop_oneof![Just(LogPolicy::default()), own]
}

fn cache_policies() -> impl Strategy<Value = CachePolicy> {
    let strategy = prop_oneof![
        Just(CacheStrategy::Aside),
        Just(CacheStrategy::WriteThrough),
        Just(CacheStrategy::RefreshAhead),
    ];
    let response = prop_oneof![
        (1..=1000_u16).prop_map(|limit| WarmResponse::List { limit }),
        (1..=100_u16).prop_map(|buckets| WarmResponse::Distribution { buckets }),
    ];
    let own = (
        0..=MAX_LIFETIME_MS,
        0..=MAX_STALE_MS,
        0..=MAX_STALE_IF_ERROR_MS,
        strategy,
        prop::collection::vec(response, 0..=MAX_WARM_RESPONSES),
    )
        .prop_map(
            |(lifetime_ms, stale_ms, stale_if_error_ms, strategy, warm)| CachePolicy {
                lifetime_ms,
                stale_ms,
                stale_if_error_ms,
                strategy,
                warm,
            },
        );
    prop_oneof![Just(CachePolicy::default()), own]
}

fn period_ids() -> impl Strategy<Value = PeriodId> {
    let beginning = schedule("0 0 29 2 *", "UTC").period_at(Timestamp::MIN).id;
    prop_oneof![
        Just(Period::all_time().id),
        Just(beginning),
        any_instant().prop_map(|instant| schedule("* * * * *", "UTC").period_at(instant).id),
    ]
}

fn tuples() -> impl Strategy<Value = Values> {
    prop::collection::vec(any_value(), 1..=3).prop_map(Values::new)
}

fn bodies() -> impl Strategy<Value = EventBody> {
    let configured = (leaderboards(), period_ids(), any::<bool>()).prop_map(|(board, current, rebuild)| {
        EventBody::Configured {
            leaderboard: Box::new(board),
            current,
            rebuild,
        }
    });
    let id = of("\\PC{1,30}").prop_map(|id| id.and_then(|id| SubmissionId::new(id).ok()));
    let metadata =
        of("\\PC{0,60}").prop_map(|text| text.and_then(|text| Metadata::from_json_text(text).ok()));
    let score = (operators(), tuples(), any_instant(), any::<bool>(), any::<bool>());
    let submitted = (any_player(), period_ids(), metadata, id, score).prop_map(
        |(player, period, metadata, id, (operator, values, occurred_at, banned, kept))| {
            EventBody::Submitted {
                player,
                period,
                operator,
                values,
                metadata,
                occurred_at,
                id,
                banned,
                kept,
            }
        },
    );
    prop_oneof![
        configured,
        submitted,
        (any_player(), period_ids()).prop_map(|(player, period)| EventBody::Removed { player, period }),
        any_player().prop_map(|player| EventBody::Banned { player }),
        any_player().prop_map(|player| EventBody::Unbanned { player }),
    ]
}

pub(super) fn events() -> impl Strategy<Value = Event> {
    (bodies(), any_instant(), any::<bool>()).prop_map(|(body, recorded_at, at_once)| match body {
        EventBody::Submitted { occurred_at, .. } if at_once => Event {
            recorded_at: occurred_at,
            body,
        },
        body => Event { recorded_at, body },
    })
}

pub(super) fn outcomes() -> impl Strategy<Value = Outcome> {
    let status = prop::sample::select(vec![
        Status::Created,
        Status::Improved,
        Status::Changed,
        Status::Kept,
    ]);
    let previous =
        of((tuples(), of(any::<u64>()))).prop_map(|p| p.map(|(values, rank)| Previous { values, rank }));
    (
        status,
        period_ids(),
        any_player(),
        (tuples(), of(orders().prop_map(|orders| columns(&orders)))),
        of(any::<u64>()),
        previous,
        any::<u64>(),
    )
        .prop_map(
            |(status, period, player, (values, columns), rank, previous, version)| Outcome {
                leaderboard: board("any").id,
                period,
                player,
                status,
                columns,
                values,
                rank,
                previous,
                version,
                replayed: true,
            },
        )
}
