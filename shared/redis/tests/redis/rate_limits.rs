//! Tests of rate limits and usage: charges are complete or absent, unused limits expire, debts are bounded,
//! usage is daily.

use leaderboard_core::ports::{
    Charge, ChargeRequest, RateLimitDecision, RateLimits, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{StoreError, SubmissionId};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    NOW_MS, charge_request, daily_schedule, hourly_charge, prepare, put, resolve, simple_leaderboard,
    submission, submit_options, tenant,
};

async fn take(store: &RedisStore<NativeRedis>, charge_request: &ChargeRequest) -> RateLimitDecision {
    store.take(&tenant(), charge_request).await.unwrap()
}

#[tokio::test]
async fn a_limit_that_has_fully_grown_back_takes_no_memory() {
    let server = Server::start().await;
    let store = server.store().await;
    let quick = |cost| Charge {
        bucket: "quick".into(),
        interval_us: 20_000,
        burst: 4,
        needs: Some(cost),
        cost,
    };
    let taken = take(&store, &charge_request(vec![quick(4)])).await;
    assert_eq!(taken.ahead_us, [80_000]);
    let [Reply::Integer(left)] = server.run_command("PTTL eb:acme:rate:quick").await[..] else {
        panic!("no time to live")
    };
    assert!(left <= 80, "{left}");
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    assert_eq!(
        server.run_command("EXISTS eb:acme:rate:quick").await,
        [Reply::Integer(0)]
    );
    let again = take(&store, &charge_request(vec![quick(4)])).await;
    assert_eq!((again.refused, again.ahead_us), (false, vec![80_000]));
}

#[tokio::test]
async fn usage_is_listed_by_the_day_and_kept_for_400_days() {
    let server = Server::start().await;
    let store = server.store().await;
    server.run_command("HSET eb:acme:usage r1 5 s1 6 r2 7").await;
    let (days, _) = store.usage(&tenant(), 5).await.unwrap();
    assert_eq!(days.iter().map(|day| day.day).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((days[1].usage.requests, days[1].usage.scores), (5, 6));
    assert_eq!(store.usage(&tenant(), 1).await.unwrap().0, days[..1]);
    take(&store, &charge_request(Vec::new())).await;
    let [Reply::Integer(left_s)] = server.run_command("TTL eb:acme:usage").await[..] else {
        panic!("no time to live")
    };
    assert!((left_s / 86_400 - 400).abs() <= 1, "{left_s}");
}

#[tokio::test]
async fn usage_without_a_request_expires_too() {
    let server = Server::start().await;
    let store = server.store().await;
    let messages = ChargeRequest {
        usage: Usage {
            requests: 0,
            scores: 3,
        },
        ..ChargeRequest::default()
    };
    store.report(&tenant(), &messages).await.unwrap();
    let [Reply::Integer(left_s)] = server.run_command("TTL eb:acme:usage").await[..] else {
        panic!("no time to live")
    };
    assert!(left_s > 0, "{left_s}");
}

#[tokio::test]
async fn only_permanent_data_is_stored_without_an_expiry() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut by_day = simple_leaderboard("b");
    by_day.schedule = daily_schedule();
    by_day.keep_periods = 3;
    let boards = [
        put(&store, &simple_leaderboard("a")).await,
        put(&store, &by_day).await,
    ];
    let mut prepared = resolve(&submission("p", &[5]), &boards, NOW_MS).unwrap();
    prepared.id = Some(SubmissionId::new("x").unwrap());
    let full_options = SubmitOptions {
        charge_request: charge_request(vec![hourly_charge("player", 5, 1)]),
        max_tenant_entries: Some(10),
        announce_on: Some("changes".into()),
        ..submit_options()
    };
    let results = store
        .submit_with_options(&tenant(), &[prepared], &full_options)
        .await
        .unwrap();
    assert!(results.answers[0].is_ok());
    let mut endless = Vec::new();
    for key in server.run_command("KEYS *").await {
        let Reply::Bytes(name) = key else {
            panic!("{key:?}")
        };
        let name = String::from_utf8(name).unwrap();
        if server.run_command(&format!("PTTL {name}")).await == [Reply::Integer(-1)] {
            endless.push(name);
        }
    }
    endless.sort();
    let of_tenant =
        ["boards", "entry-counts", "expiring", "log_bytes", "version"].map(|name| format!("eb:acme:{name}"));
    let of_boards = [
        "a:doc",
        "a:e:all",
        "a:log",
        "a:m:all",
        "a:periods",
        "a:v:all",
        "b:doc",
        "b:log",
        "b:periods",
    ]
    .map(|name| format!("eb:acme:b:{name}"));
    let mut expected = [&of_tenant[..], &of_boards].concat();
    expected.sort();
    assert_eq!(endless, expected);
}

