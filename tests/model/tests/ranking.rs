//! Tests of the model's ranking. The expected results were computed by hand.

use leaderboard_core::{Entry, Layout, Order, Ties};
use leaderboard_model::{compare, ranked, sorted};
use leaderboard_test_support::values::{columns, instant, player, values};

fn entry(name: &str, numbers: &[i64], reached_at: &str) -> Entry {
    Entry {
        player: player(name),
        values: values(numbers),
        reached_at: instant(reached_at),
        metadata: None,
        attempts: 1,
    }
}

/// Returns rank and player of these entries. An entry is given as player, value and second.
fn ranks(ties: Ties, order: Order, entries: &[(&str, i64, &str)]) -> Vec<(u64, String)> {
    let layout = Layout {
        columns: columns(&[order]),
        ties,
    };
    let entries: Vec<Entry> = entries
        .iter()
        .map(|(name, value, second)| entry(name, &[*value], &format!("2026-01-01T00:00:{second}Z")))
        .collect();
    let entries: Vec<&Entry> = entries.iter().collect();
    let ranked = ranked(&layout, &entries);
    ranked
        .into_iter()
        .map(|r| (r.rank, r.entry.player.to_string()))
        .collect()
}

/// Returns the ranks with owned names.
fn with_owned_names(ranks: &[(u64, &str)]) -> Vec<(u64, String)> {
    ranks
        .iter()
        .map(|(rank, name)| (*rank, (*name).to_owned()))
        .collect()
}

#[test]
fn ties_rank_by_policy() {
    let entries = [
        ("d", 1, "00"),
        ("c", 5, "02"),
        ("b", 9, "00"),
        ("a", 5, "03"),
        ("e", 5, "02"),
    ];
    let rank = |ties| ranks(ties, Order::Descending, &entries);
    assert_eq!(
        rank(Ties::Earliest),
        with_owned_names(&[(1, "b"), (2, "c"), (3, "e"), (4, "a"), (5, "d")])
    );
    assert_eq!(
        rank(Ties::Latest),
        with_owned_names(&[(1, "b"), (2, "a"), (3, "c"), (4, "e"), (5, "d")])
    );
    assert_eq!(
        rank(Ties::Shared),
        with_owned_names(&[(1, "b"), (2, "c"), (2, "e"), (2, "a"), (5, "d")])
    );
    assert_eq!(
        rank(Ties::Dense),
        with_owned_names(&[(1, "b"), (2, "c"), (2, "e"), (2, "a"), (3, "d")])
    );
    let lowest_first = ranks(Ties::Shared, Order::Ascending, &entries);
    assert_eq!(
        lowest_first,
        with_owned_names(&[(1, "d"), (2, "c"), (2, "e"), (2, "a"), (5, "b")])
    );
}

#[test]
fn columns_are_compared_in_their_order_and_direction() {
    let layout = Layout {
        columns: columns(&[Order::Descending, Order::Ascending]),
        ties: Ties::Earliest,
    };
    let at = "2026-01-01T00:00:00Z";
    let entries = [
        entry("slow", &[5, 90], at),
        entry("fast", &[5, 30], at),
        entry("top", &[6, 99], at),
    ];
    let order: Vec<&str> = sorted(&layout, entries.iter())
        .iter()
        .map(|e| e.player.as_str())
        .collect();
    assert_eq!(order, ["top", "fast", "slow"]);
    assert!(compare(&layout, &entries[1], &entries[0]).is_lt());
}
