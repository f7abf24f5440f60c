//! Random histories, told to the store and to the core's model: every answer must be the same.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::model::Model;
use leaderboard_core::ports::{
    Ban, Bans, Events, Expected, Leaderboards, Metered, Metering, PageFrom, Place, PutLeaderboard,
    RankDetail, RateLimits, Scores, SubmitTerms, Usage,
};
use leaderboard_core::{
    IdScope, Leaderboard, Metadata, Operator, Order, PeriodId, PlayerId, SubmissionId, Ties, Timestamp,
    Versioned,
};
use leaderboard_redis::RedisStore;

use crate::dice::Dice;
use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, HOUR_US, NOW_MS, at, board, board_id, daily, hourly, player, resolve, submission, tenant,
};

const STEPS: usize = 120;
const NAMES: [&str; 9] = ["a", "ab", "b", " ", "José (Uruguay)", "日本", "A,b:c", "~", "é"];
const EXTREMES: [i64; 16] = [
    i64::MIN,
    i64::MIN + 1,
    i64::MAX,
    i64::MAX - 1,
    0,
    1,
    -1,
    1 << 53,
    (1 << 53) + 1,
    -(1 << 53) - 1,
    1 << 32,
    (1 << 32) - 1,
    -(1 << 32),
    u32::MAX as i64 + 7,
    i64::MAX / 2,
    i64::MIN / 2,
];
const OPERATORS: [Operator; 4] = [
    Operator::Best,
    Operator::Set,
    Operator::Increment,
    Operator::Decrement,
];
const ALL_TIES: [Ties; 4] = [Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense];

/// Mostly small numbers, so that there are ties; sometimes extreme ones.
fn value(dice: &mut Dice) -> i64 {
    if dice.chance(3) {
        dice.pick(&EXTREMES)
    } else {
        i64::try_from(dice.roll(5)).unwrap() - 2
    }
}

/// Both stores, and what has been told to them.
struct Pair {
    dice: Dice,
    model: Model,
    store: RedisStore<NativeRedis>,
    boards: Vec<Rc<Versioned<Leaderboard>>>,
    now_ms: i64,
}

impl Pair {
    async fn new(server: &Server, boards: &[Leaderboard], seed: u64) -> Self {
        let mut pair = Self {
            dice: Dice(seed),
            model: Model::new(),
            store: server.store().await,
            boards: Vec::new(),
            now_ms: NOW_MS,
        };
        server.count_versions(&pair.model).await;
        for board in boards {
            let version = pair.put(board, true).await.unwrap();
            pair.boards.push(Rc::new(Versioned {
                version,
                value: board.clone(),
            }));
        }
        pair
    }

    fn players(&self) -> Vec<PlayerId> {
        NAMES.map(player).to_vec()
    }

