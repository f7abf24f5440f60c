//! Compares the results of all reads with those of the core's model.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Events, Leaderboards, PageFrom, PeriodRef, RateLimits, Scores};
use leaderboard_core::{Leaderboard, Timestamp, Values};

use crate::against_the_model::{Pair, value};
use crate::world::{at, board_id, player, tenant};

impl Pair {
    /// Runs every read on both stores and compares the results.
    pub(crate) async fn compare(&mut self) {
        let now = at(self.now_ms);
        for (board, period) in self.list_periods() {
            let tenant = tenant();
            let place = PeriodRef {
                tenant: &tenant,
                board: &board,
                period: &period,
                now: at(self.now_ms),
            };
            self.compare_pages(&place).await;
            self.compare_players(&place).await;
            self.compare_counts(&place).await;
        }
        for board in self.boards.clone() {
            self.compare_log(&board.value, now).await;
        }
        let days = u32::try_from(self.dice.roll(3)).unwrap();
        assert_eq!(
            self.store.usage(&tenant(), days).await,
            self.model.usage(&tenant(), days).await
        );
    }

    async fn compare_pages(&mut self, place: &PeriodRef<'_>) {
        let limit = u32::try_from(1 + self.dice.roll(4)).unwrap();
        let top = self
            .store
            .page(place, &PageFrom::Top, 1000, &Caller::Anonymous)
            .await;
        assert_eq!(
            top,
            self.model
                .page(place, &PageFrom::Top, 1000, &Caller::Anonymous)
                .await
        );
        let top = top.unwrap();
        let Some(layout) = &top.layout else { return };
        let mut keys: Vec<_> = top.entries.iter().map(|ranked| &ranked.entry).collect();
        keys.truncate(4);
        for entry in keys {
            let key = layout.key(&entry.values, entry.reached_at, &entry.player);
            let near = layout.key(&entry.values, entry.reached_at, &player("m"));
            for key in [key, near] {
                for from in [PageFrom::After(key.clone()), PageFrom::Before(key)] {
                    let actual = self.store.page(place, &from, limit, &Caller::Anonymous).await;
                    assert_eq!(
                        actual,
                        self.model.page(place, &from, limit, &Caller::Anonymous).await,
                        "{from:?} {limit}"
                    );
                }
            }
        }
    }

    async fn compare_players(&mut self, place: &PeriodRef<'_>) {
        let players = self.players();
        let callers = [
            Caller::Anonymous,
            Caller::Server,
            Caller::Player(players[0].clone()),
        ];
        for caller in &callers {
            for who in &players {
                let limit = u32::try_from(1 + self.dice.roll(7)).unwrap();
                let actual = self.store.around(place, who, limit, caller).await;
                let expected = self.model.around(place, who, limit, caller).await;
                assert_eq!(actual, expected, "around {who} {limit} for {caller:?}");
                let one = std::slice::from_ref(who);
                let actual = self.store.entries_by_player(place, one, caller).await;
                assert_eq!(
                    actual,
                    self.model.entries_by_player(place, one, caller).await,
                    "{who} {caller:?}"
                );
            }
            let actual = self.store.entries_by_player(place, &players, caller).await;
            assert_eq!(
                actual,
                self.model.entries_by_player(place, &players, caller).await
            );
        }
    }

    async fn compare_counts(&mut self, place: &PeriodRef<'_>) {
        let fractions = [0, 1, 250, 333, 500, 667, 999, 1000];
        let actual = self.store.sample(place, &fractions).await;
        assert_eq!(actual, self.model.sample(place, &fractions).await);
        let Some(layout) = actual.unwrap().layout else {
            return;
        };
        let mut tuples = Vec::new();
        for _ in 0..6 {
            let values = (0..layout.columns.count())
                .map(|_| value(&mut self.dice))
                .collect();
            let mut tuple = layout.tuple(&Values::new(values));
            tuple.truncate(8 * (1 + self.dice.roll(layout.columns.count())));
            tuples.push(tuple);
        }
        let actual = self.store.positions(place, &tuples).await;
        assert_eq!(actual, self.model.positions(place, &tuples).await, "{tuples:?}");
    }

    async fn compare_log(&self, board: &Leaderboard, now: Timestamp) {
        let tenant = tenant();
        let actual = self.store.periods(&tenant, &board.id, now).await;
        assert_eq!(actual, self.model.periods(&tenant, &board.id, now).await);
        for (after, limit) in [(0, 1000), (3, 2), (0, 0), (1_000_000, 5)] {
            let actual = self.store.read(&tenant, &board.id, after, limit).await;
            assert_eq!(actual, self.model.read(&tenant, &board.id, after, limit).await);
        }
        let actual = self.store.get(&tenant, &board.id).await;
        assert_eq!(actual, Leaderboards::get(&self.model, &tenant, &board.id).await);
        let actual = self.store.list(&tenant, Some(&board_id("a")), 10).await;
        assert_eq!(actual, self.model.list(&tenant, Some(&board_id("a")), 10).await);
    }
}
