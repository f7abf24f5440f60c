//! Compares the results of all reads of a store with the model's.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{Events, Page, PageFrom, PeriodRef, Scores};
use leaderboard_core::{Layout, LoggedEvent, OrderKey, PeriodId, PlayerId, RankedEntry, RecordedEvent};
use leaderboard_model::Projection;
use leaderboard_test_support::{ALL, AllPorts};

use super::pair::{ComparedLeaderboard, ComparedStores};

/// The limits of the pages in which lists are read.
const PAGE_SIZES: [u32; 3] = [1, 2, 5];
/// A limit that is larger than the number of entries of any list.
const WHOLE_LIST: u32 = 1000;
/// The number of players that read pages as callers.
const READING_PLAYERS: usize = 2;
/// The number of players in a group of a long list.
const GROUP_SIZE: usize = 3;
/// Of this number of groups of a long list, one is compared.
const GROUPS_PER_CHECK: usize = 40;
/// The fractions of a sample, in thousandths.
const FRACTIONS: [u16; 8] = [0, 1, 250, 333, 500, 750, 999, 1000];

/// Returns the order key of an entry.
fn order_key(layout: &Layout, ranked: &RankedEntry) -> OrderKey {
    let entry = &ranked.entry;
    layout.key(&entry.values, entry.reached_at, &entry.player)
}

impl<S: AllPorts> ComparedStores<S> {
    /// Compares the first page of every period.
    pub(super) async fn check_first_pages(&self) {
        for (known, period) in self.all_periods() {
            self.compare_page(&known, &period, &PageFrom::Top, WHOLE_LIST)
                .await;
        }
    }

    /// Compares all reads of every leaderboard and period.
    pub(super) async fn check_everything(&self) {
        for (known, period) in self.all_periods() {
            self.check_pages(&known, &period).await;
            let limits = 1..=u32::try_from(self.players.len()).unwrap() + 2;
            self.check_players((&known, &period), &self.players, limits).await;
            self.check_counts(&known, &period).await;
        }
        for known in self.boards.iter().flatten() {
            self.check_periods(known).await;
            self.check_log(known).await;
        }
    }

    /// Compares a page for several callers, and returns the page of the anonymous caller.
    async fn compare_page(
        &self,
        known: &ComparedLeaderboard,
        period: &PeriodId,
        from: &PageFrom,
        limit: u32,
    ) -> Page {
        let players = self.players.iter().take(READING_PLAYERS).cloned();
        let mut last = None;
        for caller in players.map(Caller::Player).chain([Caller::Anonymous]) {
            let expected = self
                .model
                .page(&self.period_ref(&known.by_model, period), from, limit, &caller)
                .await;
            let found = self
                .store
                .page(&self.period_ref(&known.by_store, period), from, limit, &caller)
                .await;
            assert_eq!(
                found, expected,
                "page {from:?} of {limit} in {period} for {caller:?}"
            );
            last = Some(expected.unwrap());
        }
        last.expect("the anonymous caller's page")
    }

    /// Follows the cursors down and up the list, with each page size. Both ways must return every entry once.
    async fn check_pages(&self, known: &ComparedLeaderboard, period: &PeriodId) {
        let whole = self.compare_page(known, period, &PageFrom::Top, WHOLE_LIST).await;
        let Some(layout) = whole.layout else {
            return;
        };
        for limit in PAGE_SIZES {
            let mut down = Vec::new();
            let mut page = self.compare_page(known, period, &PageFrom::Top, limit).await;
            while let Some(last) = page.entries.last() {
                let after = PageFrom::After(order_key(&layout, last));
                down.append(&mut page.entries);
                page = self.compare_page(known, period, &after, limit).await;
            }
            assert_eq!(down, whole.entries);
            let mut up = Vec::new();
            while let Some(first) = up.first().or(down.last()) {
                let before = PageFrom::Before(order_key(&layout, first));
                let mut page = self.compare_page(known, period, &before, limit).await.entries;
                if page.is_empty() {
                    break;
                }
                page.append(&mut up);
                up = page;
            }
            assert_eq!(up, down[..down.len().saturating_sub(1)]);
        }
    }

