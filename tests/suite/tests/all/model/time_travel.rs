//! Compares time travel with what the model returned at the time, in histories whose logs lose their beginning, and with snapshots at
//! random places.

use std::cell::Cell;
use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Events, NewSnapshot, Page, PageFrom, ReadSource, Scores, SnapshotSummary};
use leaderboard_core::usecase::{self, Deps, LeaderboardMemory, ListQuery, QueryError};
use leaderboard_core::{LogPolicy, MAX_KEEP_DAYS, PeriodSelector, Projection, Timestamp};
use leaderboard_model::history::{self, History, Step};
use leaderboard_test_support::{ALL, AllPorts, NoCache, RedisBackend, SqliteBackend, StoreBackend, block_on};
use proptest::prelude::*;

use super::pair::ComparedStores;
use super::{history_count, runner};

/// The limits of the pages and of the windows that are compared.
const PAGE: u32 = 100;
const WINDOW: u32 = 3;

/// What the model returned at an instant: the list for each caller, and the window around each player for a server.
#[derive(Debug)]
struct Past {
    lists: Vec<(Caller, Page)>,
    windows: Vec<Option<Page>>,
}

/// A store and the model, and what the model returned after each step.
struct TimeTravel<S> {
    pair: ComparedStores<S>,
    /// By leaderboard and instant.
    pasts: BTreeMap<(usize, Timestamp), Past>,
    /// The projection of each leaderboard's whole log, also of events that the store removed since.
    projections: BTreeMap<usize, Projection>,
}

impl<S: AllPorts> TimeTravel<S> {
    async fn apply(&mut self, step: &Step, takes_snapshots: bool) {
        // An erasure changes the past, which this test compares.
        if matches!(step, Step::Erase(_)) {
            return;
        }
        self.pair.apply(step).await;
        for board in 0..self.pair.boards.len() {
            let Some(known) = self.pair.boards[board].clone() else {
                self.projections.remove(&board);
                self.pasts.retain(|(of, _), _| *of != board);
                continue;
            };
            let (store, tenant, id) = (&self.pair.store, &self.pair.tenant, &known.by_store.value.id);
            let projection = self.projections.entry(board).or_default();
            for logged in Events::read(store, tenant, id, projection.position(), ALL)
                .await
                .unwrap()
            {
                projection.apply(&logged.into_known().unwrap()).unwrap();
            }
            if takes_snapshots {
                let snapshot = NewSnapshot {
                    summary: SnapshotSummary {
                        position: projection.position(),
                        latest_at: projection.latest_at().unwrap(),
                    },
                    bytes: &projection.encode_snapshot().unwrap(),
                    configuration_version: known.by_store.version,
                    replaced: &[],
                    at: self.pair.now,
                    max_log_bytes: None,
                };
                assert!(store.put_snapshot(tenant, id, &snapshot).await.unwrap());
            }
            let past = self.read_now(board).await;
            self.pasts.insert((board, self.pair.now), past);
        }
    }

    /// Returns what the model has now.
    async fn read_now(&self, board: usize) -> Past {
        let known = self.pair.boards[board].clone().unwrap();
        let period = known.by_model.value.schedule.period_at(self.pair.now).id;
        let period_ref = self.pair.period_ref(&known.by_model, &period);
        let mut lists = Vec::new();
        for caller in [
            Caller::Server,
            Caller::Anonymous,
            Caller::Player(self.pair.players[0].clone()),
        ] {
            let page = self.pair.model.page(&period_ref, &PageFrom::Top, PAGE, &caller);
            lists.push((caller.clone(), page.await.unwrap()));
        }
        let mut windows = Vec::new();
        for player in &self.pair.players {
            let window = self
                .pair
                .model
                .around(&period_ref, player, WINDOW, &Caller::Server);
            windows.push(window.await.unwrap());
        }
        Past { lists, windows }
    }

