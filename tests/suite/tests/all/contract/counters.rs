//! Tests of the counters of the whole installation.

use leaderboard_core::ports::Counters;
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;

fn counts(counts: &[(&str, u64)]) -> Vec<(Box<str>, u64)> {
    counts
        .iter()
        .map(|(name, count)| ((*name).into(), *count))
        .collect()
}

async fn add<B: StoreBackend>(fixture: &StoreFixture<B>, added: &[(&str, u64)]) {
    fixture.store.add(&counts(added)).await.unwrap();
}

async fn read_counters<B: StoreBackend>(fixture: &StoreFixture<B>) -> Vec<(Box<str>, u64)> {
    fixture.store.counters().await.unwrap()
}

on_both_stores! {
    async fn counters_add_up(fixture) {
        assert_eq!(read_counters(&fixture).await, []);
        add(&fixture, &[]).await;
        assert_eq!(read_counters(&fixture).await, []);
        add(&fixture, &[("a", 1), ("b", 2)]).await;
        add(&fixture, &[("b", 40), ("c", 0), ("b", 1)]).await;
        let second = fixture.backend.open().await;
        second.add(&counts(&[("a", 1 << 53)])).await.unwrap();
        assert_eq!(
            read_counters(&fixture).await.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(),
            counts(&[("a", (1 << 53) + 1), ("b", 43)]),
        );
    }

    async fn counters_are_listed_in_byte_order_of_their_names(fixture) {
        let names = [
            "http{path=\"/é\"}", "http_total", "http", "http{b=\"2\"}", "http{a=\"1\"}", "Http", "0", "a b", "http\\",
        ];
        add(&fixture, &names.map(|name| (name, 7))).await;
        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(read_counters(&fixture).await, counts(&sorted.map(|name| (name, 7))));
    }

    async fn many_counters_are_added_in_one_call(fixture) {
        let many: Vec<(Box<str>, u64)> = (0..500).map(|n| (format!("n{n:03}").into(), n + 1)).collect();
        fixture.store.add(&many).await.unwrap();
        fixture.store.add(&many).await.unwrap();
        let twice: Vec<_> = many.into_iter().map(|(name, count)| (name, 2 * count)).collect();
        assert_eq!(read_counters(&fixture).await, twice);
    }
}