    /// Compares long lists around some of their players, and at all fractions.
    pub(super) async fn check_long_lists(&self) {
        for (known, period) in self.all_periods() {
            for players in self.players.chunks(GROUP_SIZE).step_by(GROUPS_PER_CHECK) {
                self.check_players((&known, &period), players, [1, 11, 100]).await;
            }
            self.check_counts(&known, &period).await;
        }
    }

    /// Compares, for each of these players, the windows of these sizes around the player, the player's entry,
    /// and the entries of all these players.
    async fn check_players(
        &self,
        (known, period): (&ComparedLeaderboard, &PeriodId),
        checked: &[PlayerId],
        limits: impl IntoIterator<Item = u32> + Clone,
    ) {
        let model = self.period_ref(&known.by_model, period);
        let store = self.period_ref(&known.by_store, period);
        for player in checked {
            for caller in [Caller::Anonymous, Caller::Player(player.clone()), Caller::Server] {
                for limit in limits.clone() {
                    let expected = self.model.around(&model, player, limit, &caller).await;
                    let found = self.store.around(&store, player, limit, &caller).await;
                    assert_eq!(
                        found, expected,
                        "{limit} around {player} for {caller:?} in {period}"
                    );
                }
                for players in [std::slice::from_ref(player), checked] {
                    let expected = self.model.entries_by_player(&model, players, &caller).await;
                    let found = self.store.entries_by_player(&store, players, &caller).await;
                    assert_eq!(
                        found, expected,
                        "entries of {players:?} for {caller:?} in {period}"
                    );
                }
            }
        }
    }

    /// Compares samples, and the positions of tuples that equal a sampled tuple or are next to it.
    async fn check_counts(&self, known: &ComparedLeaderboard, period: &PeriodId) {
        let model = self.period_ref(&known.by_model, period);
        let store = self.period_ref(&known.by_store, period);
        let expected = self.model.sample(&model, &FRACTIONS).await;
        assert_eq!(
            self.store.sample(&store, &FRACTIONS).await,
            expected,
            "sample of {period}"
        );
        let sample = expected.unwrap();
        let Some(layout) = sample.layout else {
            return;
        };
        let mut tuples = Vec::new();
        for values in &sample.values {
            for columns in 1..=layout.columns.count() {
                for step in [-1, 0, 1] {
                    let last = columns - 1;
                    let mut near = values.as_slice()[..columns].to_vec();
                    near[last] = near[last].saturating_add(step);
                    tuples.push(layout.tuple(&leaderboard_core::Values::new(near)));
                }
            }
        }
        let expected = self.model.positions(&model, &tuples).await;
        assert_eq!(
            self.store.positions(&store, &tuples).await,
            expected,
            "positions in {period}"
        );
    }

    /// Compares the reads of the projection of a log with the reads of the store.
    async fn check_projection(&self, known: &ComparedLeaderboard, log: &[RecordedEvent]) {
        let mut projection = leaderboard_core::Projection::default();
        for recorded in log {
            projection.apply(recorded).unwrap();
            // Half of the log is replayed from a snapshot.
            if recorded.position == log.len() as u64 / 2 {
                let snapshot = projection.encode_snapshot().unwrap();
                projection = leaderboard_core::Projection::decode_snapshot(snapshot.clone()).unwrap();
                assert_eq!(projection.encode_snapshot(), Some(snapshot));
            }
        }
        assert_eq!(projection.leaderboard(), Some(&known.by_store.value));
        for (_, period) in self
            .all_periods()
            .into_iter()
            .filter(|(of, _)| of.by_store.value.id == known.by_store.value.id)
        {
            let at = self.period_ref(&known.by_store, &period);
            let first = self.players.first().cloned().map(Caller::Player);
            for caller in first.into_iter().chain([Caller::Anonymous, Caller::Server]) {
                self.check_projected_pages(&projection, &at, &caller).await;
                self.check_projected_players(&projection, &at, &caller).await;
            }
            let sample = self.store.sample(&at, &FRACTIONS).await.unwrap();
            assert_eq!(projection.sample(&period, &FRACTIONS), sample);
            let Some(layout) = &sample.layout else { continue };
            let tuples: Vec<_> = sample.values.iter().map(|values| layout.tuple(values)).collect();
            assert_eq!(
                projection.positions(&period, &tuples),
                self.store.positions(&at, &tuples).await.unwrap()
            );
        }
    }