    async fn put(&self, board: &Leaderboard, rebuild: bool) -> Option<u64> {
        let current = board.schedule.period_at(at(self.now_ms)).id;
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &tenant(),
            leaderboard: board,
            expected: Expected::Any,
            current: &current,
            rebuild,
            expiries: &[],
            at: at(self.now_ms),
        };
        let said = self.store.put(&put).await.unwrap();
        assert_eq!(said, self.model.put(&put).await.unwrap(), "put {board:?}");
        said.ok().map(|(version, _)| version)
    }

    async fn step(&mut self) {
        self.now_ms += i64::try_from(self.dice.roll(3)).unwrap();
        match self.dice.roll(20) {
            0 => self.moderate().await,
            1 => self.remove().await,
            2 => self.reconfigure().await,
            3 => self.now_ms += DAY_MS / 3,
            4 => self.meter().await,
            _ => self.submit().await,
        }
    }

    async fn submit(&mut self) {
        let mut attempts = Vec::new();
        for _ in 0..=self.dice.roll(4) {
            let who = self.dice.roll(NAMES.len());
            let name = NAMES[who];
            let who = u8::try_from(who).unwrap();
            let columns = self.boards[0].value.columns.count();
            let values: Vec<i64> = (0..columns).map(|_| value(&mut self.dice)).collect();
            let mut given = submission(name, &values);
            given.operator = (!self.dice.chance(3)).then(|| self.dice.pick(&OPERATORS));
            if self.dice.chance(3) {
                let text = ["{}", "{\"a\":1}", ""][self.dice.roll(3)];
                given.metadata = Some(Metadata::from_json_text(text).unwrap());
            }
            if self.dice.chance(2) {
                let back = i64::try_from(self.dice.roll(4)).unwrap();
                given.occurred_at = Some(at(self.now_ms
                    - back
                    - if self.dice.chance(6) { DAY_MS } else { 0 }));
            }
            if self.dice.chance(4) {
                given.id = Some(SubmissionId::new(format!("id{}", self.dice.roll(6))).unwrap());
            }
            let boards = if self.dice.chance(3) {
                &self.boards[..1]
            } else {
                &self.boards
            };
            if let Ok(mut attempt) = resolve(&given, boards, self.now_ms) {
                if self.dice.chance(2) {
                    // Another content under the same digest, so that ids are met again; never another player.
                    attempt.fingerprint = [who; 16];
                }
                if self.dice.chance(3) {
                    attempt.id_scope = IdScope::Player;
                }
                attempts.push(attempt);
            }
        }
        let terms = SubmitTerms {
            metering: self.metering(),
            max_tenant_entries: self.dice.chance(4).then(|| self.dice.roll(40) as u64),
            max_log_bytes: None,
            announce_on: None,
            received_at: None,
            ranks: self
                .dice
                .pick(&[RankDetail::Full, RankDetail::Full, RankDetail::Omitted]),
        };
        self.set_clock();
        let said = self.store.submit_on(&tenant(), &attempts, &terms).await.unwrap();
        let told = self.model.submit_on(&tenant(), &attempts, &terms).await.unwrap();
        assert_metered(&said.metered, &told.metered, &terms.metering);
        for ((said, told), attempt) in said.answers.iter().zip(&told.answers).zip(&attempts) {
            assert_eq!(said, told, "{attempt:#?}");
        }
        assert_eq!(said.answers.len(), told.answers.len());
    }

    /// Charges whose outcome is the same whether the clocks differ by milliseconds or not.
    fn metering(&mut self) -> Metering {
        let mut charges = Vec::new();
        for bucket in ["", "player:a", "b:a:doc"] {
            if self.dice.chance(3) {
                charges.push(hourly(bucket, 30, self.dice.roll(3) as u64));
            }
        }
        Metering {
            charges,
            usage: Usage {
                requests: self.dice.roll(2) as u64,
                scores: self.dice.roll(5) as u64,
            },
            max_requests_per_day: self.dice.chance(6).then(|| self.dice.roll(90) as u64),
        }
    }

    /// The model's clock is told; that of the store is the server's.
    fn set_clock(&self) {
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        self.model.set_clock(u64::try_from(since.as_micros()).unwrap());
    }

    async fn meter(&mut self) {
        let metering = self.metering();
        self.set_clock();
        let (said, told) = if self.dice.chance(2) {
            let said = self.store.take(&tenant(), &metering).await.unwrap();
            (said, self.model.take(&tenant(), &metering).await.unwrap())
        } else {
            let said = self.store.report(&tenant(), &metering).await.unwrap();
            (said, self.model.report(&tenant(), &metering).await.unwrap())
        };
        assert_metered(&said, &told, &metering);
    }

    async fn moderate(&mut self) {
        let who = player(self.dice.pick(&NAMES));
        let now = at(self.now_ms);
        if self.dice.chance(2) {
            self.store
                .ban(&tenant(), &Ban::new(who.clone(), now))
                .await
                .unwrap()
                .unwrap();
            self.model
                .ban(&tenant(), &Ban::new(who.clone(), now))
                .await
                .unwrap()
                .unwrap();
        } else {
            self.store.unban(&tenant(), &who, now).await.unwrap();
            self.model.unban(&tenant(), &who, now).await.unwrap();
        }
    }

    async fn remove(&mut self) {
        let who = player(self.dice.pick(&NAMES));
        for (board, period) in self.places() {
            let tenant = tenant();
            let place = Place {
                tenant: &tenant,
                board: &board,
                period: &period,
                now: at(self.now_ms),
            };
            let said = self.store.remove(&place, &who, at(self.now_ms)).await;
            assert_eq!(said, self.model.remove(&place, &who, at(self.now_ms)).await);
        }
    }

    /// Another order, policy for ties or limits for the first leaderboard.
    async fn reconfigure(&mut self) {
        let mut changed = self.boards[0].value.clone();
        let count = changed.columns.count();
        match self.dice.roll(3) {
            0 => changed.ties = self.dice.pick(&ALL_TIES),
            1 => {
                let orders: Vec<Order> = (0..count)
                    .map(|_| self.dice.pick(&[Order::Ascending, Order::Descending]))
                    .collect();
                changed.columns = board("x", &orders, changed.ties, changed.operator).columns;
            }
            _ => {
                changed.limits.min = self.dice.chance(2).then_some(-(1 << 40));
                changed.limits.max = self.dice.chance(2).then_some(1 << 40);
                changed.limits.max_change = self.dice.chance(2).then_some(1 << 62);
                changed.limits.max_attempts = self.dice.chance(3).then_some(9);
                changed.limits.max_entries = self.dice.chance(3).then_some(6);
            }
        }
        let rebuild = !self.dice.chance(4);
        if let Some(version) = self.put(&changed, rebuild).await {
            let value = changed;
            self.boards[0] = Rc::new(Versioned { version, value });
        }
    }

    /// Every leaderboard with its periods of the last days.
    fn places(&self) -> Vec<(Rc<Versioned<Leaderboard>>, PeriodId)> {
        let mut places = Vec::new();
        for board in &self.boards {
            for back in 0..3 {
                let period = board.value.schedule.period_at(at(self.now_ms - back * DAY_MS)).id;
                if !places.contains(&(Rc::clone(board), period.clone())) {
                    places.push((Rc::clone(board), period));
                }
            }
        }
        places
    }

    /// Every read there is, compared.
    async fn compare(&mut self) {
        let now = at(self.now_ms);
        for (board, period) in self.places() {
            let tenant = tenant();
            let place = Place {
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

    async fn compare_pages(&mut self, place: &Place<'_>) {
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
                    let said = self.store.page(place, &from, limit, &Caller::Anonymous).await;
                    assert_eq!(
                        said,
                        self.model.page(place, &from, limit, &Caller::Anonymous).await,
                        "{from:?} {limit}"
                    );
                }
            }
        }
    }

    async fn compare_players(&mut self, place: &Place<'_>) {
        let players = self.players();
        let callers = [
            Caller::Anonymous,
            Caller::Server,
            Caller::Player(players[0].clone()),
        ];
        for caller in &callers {
            for who in &players {
                let limit = u32::try_from(1 + self.dice.roll(7)).unwrap();
                let said = self.store.around(place, who, limit, caller).await;
                let told = self.model.around(place, who, limit, caller).await;
                assert_eq!(said, told, "around {who} {limit} for {caller:?}");
                let one = std::slice::from_ref(who);
                let said = self.store.standings(place, one, caller).await;
                assert_eq!(
                    said,
                    self.model.standings(place, one, caller).await,
                    "{who} {caller:?}"
                );
            }
            let said = self.store.standings(place, &players, caller).await;
            assert_eq!(said, self.model.standings(place, &players, caller).await);
        }
    }

    async fn compare_counts(&mut self, place: &Place<'_>) {
        let fractions = [0, 1, 250, 333, 500, 667, 999, 1000];
        let said = self.store.sample(place, &fractions).await;
        assert_eq!(said, self.model.sample(place, &fractions).await);
        let Some(layout) = said.unwrap().layout else {
            return;
        };
        let mut tuples = Vec::new();
        for _ in 0..6 {
            let values = (0..layout.columns.count())
                .map(|_| value(&mut self.dice))
                .collect();
            let mut tuple = layout.tuple(&leaderboard_core::Values::new(values));
            tuple.truncate(8 * (1 + self.dice.roll(layout.columns.count())));
            tuples.push(tuple);
        }
        let said = self.store.positions(place, &tuples).await;
        assert_eq!(said, self.model.positions(place, &tuples).await, "{tuples:?}");
    }

    async fn compare_log(&self, board: &Leaderboard, now: Timestamp) {
        let tenant = tenant();
        let said = self.store.periods(&tenant, &board.id, now).await;
        assert_eq!(said, self.model.periods(&tenant, &board.id, now).await);
        for (after, limit) in [(0, 1000), (3, 2), (0, 0), (1_000_000, 5)] {
            let said = self.store.read(&tenant, &board.id, after, limit).await;
            assert_eq!(said, self.model.read(&tenant, &board.id, after, limit).await);
        }
        let said = self.store.get(&tenant, &board.id).await;
        assert_eq!(said, Leaderboards::get(&self.model, &tenant, &board.id).await);
        let said = self.store.list(&tenant, Some(&board_id("a")), 10).await;
        assert_eq!(said, self.model.list(&tenant, Some(&board_id("a")), 10).await);
    }
}

