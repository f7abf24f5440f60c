//! Random histories: the store and the core's model run the same operations and must return the same results.

use std::rc::Rc;

use leaderboard_core::ports::{
    Ban, Bans, ChargeRequest, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail,
    RateLimitDecision, RateLimits, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{
    IdScope, Leaderboard, Metadata, Operator, Order, PeriodId, PlayerId, SubmissionId, Ties, Versioned,
};
use leaderboard_model::Model;
use leaderboard_redis::RedisStore;

use crate::dice::Dice;
use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{DAY_MS, HOUR_US, NOW_MS, at, board, daily, hourly, player, resolve, submission, tenant};

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

/// Returns mostly small numbers, so that there are ties, and sometimes extreme numbers.
pub(crate) fn value(dice: &mut Dice) -> i64 {
    if dice.chance(3) {
        dice.pick(&EXTREMES)
    } else {
        i64::try_from(dice.roll(5)).unwrap() - 2
    }
}

/// The store and the model, and the leaderboards that both have.
pub(crate) struct Pair {
    pub(crate) dice: Dice,
    pub(crate) model: Model,
    pub(crate) store: RedisStore<NativeRedis>,
    pub(crate) boards: Vec<Rc<Versioned<Leaderboard>>>,
    pub(crate) now_ms: i64,
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

    pub(crate) fn players(&self) -> Vec<PlayerId> {
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
        let actual = self.store.put(&put).await.unwrap();
        assert_eq!(actual, self.model.put(&put).await.unwrap(), "put {board:?}");
        actual.ok().map(|(version, _)| version)
    }

    async fn step(&mut self) {
        self.now_ms += i64::try_from(self.dice.roll(3)).unwrap();
        match self.dice.roll(20) {
            0 => self.moderate().await,
            1 => self.remove().await,
            2 => self.reconfigure().await,
            3 => self.now_ms += DAY_MS / 3,
            4 => self.charge().await,
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
                    // The same fingerprint for different submissions of a player, so that there are replays.
                    attempt.fingerprint = [who; 16];
                }
                if self.dice.chance(3) {
                    attempt.id_scope = IdScope::Player;
                }
                attempts.push(attempt);
            }
        }
        let terms = SubmitOptions {
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
        let actual = self
            .store
            .submit_with_options(&tenant(), &attempts, &terms)
            .await
            .unwrap();
        let expected = self
            .model
            .submit_with_options(&tenant(), &attempts, &terms)
            .await
            .unwrap();
        assert_same_decision(&actual.metered, &expected.metered, &terms.metering);
        for ((actual, expected), attempt) in actual.answers.iter().zip(&expected.answers).zip(&attempts) {
            assert_eq!(actual, expected, "{attempt:#?}");
        }
        assert_eq!(actual.answers.len(), expected.answers.len());
    }

    /// Returns charges whose decision does not depend on a few milliseconds.
    fn metering(&mut self) -> ChargeRequest {
        let mut charges = Vec::new();
        for bucket in ["", "player:a", "b:a:doc"] {
            if self.dice.chance(3) {
                charges.push(hourly(bucket, 30, self.dice.roll(3) as u64));
            }
        }
        ChargeRequest {
            charges,
            usage: Usage {
                requests: self.dice.roll(2) as u64,
                scores: self.dice.roll(5) as u64,
            },
            max_requests_per_day: self.dice.chance(6).then(|| self.dice.roll(90) as u64),
        }
    }

    /// Sets the model's clock to the time of the server.
    fn set_clock(&self) {
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        self.model.set_clock(u64::try_from(since.as_micros()).unwrap());
    }

    async fn charge(&mut self) {
        let metering = self.metering();
        self.set_clock();
        let (actual, expected) = if self.dice.chance(2) {
            let actual = self.store.take(&tenant(), &metering).await.unwrap();
            (actual, self.model.take(&tenant(), &metering).await.unwrap())
        } else {
            let actual = self.store.report(&tenant(), &metering).await.unwrap();
            (actual, self.model.report(&tenant(), &metering).await.unwrap())
        };
        assert_same_decision(&actual, &expected, &metering);
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
        for (board, period) in self.list_periods() {
            let tenant = tenant();
            let place = PeriodRef {
                tenant: &tenant,
                board: &board,
                period: &period,
                now: at(self.now_ms),
            };
            let actual = self.store.remove(&place, &who, at(self.now_ms)).await;
            assert_eq!(actual, self.model.remove(&place, &who, at(self.now_ms)).await);
        }
    }

    /// Changes the order, the policy for ties or the limits of the first leaderboard.
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

    /// Returns every leaderboard with its periods of the last days.
    pub(crate) fn list_periods(&self) -> Vec<(Rc<Versioned<Leaderboard>>, PeriodId)> {
        let mut periods = Vec::new();
        for board in &self.boards {
            for back in 0..3 {
                let period = board.value.schedule.period_at(at(self.now_ms - back * DAY_MS)).id;
                if !periods.contains(&(Rc::clone(board), period.clone())) {
                    periods.push((Rc::clone(board), period));
                }
            }
        }
        periods
    }
}

/// Compares two decisions. They may differ by the time that passed between the calls.
fn assert_same_decision(actual: &RateLimitDecision, expected: &RateLimitDecision, metering: &ChargeRequest) {
    assert_eq!(
        actual.refused, expected.refused,
        "{metering:?}: {actual:?}, {expected:?}"
    );
    assert_eq!(actual.requests_today, expected.requests_today, "{metering:?}");
    assert_eq!(actual.ahead_us.len(), expected.ahead_us.len());
    for (actual, expected) in actual.ahead_us.iter().zip(&expected.ahead_us) {
        assert!(
            actual.abs_diff(*expected) < HOUR_US / 4,
            "{metering:?}: {actual}, {expected}"
        );
    }
}

/// Runs a history with two leaderboards of these directions: one without resets, one with daily resets.
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
