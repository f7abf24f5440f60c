//! Tests that a group of submissions has the same results, and leaves the same data, as the same submissions
//! one after another.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::join_all;
use leaderboard_core::ports::{Ban, Bans, RankDetail, Scores, SubmitOptions};
use leaderboard_core::{
    Leaderboard, Limits, LogPolicy, Metadata, Operator, Order, PreparedSubmission, SubmissionId, Ties,
    Versioned,
};
use leaderboard_redis::Reply;

use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, board, charge_request, daily_schedule, fingerprint, hourly_charge, player, put,
    resolve, submission, tenant,
};

type Board = Rc<Versioned<Leaderboard>>;

/// The number of submissions that the test compares.
const SUBMISSIONS: usize = 600;
/// The maximum number of submissions in a group.
const MAX_GROUP: u64 = 16;

/// A generator of pseudorandom numbers (<https://en.wikipedia.org/wiki/Xorshift>), the same in each run.
struct Random(u64);

impl Random {
    /// Returns a number below `end`.
    fn next_below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Returns leaderboards with different operators, tie policies and limits.
fn make_leaderboards() -> [Leaderboard; 3] {
    let mut sum = board("sum", &[Order::Descending], Ties::Dense, Operator::Increment);
    sum.schedule = daily_schedule();
    sum.keep_periods = 2;
    sum.limits = Limits {
        max: Some(60),
        max_entries: Some(12),
        ..Limits::default()
    };
    let mut best = board("best", &[Order::Ascending], Ties::Latest, Operator::Best);
    best.log = LogPolicy {
        keep_events: 40,
        ..best.log
    };
    [
        sum,
        best,
        board("set", &[Order::Descending], Ties::Shared, Operator::Set),
    ]
}

/// Returns a random submission of one of 20 players to one or more of the leaderboards.
fn make_submission(random: &mut Random, boards: &[Board], now_ms: i64) -> PreparedSubmission {
    let from = usize::try_from(random.next_below(3)).unwrap();
    let to = from + 1 + usize::try_from(random.next_below(u64::try_from(3 - from).unwrap())).unwrap();
    let value = i64::try_from(random.next_below(12)).unwrap() - 2;
    let name = format!("p{}", random.next_below(20));
    let mut one = submission(&name, &[value]);
    if random.next_below(3) == 0 {
        let text = format!("{{\"n\":{}}}", random.next_below(3));
        one.metadata = Some(Metadata::from_json_text(text).unwrap());
    }
    let mut one = resolve(&one, &boards[from..to], now_ms).unwrap();
    if random.next_below(2) == 0 {
        one.id = Some(SubmissionId::new(format!("{}", random.next_below(60))).unwrap());
        one.fingerprint = fingerprint(u8::try_from(random.next_below(2)).unwrap());
    }
    one
}

/// Returns options with a rate limit of one of four players.
fn make_options(random: &mut Random) -> SubmitOptions {
    SubmitOptions {
        charge_request: charge_request(vec![
            hourly_charge("tenant", 500, 1),
            hourly_charge(&format!("p{}", random.next_below(4)), 140, 1),
        ]),
        max_tenant_entries: Some(40),
        // Never reached: a group that exceeds the limit removes the oldest events once, at its end.
        max_log_bytes: Some(1 << 30),
        announce_on: Some("changes".into()),
        ..SubmitOptions::new(RankDetail::Full)
    }
}

/// Returns all data in a fixed order, without the keys that depend on the clock of the server.
async fn read_data(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for key in server.run_command("KEYS *").await {
        let Reply::Bytes(key) = key else { panic!("{key:?}") };
        let key = String::from_utf8(key).unwrap();
        if key.contains(":rate:") || key.ends_with(":expiring") || key.ends_with(":announced") {
            continue;
        }
        let kind = server.run_command(&format!("TYPE {key}")).await;
        let [Reply::Status(kind)] = kind.as_slice() else {
            panic!("{kind:?}")
        };
        let values = match kind.as_str() {
            "hash" => server.run_command(&format!("HGETALL {key}")).await,
            "zset" => server.run_command(&format!("ZRANGE {key} 0 -1 WITHSCORES")).await,
            "stream" => server.run_command(&format!("XRANGE {key} - +")).await,
            "string" => server.run_command(&format!("GET {key}")).await,
            other => panic!("{other}"),
        };
        let mut values: Vec<_> = values.chunks(2).map(|pair| format!("{pair:?}")).collect();
        if kind == "hash" {
            values.sort();
        }
        all.insert(key, values);
    }
    all
}

#[tokio::test]
async fn groups_and_single_submissions_have_the_same_result() {
    let (grouped, single) = (Server::start().await, Server::start().await);
    let store = grouped.store().await;
    let mut boards = Vec::new();
    for leaderboard in make_leaderboards() {
        boards.push(put(&store, &leaderboard).await);
    }
    store
        .ban(&tenant(), &Ban::new(player("p3"), at(NOW_MS)))
        .await
        .unwrap()
        .unwrap();
    single.restore(&grouped.digest().await).await;
    let single_store = single.store().await;
    let mut random = Random(42);
    let (mut sent, mut now_ms, mut refused) = (0, NOW_MS, 0);
    while sent < SUBMISSIONS {
        now_ms += DAY_MS / 90;
        let count = 1 + random.next_below(MAX_GROUP);
        let calls: Vec<_> = (0..count)
            .map(|_| {
                (
                    make_submission(&mut random, &boards, now_ms),
                    make_options(&mut random),
                )
            })
            .collect();
        sent += calls.len();
        let tenant = tenant();
        let together = calls
            .iter()
            .map(|(one, options)| store.submit_with_options(&tenant, std::slice::from_ref(one), options));
        let together = join_all(together).await;
        for (together, (one, options)) in together.into_iter().zip(&calls) {
            let alone = single_store
                .submit_with_options(&tenant, std::slice::from_ref(one), options)
                .await
                .unwrap();
            let together = together.unwrap();
            assert_eq!(together.answers, alone.answers, "{one:?}");
            assert_eq!(
                together.rate_limit_decision.requests_today,
                alone.rate_limit_decision.requests_today
            );
            refused += usize::from(alone.rate_limit_decision.refused);
        }
    }
    let (grouped, single) = (read_data(&grouped).await, read_data(&single).await);
    for (key, values) in &single {
        assert_eq!(grouped.get(key), Some(values), "{key}");
    }
    assert_eq!(grouped.len(), single.len());
    assert!((1..SUBMISSIONS / 2).contains(&refused), "{refused}");
}
