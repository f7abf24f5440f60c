//! Values and strategies that the tests share.

use leaderboard_core::{
    Column, Columns, Entry, Leaderboard, LeaderboardId, Metadata, Order, Period, PlayerId, Reset, Schedule,
    Timestamp, Values,
};
use proptest::prelude::*;

/// Parses an instant.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Parses an instant. A date stands for its midnight in UTC.
pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|_| at(&format!("{text}T00:00:00Z")))
}

/// Returns the bounds of a period as an interval of ISO 8601, with midnights as dates.
pub(crate) fn interval(period: &Period) -> String {
    let end = period.ends_at.map(|end| end.to_string().replace(".000Z", "Z"));
    format!("{}/{}", period.id, end.unwrap_or_default()).replace("T00:00:00Z", "")
}

pub(crate) fn schedule(cron: &str, time_zone: &str) -> Schedule {
    Schedule::new(Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    })
    .unwrap()
}

/// Returns a leaderboard with the default configuration.
pub(crate) fn board(id: &str) -> Leaderboard {
    Leaderboard::new(LeaderboardId::new(id).unwrap())
}

pub(crate) fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

pub(crate) fn metadata(json: &str) -> Metadata {
    Metadata::from_json_text(json).unwrap()
}

/// Returns the columns `a`, `b` and `c`: one column for each order.
pub(crate) fn columns(orders: &[Order]) -> Columns {
    let names = ["a", "b", "c"];
    let columns = names.iter().zip(orders);
    Columns::new(
        columns
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

pub(crate) fn values(values: &[i64]) -> Values {
    Values::new(values.to_vec())
}

pub(crate) fn entry(name: &str, numbers: &[i64], reached_at: &str) -> Entry {
    Entry {
        player: player(name),
        values: values(numbers),
        reached_at: at(reached_at),
        metadata: None,
        attempts: 1,
    }
}

pub(crate) fn orders() -> impl Strategy<Value = Vec<Order>> {
    prop::collection::vec(
        prop_oneof![Just(Order::Ascending), Just(Order::Descending)],
        1..=3,
    )
}

/// Generates any 64-bit integer. The extremes and small integers occur often.
pub(crate) fn any_value() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -2..=2_i64,
        prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX]),
    ]
}

pub(crate) fn any_instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (Timestamp::MIN.as_unix_ms()..=Timestamp::MAX.as_unix_ms()),
        -2..=2_i64,
        Just(Timestamp::MIN.as_unix_ms()),
        Just(Timestamp::MAX.as_unix_ms()),
    ]
    .prop_map(Timestamp::saturating_from_unix_ms)
}

/// Generates any player id. Short ids and ids with the same beginning occur often.
pub(crate) fn any_player() -> impl Strategy<Value = PlayerId> {
    prop_oneof![
        "[ab]{1,3}",
        "\\PC{1,20}",
        "[\u{e0}-\u{ff}\u{301}\u{5d0}-\u{5ea}😀-😎\"'\\\\]{1,8}"
    ]
    .prop_filter_map("a player", |text| PlayerId::new(text).ok())
}
