//! Tests that the bytes of order keys sort as the definition of the order says.

use std::cmp::Ordering;

use leaderboard_core::{
    Layout, Order, OrderKey, PlayerId, Ties, Timestamp, Values, decode_sortable, encode_sortable,
};
use proptest::prelude::*;

use crate::given::{any_instant, any_player, any_value, at, columns, orders, player, values};

/// The parts of an entry in its order key: values, time and player.
type KeyParts = (Vec<i64>, Timestamp, PlayerId);

/// Compares by definition: the columns in their orders, then the time, then the player's bytes.
fn compare_by_definition(orders: &[Order], ties: Ties, a: &KeyParts, b: &KeyParts) -> Ordering {
    for ((order, a), b) in orders.iter().zip(&a.0).zip(&b.0) {
        let by_value = if *order == Order::Ascending {
            a.cmp(b)
        } else {
            b.cmp(a)
        };
        if by_value != Ordering::Equal {
            return by_value;
        }
    }
    let by_time = if ties == Ties::Latest {
        b.1.cmp(&a.1)
    } else {
        a.1.cmp(&b.1)
    };
    by_time.then_with(|| a.2.as_bytes().cmp(b.2.as_bytes()))
}

/// Generates key parts with this many values.
fn key_parts(columns: usize) -> impl Strategy<Value = KeyParts> {
    (
        prop::collection::vec(any_value(), columns),
        any_instant(),
        any_player(),
    )
}

fn all_ties() -> impl Strategy<Value = Ties> {
    prop::sample::select(vec![Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense])
}

/// Generates orders, and two key parts with a value for each order.
fn two_key_parts() -> impl Strategy<Value = (Vec<Order>, KeyParts, KeyParts)> {
    orders().prop_flat_map(|orders| {
        let columns = orders.len();
        let pair = (key_parts(columns), key_parts(columns), 0..=4_usize).prop_map(|(a, mut b, shared)| {
            // Equal first values make the test compare later values, the time and the player.
            for (b, a) in b.0.iter_mut().zip(&a.0).take(shared) {
                *b = *a;
            }
            if shared == 4 {
                b.1 = a.1;
            }
            (a, b)
        });
        (Just(orders), pair).prop_map(|(orders, (a, b))| (orders, a, b))
    })
}

fn make_key(layout: &Layout, parts: &KeyParts) -> OrderKey {
    layout.key(&Values::new(parts.0.clone()), parts.1, &parts.2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bytes_sort_as_the_definition_says((orders, a, b) in two_key_parts(), ties in all_ties()) {
        let layout = Layout { columns: columns(&orders), ties };
        let (key_a, key_b) = (make_key(&layout, &a), make_key(&layout, &b));
        prop_assert_eq!(key_a.as_bytes().cmp(key_b.as_bytes()), compare_by_definition(&orders, ties, &a, &b));
        prop_assert_eq!(key_a.cmp(&key_b), compare_by_definition(&orders, ties, &a, &b));
        let better = Values::new(a.0.clone()).is_better_than(&Values::new(b.0.clone()), &layout.columns);
        prop_assert_eq!(better, layout.tuple(&Values::new(a.0)) < layout.tuple(&Values::new(b.0)));
    }

    #[test]
    fn a_key_is_parsed_to_its_parts((orders, parts, _) in two_key_parts(), ties in all_ties()) {
        let layout = Layout { columns: columns(&orders), ties };
        let key = make_key(&layout, &parts);
        prop_assert!(key.as_bytes().starts_with(&layout.tuple(&Values::new(parts.0.clone()))));
        let (numbers, reached_at, player) = layout.parse(key.as_bytes()).expect("a key");
        prop_assert_eq!((numbers.as_slice().to_vec(), reached_at, player), parts);
    }

    #[test]
    fn any_bytes_are_a_valid_key_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), orders in orders(), ties in all_ties()) {
        let layout = Layout { columns: columns(&orders), ties };
        if let Some((values, reached_at, player)) = layout.parse(&bytes) {
            prop_assert_eq!(layout.key(&values, reached_at, &player), OrderKey::from_bytes(bytes));
        }
    }

    #[test]
    fn sortable_keeps_the_order_of_integers(a in any_value(), b in any_value()) {
        prop_assert_eq!(encode_sortable(a).cmp(&encode_sortable(b)), a.cmp(&b));
        prop_assert_eq!(decode_sortable(encode_sortable(a)), a);
    }
}

#[test]
fn the_bytes_of_a_key_match_the_documentation() {
    let layout = Layout {
        columns: columns(&[Order::Descending, Order::Ascending]),
        ties: Ties::Earliest,
    };
    let key = layout.key(&values(&[1, -1]), at("1970-01-01T00:00:00.002Z"), &player("p"));
    let expected = [
        [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
        [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0x80, 0, 0, 0, 0, 0, 0, 2],
    ];
    assert_eq!(key.as_bytes(), [&expected.concat()[..], b"p"].concat());
}

#[test]
fn a_key_that_is_cut_short_is_refused() {
    let layout = Layout {
        columns: columns(&[Order::Descending]),
        ties: Ties::Latest,
    };
    let key = layout.key(&values(&[7]), at("2026-01-01T00:00:00Z"), &player("é"));
    for length in 0..key.as_bytes().len() {
        assert_eq!(layout.parse(&key.as_bytes()[..length]), None, "{length} bytes");
    }
}