#[tokio::test]
async fn damaged_data_is_an_error_and_nothing_is_charged() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    let one = [prepare(&board, "p", 5, NOW_MS)];
    let mut strict = SubmitOptions {
        charge_request: charge_request(vec![hourly_charge("ok", 5, 1), hourly_charge("bad", 5, 1)]),
        max_tenant_entries: Some(10),
        ..submit_options()
    };
    strict.charge_request.usage.scores = 1;
    let clean = server.digest().await;
    for (key, command) in [
        ("eb:acme:rate:bad", "SET eb:acme:rate:bad short"),
        ("eb:acme:rate:bad", "HSET eb:acme:rate:bad a b"),
        ("eb:acme:usage", "SET eb:acme:usage x"),
        ("eb:acme:b:a:e:all", "SET eb:acme:b:a:e:all x"),
        ("eb:acme:b:a:periods", "SET eb:acme:b:a:periods x"),
    ] {
        server.run_command(command).await;
        let dump = server.digest().await;
        let actual = store.submit_with_options(&tenant(), &one, &strict).await;
        assert!(
            matches!(actual, Err(StoreError::Corrupt(_))),
            "{command}: {actual:?}"
        );
        assert_eq!(server.digest().await, dump, "{command}");
        server.run_command(&format!("DEL {key}")).await;
    }
    // An error after the charge leaves the entries unchanged.
    for command in [
        "SET eb:acme:entry-counts x",
        "SET eb:acme:expiring x",
        "HSET eb:acme:entry-counts  many",
    ] {
        server.run_command(command).await;
        let dump = server.digest().await;
        let free = SubmitOptions {
            charge_request: ChargeRequest::default(),
            ..strict.clone()
        };
        let actual = store.submit_with_options(&tenant(), &one, &free).await;
        assert!(
            matches!(actual, Err(StoreError::Corrupt(_))),
            "{command}: {actual:?}"
        );
        assert_eq!(server.digest().await, dump, "{command}");
        server
            .run_command("DEL eb:acme:entry-counts eb:acme:expiring")
            .await;
        server.run_command("HSET eb:acme:entry-counts  0").await;
    }
    assert_eq!(server.digest().await, clean);
}

#[tokio::test]
async fn a_debt_is_stored_until_the_limit_has_grown_back() {
    let server = Server::start().await;
    let store = server.store().await;
    // The limit grows back by 100 units a minute.
    let batch = |needs, cost| Charge {
        bucket: "batch".into(),
        interval_us: 600_000,
        burst: 1,
        needs: Some(needs),
        cost,
    };
    const DEBT_US: u64 = 16_000 * 600_000;
    let taken = take(&store, &charge_request(vec![batch(1, 16_000)])).await;
    assert_eq!((taken.refused, taken.ahead_us), (false, vec![DEBT_US]));
    let left_ms = async || match server.run_command("PTTL eb:acme:rate:batch").await[..] {
        [Reply::Integer(left)] => u64::try_from(left).unwrap(),
        ref other => panic!("{other:?}"),
    };
    assert!(left_ms().await > DEBT_US / 1000 - 60_000);
    // A report does not shorten the debt.
    store
        .report(&tenant(), &charge_request(vec![batch(0, 1)]))
        .await
        .unwrap();
    assert!(left_ms().await > DEBT_US / 1000 - 60_000);
}