/// The same but for the time that passed between the two.
fn assert_metered(said: &Metered, told: &Metered, metering: &Metering) {
    assert_eq!(said.refused, told.refused, "{metering:?}: {said:?}, {told:?}");
    assert_eq!(said.requests_today, told.requests_today, "{metering:?}");
    assert_eq!(said.ahead_us.len(), told.ahead_us.len());
    for (said, told) in said.ahead_us.iter().zip(&told.ahead_us) {
        assert!(said.abs_diff(*told) < HOUR_US / 4, "{metering:?}: {said}, {told}");
    }
}

/// Two leaderboards of these directions, one that never resets and one that does daily.
async fn run(server: &Server, orders: &[Order], ties: Ties, seed: u64) {
    server.ask("FLUSHALL").await;
    let first = board("first", orders, ties, Operator::Best);
    let mut second = board("second", orders, ties, Operator::Increment);
    second.schedule = daily();
    let mut pair = Pair::new(server, &[first, second], seed).await;
    for step in 0..STEPS {
        pair.step().await;
        if step % 8 == 7 {
            pair.compare().await;
        }
    }
}

#[tokio::test]
async fn one_column_of_either_direction() {
    let server = Server::start().await;
    for (seed, ties) in (1..).zip(ALL_TIES) {
        run(&server, &[Order::Descending], ties, seed).await;
        run(&server, &[Order::Ascending], ties, seed + 100).await;
    }
}

#[tokio::test]
async fn several_columns_of_mixed_directions() {
    let server = Server::start().await;
    for (seed, ties) in (1..).zip(ALL_TIES) {
        run(&server, &[Order::Descending, Order::Ascending], ties, seed + 200).await;
        let three = [Order::Ascending, Order::Descending, Order::Descending];
        run(&server, &three, ties, seed + 300).await;
    }
}