    /// Compares every instant that the history still has. Returns how many instants it has.
    async fn check(&self) -> u32 {
        let leaderboard_memory = LeaderboardMemory::default();
        let deps = Deps {
            store: &self.pair.store,
            cache: None::<&NoCache>,
            leaderboard_memory: &leaderboard_memory,
            tenant: &self.pair.tenant,
            now: self.pair.now,
            source: ReadSource::Primary,
        };
        let mut found = 0;
        for ((board, at), past) in &self.pasts {
            let id = &self.pair.boards[*board].as_ref().unwrap().by_store.value.id;
            let plan = match usecase::plan_replay(&deps, &Caller::Server, id, *at).await {
                Ok(plan) => plan,
                Err(QueryError::NoHistory(_)) => {
                    assert!(!self.has_history(*board, *at).await, "{at} is not found");
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            };
            assert!(self.has_history(*board, *at).await);
            let there = usecase::replay(&deps, plan, None).await.unwrap();
            found += 1;
            let query = ListQuery {
                period: PeriodSelector::Current,
                limit: PAGE,
                cursor: None,
            };
            for (caller, list) in &past.lists {
                let listing = there.read_page(caller, &query).unwrap();
                assert_eq!(
                    &with_layout(listing.page, list),
                    list,
                    "list of {at} for {caller:?}"
                );
            }
            for (player, window) in self.pair.players.iter().zip(&past.windows) {
                let around = there.read_around(&Caller::Server, player, &PeriodSelector::Current, WINDOW);
                let around = around.map(|listing| listing.page);
                match window {
                    Some(window) => assert_eq!(&around.unwrap(), window, "around {player} at {at}"),
                    None => assert_eq!(around.unwrap_err(), QueryError::UnknownEntry),
                }
            }
        }
        found
    }

    /// Returns whether the log and the snapshots of the store have the state at an instant.
    async fn has_history(&self, board: usize, at: Timestamp) -> bool {
        let id = &self.pair.boards[board].as_ref().unwrap().by_store.value.id;
        let (store, tenant) = (&self.pair.store, &self.pair.tenant);
        let first = store
            .find_log_bounds(tenant, id)
            .await
            .unwrap()
            .unwrap()
            .first
            .position;
        let snapshots = store.list_snapshots(tenant, id).await.unwrap();
        first == 1
            || snapshots
                .iter()
                .any(|snapshot| snapshot.position + 1 >= first && snapshot.latest_at <= at)
    }
}

/// Returns the page with the layout that a list without entries has in the store.
fn with_layout(page: Page, like: &Page) -> Page {
    Page {
        layout: like.layout.clone(),
        ..page
    }
}

/// Generates histories of leaderboards that keep few events, and whether snapshots are taken after each step.
fn histories() -> impl Strategy<Value = (History, Vec<bool>)> {
    let snapshots = prop::collection::vec(prop::bool::weighted(0.2), history::MOST_STEPS);
    (history::histories(), 10..60_u32, snapshots).prop_map(|(mut history, keep_events, snapshots)| {
        let log = LogPolicy {
            keep_events,
            keep_days: MAX_KEEP_DAYS,
        };
        for board in &mut history.boards {
            board.log = log;
        }
        for step in &mut history.steps {
            if let Step::Configure { leaderboard, .. } = step {
                leaderboard.log = log;
            }
        }
        (history, snapshots)
    })
}

fn compare_past<B: StoreBackend>() {
    let backend = B::new();
    let count = Cell::new(0);
    let found = Cell::new(0);
    let result = runner(history_count()).run(&histories(), |(history, snapshots)| {
        count.set(count.get() + 1);
        block_on(async {
            let store = backend.open().await;
            let mut travel = TimeTravel {
                pair: ComparedStores::new(store, &format!("t{}", count.get()), &history).await,
                pasts: BTreeMap::new(),
                projections: BTreeMap::new(),
            };
            for (step, takes_snapshots) in history.steps.iter().zip(snapshots) {
                travel.apply(step, takes_snapshots).await;
            }
            found.set(found.get() + travel.check().await);
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(found.get() > 0, "no instant was compared");
}

#[test]
fn sqlite_returns_what_the_model_returned_at_the_time() {
    compare_past::<SqliteBackend>();
}

#[test]
fn redis_returns_what_the_model_returned_at_the_time() {
    compare_past::<RedisBackend>();
}
