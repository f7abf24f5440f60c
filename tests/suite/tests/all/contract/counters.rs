//! Counters of the whole installation.

use leaderboard_core::ports::Counters;

use crate::harness::{Harness, World, on_both_stores};

fn counts(counts: &[(&str, u64)]) -> Vec<(Box<str>, u64)> {
    counts
        .iter()
        .map(|(name, count)| ((*name).into(), *count))
        .collect()
}

async fn add<H: Harness>(world: &World<H>, added: &[(&str, u64)]) {
    world.store.add(&counts(added)).await.unwrap();
}

async fn all<H: Harness>(world: &World<H>) -> Vec<(Box<str>, u64)> {
    world.store.counters().await.unwrap()
}

on_both_stores! {
    async fn counters_add_up(world) {
        assert_eq!(all(&world).await, []);
        add(&world, &[]).await;
        assert_eq!(all(&world).await, []);
        add(&world, &[("a", 1), ("b", 2)]).await;
        add(&world, &[("b", 40), ("c", 0), ("b", 1)]).await;
        let second = world.harness.open().await;
        second.add(&counts(&[("a", 1 << 53)])).await.unwrap();
        assert_eq!(
            all(&world).await.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(),
            counts(&[("a", (1 << 53) + 1), ("b", 43)]),
        );
    }

    async fn they_come_in_byte_order_of_their_names(world) {
        let names = [
            "http{path=\"/é\"}", "http_total", "http", "http{b=\"2\"}", "http{a=\"1\"}", "Http", "0", "a b", "http\\",
        ];
        add(&world, &names.map(|name| (name, 7))).await;
        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(all(&world).await, counts(&sorted.map(|name| (name, 7))));
    }

    async fn many_are_added_in_one_call(world) {
        let many: Vec<(Box<str>, u64)> = (0..500).map(|n| (format!("n{n:03}").into(), n + 1)).collect();
        world.store.add(&many).await.unwrap();
        world.store.add(&many).await.unwrap();
        let twice: Vec<_> = many.into_iter().map(|(name, count)| (name, 2 * count)).collect();
        assert_eq!(all(&world).await, twice);
    }
}
