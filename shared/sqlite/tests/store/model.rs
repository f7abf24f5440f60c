//! The store against the in-memory model, step by step, on made-up histories.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Events, Expected, Leaderboards, PageFrom, PeriodRef, PutLeaderboard, RankDetail, Readiness,
    Scores,
};
use leaderboard_core::{
    Column, Columns, IdScope, Leaderboard, Metadata, Operator, Order, PlayerId, PreparedSubmission,
    Submission, SubmissionId, SubmissionTarget, Ties, Timestamp, Versioned,
};
use leaderboard_model::Model;
use leaderboard_sqlite::SqliteStore;

use crate::native_sqlite::NativeSqlite;
use crate::support::*;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).unwrap()]
    }

    fn value(&mut self) -> i64 {
        let small = i64::try_from(self.below(4)).unwrap() - 1;
        self.one_of(&[small, small, small, i64::MAX, i64::MIN])
    }

    fn player(&mut self) -> PlayerId {
        let names = [
            "ann",
            "bob",
            "日本",
            "say \"hi\"",
            "back\\slash",
            " ",
            "zoë",
            "a,b",
            "x",
        ];
        player(self.one_of(&names))
    }
}

fn leaderboard(dice: &mut Dice, id: &str) -> Leaderboard {
    let mut leaderboard = if dice.below(3) == 0 {
        daily(id, 400)
    } else {
        board(id)
    };
    leaderboard.ties = dice.one_of(&[Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]);
    leaderboard.operator = dice.one_of(&[Operator::Best, Operator::Set, Operator::Increment]);
    leaderboard.operator_override = true;
    leaderboard.limits.max_attempts = dice.one_of(&[None, None, Some(9)]);
    leaderboard.limits.max_entries = dice.one_of(&[None, None, Some(6)]);
    let mut direction = || dice.one_of(&[Order::Ascending, Order::Descending]);
    let columns = ["score", "time"].map(|name| Column::new(name, direction()).unwrap());
    leaderboard.columns = Columns::new(columns.to_vec()).unwrap();
    leaderboard
}

/// The store and the model, told the same.
struct Pair {
    store: SqliteStore<NativeSqlite>,
    model: Model,
    boards: Vec<Rc<Versioned<Leaderboard>>>,
}