    /// Compares all pages of a period, forwards and backwards.
    async fn check_projected_pages(
        &self,
        projection: &leaderboard_core::Projection,
        at: &PeriodRef<'_>,
        caller: &Caller,
    ) {
        let mut from = PageFrom::Top;
        let read = async |from: &PageFrom| {
            let page = self.store.page(at, from, PAGE_SIZES[1], caller).await.unwrap();
            let projected = projection.page(at.period, from, PAGE_SIZES[1], caller);
            assert_eq!(projected, page, "{from:?} for {caller:?}");
            page
        };
        loop {
            let page = read(&from).await;
            let (Some(layout), Some(last)) = (&page.layout, page.entries.last()) else {
                return;
            };
            read(&PageFrom::Before(order_key(layout, last))).await;
            from = PageFrom::After(order_key(layout, last));
        }
    }

    /// Compares the entries of the players, and the windows around them.
    async fn check_projected_players(
        &self,
        projection: &leaderboard_core::Projection,
        at: &PeriodRef<'_>,
        caller: &Caller,
    ) {
        for player in &self.players {
            for limit in PAGE_SIZES {
                let window = self.store.around(at, player, limit, caller).await.unwrap();
                let projected = projection.around(at.period, player, limit, caller);
                assert_eq!(projected, window, "{limit} around {player} for {caller:?}");
            }
            for players in [std::slice::from_ref(player), &self.players] {
                let found = self.store.entries_by_player(at, players, caller).await.unwrap();
                let projected = projection.entries_by_player(at.period, players, caller);
                assert_eq!(projected, found, "{players:?} for {caller:?}");
            }
        }
    }

    /// Compares the lists of periods.
    async fn check_periods(&self, known: &ComparedLeaderboard) {
        let id = &known.by_model.value.id;
        let mut expected = self.model.periods(&self.tenant, id, self.now).await.unwrap();
        let mut found = self.store.periods(&self.tenant, id, self.now).await.unwrap();
        let starts: Vec<_> = found.iter().map(|summary| summary.period.starts_at).collect();
        assert!(starts.is_sorted_by(|a, b| a >= b), "newest first: {starts:?}");
        // After a change of the schedule, two periods can have the same start or none, in any order.
        for periods in [&mut expected, &mut found] {
            periods.sort_by(|a, b| a.period.id.cmp(&b.period.id));
        }
        assert_eq!(found, expected, "periods of {id}");
    }

    /// Compares the logs byte by byte, and compares the entries with the result of a replay of the log.
    async fn check_log(&self, known: &ComparedLeaderboard) {
        let id = &known.by_model.value.id;
        let expected = Events::read(&self.model, &self.tenant, id, 0, ALL).await.unwrap();
        let found = Events::read(&self.store, &self.tenant, id, 0, ALL).await.unwrap();
        assert_eq!(found, expected, "log of {id}");
        let into_known = |log: Vec<LoggedEvent>| -> Vec<RecordedEvent> {
            log.into_iter()
                .map(|logged| logged.into_known().unwrap())
                .collect()
        };
        let (found, expected) = (into_known(found), into_known(expected));
        let bytes = |log: &[RecordedEvent]| -> Vec<(u64, Vec<u8>)> {
            log.iter()
                .map(|event| (event.position, encode_event(&event.event)))
                .collect()
        };
        assert_eq!(bytes(&found), bytes(&expected), "log of {id}");
        self.check_projection(known, &found).await;
        let replayed = Projection::replay(&found).unwrap();
        assert_eq!(Some(&replayed), self.model.projection(&self.tenant, id).as_ref());
        for (period, state) in &replayed.periods {
            let page = self.compare_page(known, period, &PageFrom::Top, WHOLE_LIST).await;
            let entries: Vec<_> = page.entries.iter().map(|ranked| &ranked.entry).collect();
            assert_eq!(replayed.visible(state), entries, "replayed {period}");
            assert_eq!(state.version, page.version);
        }
    }
}