impl Pair {
    async fn configure(&mut self, leaderboard: &Leaderboard, rebuild: bool, now: Timestamp) {
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &tenant(),
            leaderboard,
            expected: Expected::Any,
            current: &leaderboard.schedule.period_at(now).id,
            rebuild,
            expiries: &[],
            at: now,
        };
        let stored = self.store.put(&put).await;
        assert_eq!(stored, self.model.put(&put).await);
        self.boards.retain(|board| board.value.id != leaderboard.id);
        self.boards.push(get(&self.store, &leaderboard.id).await);
    }

    async fn submit(&self, dice: &mut Dice, now: Timestamp) {
        let mut attempts = Vec::new();
        for _ in 0..=dice.below(4) {
            let take = 1 + usize::try_from(dice.below(2)).unwrap();
            let boards: Vec<_> = self.boards.iter().take(take).cloned().collect();
            let metadata = [None, Some("{}"), Some("[1]")];
            let submission = Submission {
                leaderboards: boards.iter().map(|board| board.value.id.clone()).collect(),
                player: dice.player(),
                values: SubmissionTarget::Named(vec![
                    ("score".into(), dice.value()),
                    ("time".into(), dice.value()),
                ]),
                operator: dice.one_of(&[None, Some(Operator::Decrement), Some(Operator::Set)]),
                metadata: dice
                    .one_of(&metadata)
                    .map(|text| Metadata::from_json_text(text).unwrap()),
                occurred_at: dice
                    .one_of(&[None, Some(-3), Some(-DAY_MS)])
                    .map(|ms| now.saturating_add_ms(ms)),
                id: dice
                    .one_of(&[None, None, Some("a"), Some("b"), Some("c")])
                    .map(|id| SubmissionId::new(id).unwrap()),
                request: None,
            };
            let id_scope = dice.one_of(&[IdScope::Leaderboard, IdScope::Player]);
            let resolved = submission.resolve(&boards, now);
            attempts.extend(resolved.map(|attempt| PreparedSubmission { id_scope, ..attempt }));
        }
        let ranks = dice.one_of(&[RankDetail::Full, RankDetail::Full, RankDetail::Omitted]);
        let stored = self.store.submit(&tenant(), &attempts, ranks).await;
        assert_eq!(
            stored,
            self.model.submit(&tenant(), &attempts, ranks).await,
            "{attempts:#?}"
        );
    }

    async fn moderate(&self, dice: &mut Dice, now: Timestamp) {
        let (tenant, player) = (tenant(), dice.player());
        match dice.below(3) {
            0 => {
                self.store
                    .ban(&tenant, &Ban::new(player.clone(), now))
                    .await
                    .unwrap()
                    .unwrap();
                self.model
                    .ban(&tenant, &Ban::new(player.clone(), now))
                    .await
                    .unwrap()
                    .unwrap();
            }
            1 => {
                self.store.unban(&tenant, &player, now).await.unwrap();
                self.model.unban(&tenant, &player, now).await.unwrap();
            }
            _ => {
                let board = &self.boards[0];
                let place = PeriodRef {
                    tenant: &tenant,
                    board,
                    period: &board.value.schedule.period_at(now).id,
                    now,
                };
                let stored = self.store.remove(&place, &player, now).await;
                assert_eq!(stored, self.model.remove(&place, &player, now).await);
            }
        }
    }

    async fn compare(&self, dice: &mut Dice, now: Timestamp) {
        let (tenant, callers) = (
            tenant(),
            [Caller::Server, Caller::Anonymous, Caller::Player(dice.player())],
        );
        for board in &self.boards {
            let id = &board.value.id;
            let log = self.store.read(&tenant, id, 0, u32::MAX).await;
            assert_eq!(log, self.model.read(&tenant, id, 0, u32::MAX).await);
            let periods = self.store.periods(&tenant, id, now).await;
            assert_eq!(periods, self.model.periods(&tenant, id, now).await);
            for summary in periods.unwrap() {
                let place = PeriodRef {
                    tenant: &tenant,
                    board,
                    period: &summary.period.id,
                    now,
                };
                self.compare_lists(dice, &place, &callers).await;
                self.compare_distribution(dice, &place).await;
            }
        }
    }

    async fn compare_lists(&self, dice: &mut Dice, place: &PeriodRef<'_>, callers: &[Caller]) {
        let limit = 1 + u32::try_from(dice.below(5)).unwrap();
        let all = self
            .model
            .page(place, &PageFrom::Top, 100, &Caller::Anonymous)
            .await
            .unwrap();
        let layout = all.layout.unwrap();
        let at = Timestamp::saturating_from_unix_ms(NOW_MS);
        let mut froms = vec![PageFrom::Top];
        for _ in 0..2 {
            let values = leaderboard_core::Values::new(vec![dice.value(), dice.value()]);
            froms.push(PageFrom::After(layout.key(&values, at, &dice.player())));
            froms.push(PageFrom::Before(layout.key(&values, at, &dice.player())));
        }
        if let Some(ranked) = all.entries.get(1) {
            let entry = &ranked.entry;
            let key = layout.key(&entry.values, entry.reached_at, &entry.player);
            froms.push(PageFrom::After(key.clone()));
            froms.push(PageFrom::Before(key));
        }
        for from in froms {
            let stored = self.store.page(place, &from, limit, &Caller::Anonymous).await;
            assert_eq!(
                stored,
                self.model.page(place, &from, limit, &Caller::Anonymous).await,
                "{from:?}"
            );
        }
        for caller in callers {
            let player = dice.player();
            let stored = self.store.around(place, &player, limit, caller).await;
            assert_eq!(stored, self.model.around(place, &player, limit, caller).await);
            let players: Vec<PlayerId> = (0..=dice.below(4)).map(|_| dice.player()).collect();
            let stored = self.store.entries_by_player(place, &players, caller).await;
            assert_eq!(
                stored,
                self.model.entries_by_player(place, &players, caller).await
            );
        }
    }

    async fn compare_distribution(&self, dice: &mut Dice, place: &PeriodRef<'_>) {
        let fractions = [500, 0, 1000, 333, 500];
        let stored = self.store.sample(place, &fractions).await;
        assert_eq!(stored, self.model.sample(place, &fractions).await);
        let layout = self
            .model
            .page(place, &PageFrom::Top, 1, &Caller::Anonymous)
            .await
            .unwrap()
            .layout
            .unwrap();
        let tuples: Vec<Vec<u8>> = (0..6)
            .map(|n| {
                let mut tuple =
                    layout.tuple(&leaderboard_core::Values::new(vec![dice.value(), dice.value()]));
                tuple.truncate(if n % 2 == 0 { 8 } else { 16 });
                tuple
            })
            .collect();
        let stored = self.store.positions(place, &tuples).await;
        assert_eq!(stored, self.model.positions(place, &tuples).await);
    }
}

/// Lets versions count up by one, in the store and in the model: the last one is far ahead of the clock.
async fn count_versions(file: &File, pair: &Pair) {
    const LAST: u64 = 1 << 52;
    pair.store.ready().await.unwrap();
    file.raw()
        .execute("INSERT INTO configuration_versions VALUES ('acme', ?1)", [LAST])
        .unwrap();
    pair.model.set_clock(LAST + 1);
}

#[test]
fn the_store_says_what_the_model_says() {
    for seed in 0..16 {
        block_on(async {
            let file = File::new();
            let mut dice = Dice(seed);
            let mut pair = Pair {
                store: file.store(),
                model: Model::new(),
                boards: Vec::new(),
            };
            count_versions(&file, &pair).await;
            for id in ["one", "two"] {
                let leaderboard = leaderboard(&mut dice, id);
                pair.configure(&leaderboard, false, at(0)).await;
            }
            for step in 1..30 {
                let now = at(step * DAY_MS / 4);
                match dice.below(8) {
                    0 => pair.moderate(&mut dice, now).await,
                    1 if dice.below(4) == 0 => {
                        let changed = leaderboard(&mut dice, "two");
                        let rebuild = dice.below(2) == 0;
                        pair.configure(&changed, rebuild, now).await;
                    }
                    _ => pair.submit(&mut dice, now).await,
                }
                pair.compare(&mut dice, now).await;
            }
        });
    }
}
