//! Rate limits and usage: charges are complete or absent, unused limits expire, debts are bounded, usage is daily.

use leaderboard_core::ports::{
    Charge, ChargeRequest, Events, MAX_DEBT_US, RateLimitDecision, RateLimits, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{StoreError, SubmissionId};
use leaderboard_redis::{RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    HOUR_US, NOW_MS, attempt, daily, hourly, put, request, resolve, simple, submission, tenant, terms,
};

async fn take(store: &RedisStore<NativeRedis>, charge_request: &ChargeRequest) -> RateLimitDecision {
    store.take(&tenant(), charge_request).await.unwrap()
}

/// Returns whether a bucket is ahead by this many hours, apart from the run time of the test.
fn is_hours(ahead_us: u64, hours: u64) -> bool {
    let most = hours * HOUR_US;
    ahead_us <= most && ahead_us + HOUR_US / 4 > most
}

#[tokio::test]
async fn a_call_is_charged_with_all_or_with_nothing() {
    let server = Server::start().await;
    let store = server.store().await;
    let both = request(vec![hourly("wide", 10, 2), hourly("narrow", 3, 2)]);
    let first = take(&store, &both).await;
    assert!(!first.refused && first.requests_today == 1);
    assert!(
        first.ahead_us.iter().all(|ahead| is_hours(*ahead, 2)),
        "{first:?}"
    );
    let dump = server.digest().await;
    let second = take(&store, &both).await;
    assert!(second.refused && second.requests_today == 1);
    assert!(
        second.ahead_us.iter().all(|ahead| is_hours(*ahead, 2)),
        "{second:?}"
    );
    assert_eq!(server.digest().await, dump);
    // One unit is left. A request that costs nothing is never refused.
    let last = take(&store, &request(vec![hourly("narrow", 3, 1)])).await;
    assert!(!last.refused && is_hours(last.ahead_us[0], 3), "{last:?}");
    let look = take(&store, &request(vec![hourly("narrow", 1, 0)])).await;
    assert!(!look.refused && is_hours(look.ahead_us[0], 3), "{look:?}");
}

#[tokio::test]
async fn a_refused_submission_applies_nothing_and_is_one_command() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    let attempts: Vec<_> = (0..200)
        .map(|n| attempt(&board, &format!("p{n}"), n, NOW_MS))
        .collect();
    let strict = SubmitOptions {
        charge_request: request(vec![hourly("player", 1, 1)]),
        ..terms()
    };
    // These are four commands; only the first command is charged.
    let taken = store
        .submit_with_options(&tenant(), &attempts, &strict)
        .await
        .unwrap();
    assert_eq!(
        (taken.answers.len(), taken.rate_limit_decision.requests_today),
        (200, 1)
    );
    assert!(taken.answers.iter().all(Result::is_ok));
    assert!(is_hours(taken.rate_limit_decision.ahead_us[0], 1));
    let dump = server.digest().await;
    let refused = store
        .submit_with_options(&tenant(), &attempts, &strict)
        .await
        .unwrap();
    assert!(refused.rate_limit_decision.refused && refused.answers.is_empty());
    assert_eq!(server.digest().await, dump);
    let log = store.read(&tenant(), &board.value.id, 0, 1000).await.unwrap();
    assert_eq!(log.len(), 201);
    // A call without submissions is charged too.
    let nothing = store.submit_with_options(&tenant(), &[], &strict).await.unwrap();
    assert!(nothing.rate_limit_decision.refused);
}

#[tokio::test]
async fn a_limit_that_has_grown_back_takes_no_memory() {
    let server = Server::start().await;
    let store = server.store().await;
    let quick = |cost| Charge {
        bucket: "quick".into(),
        interval_us: 20_000,
        burst: 4,
        needs: Some(cost),
        cost,
    };
    let taken = take(&store, &request(vec![quick(4)])).await;
    assert_eq!(taken.ahead_us, [80_000]);
    let [Reply::Integer(left)] = server.ask("PTTL eb:acme:rate:quick").await[..] else {
        panic!("no time to live")
    };
    assert!(left <= 80, "{left}");
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    assert_eq!(server.ask("EXISTS eb:acme:rate:quick").await, [Reply::Integer(0)]);
    let again = take(&store, &request(vec![quick(4)])).await;
    assert_eq!((again.refused, again.ahead_us), (false, vec![80_000]));
}

#[tokio::test]
async fn reports_are_never_refused_and_overdraw_so_far_and_no_further() {
    let server = Server::start().await;
    let store = server.store().await;
    let over = request(vec![hourly("reads", 3, 5)]);
    let first = store.report(&tenant(), &over).await.unwrap();
    assert!(!first.refused && is_hours(first.ahead_us[0], 5), "{first:?}");
    let second = store.report(&tenant(), &over).await.unwrap();
    assert!(!second.refused && is_hours(second.ahead_us[0], 6), "{second:?}");
    // A smaller burst does not reduce an existing debt.
    let smaller = request(vec![hourly("reads", 1, 5)]);
    let third = store.report(&tenant(), &smaller).await.unwrap();
    assert!(is_hours(third.ahead_us[0], 6), "{third:?}");
    assert!(take(&store, &request(vec![hourly("reads", 3, 1)])).await.refused);
}

#[tokio::test]
async fn usage_is_counted_by_the_day_and_kept_for_so_many() {
    let server = Server::start().await;
    let store = server.store().await;
    server.ask("HSET eb:acme:usage r1 5 s1 6 r2 7").await;
    let (days, _) = store.usage(&tenant(), 5).await.unwrap();
    assert_eq!(days.iter().map(|day| day.day).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((days[1].usage.requests, days[1].usage.scores), (5, 6));
    assert_eq!(store.usage(&tenant(), 1).await.unwrap().0, days[..1]);
    let mut charge_request = ChargeRequest {
        charges: Vec::new(),
        usage: Usage {
            requests: 2,
            scores: 30,
        },
        max_requests_per_day: Some(5),
    };
    let actual = [
        take(&store, &charge_request).await,
        take(&store, &charge_request).await,
    ];
    assert_eq!(
        actual.map(|actual| (actual.refused, actual.requests_today)),
        [(false, 2), (false, 4)]
    );
    let refused = take(&store, &charge_request).await;
    assert_eq!((refused.refused, refused.requests_today), (true, 4));
    charge_request.usage.requests = 1;
    assert_eq!(take(&store, &charge_request).await.requests_today, 5);
    let (days, _) = store.usage(&tenant(), 400).await.unwrap();
    let [Reply::Integer(left_s)] = server.ask("TTL eb:acme:usage").await[..] else {
        panic!("no time to live")
    };
    assert!((left_s / 86_400 - 400).abs() <= 1, "{left_s}");
    let kept: Vec<_> = days.iter().map(|day| day.usage).collect();
    assert_eq!(
        kept,
        [Usage {
            requests: 5,
            scores: 90
        }]
    );
}

#[tokio::test]
async fn usage_that_no_request_came_with_has_an_end_too() {
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
    let [Reply::Integer(left_s)] = server.ask("TTL eb:acme:usage").await[..] else {
        panic!("no time to live")
    };
    assert!(left_s > 0, "{left_s}");
}

#[tokio::test]
async fn what_has_no_end_is_what_is_meant_to_stay() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut by_day = simple("b");
    by_day.schedule = daily();
    by_day.keep_periods = 3;
    let boards = [put(&store, &simple("a")).await, put(&store, &by_day).await];
    let mut attempt = resolve(&submission("p", &[5]), &boards, NOW_MS).unwrap();
    attempt.id = Some(SubmissionId::new("x").unwrap());
    let full_terms = SubmitOptions {
        charge_request: request(vec![hourly("player", 5, 1)]),
        max_tenant_entries: Some(10),
        announce_on: Some("changes".into()),
        ..terms()
    };
    let results = store
        .submit_with_options(&tenant(), &[attempt], &full_terms)
        .await
        .unwrap();
    assert!(results.answers[0].is_ok());
    let mut endless = Vec::new();
    for key in server.ask("KEYS *").await {
        let Reply::Bytes(name) = key else {
            panic!("{key:?}")
        };
        let name = String::from_utf8(name).unwrap();
        if server.ask(&format!("PTTL {name}")).await == [Reply::Integer(-1)] {
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
async fn bad_data_is_an_error_and_nothing_is_charged() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    let one = [attempt(&board, "p", 5, NOW_MS)];
    let mut strict = SubmitOptions {
        charge_request: request(vec![hourly("ok", 5, 1), hourly("bad", 5, 1)]),
        max_tenant_entries: Some(10),
        ..terms()
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
        server.ask(command).await;
        let dump = server.digest().await;
        let actual = store.submit_with_options(&tenant(), &one, &strict).await;
        assert!(
            matches!(actual, Err(StoreError::Corrupt(_))),
            "{command}: {actual:?}"
        );
        assert_eq!(server.digest().await, dump, "{command}");
        server.ask(&format!("DEL {key}")).await;
    }
    // An error after the charge leaves the entries unchanged.
    for command in [
        "SET eb:acme:entry-counts x",
        "SET eb:acme:expiring x",
        "HSET eb:acme:entry-counts  many",
    ] {
        server.ask(command).await;
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
        server.ask("DEL eb:acme:entry-counts eb:acme:expiring").await;
        server.ask("HSET eb:acme:entry-counts  0").await;
    }
    assert_eq!(server.digest().await, clean);
}

#[tokio::test]
async fn a_call_that_needs_less_than_it_costs_leaves_a_debt_that_is_kept_until_it_is_paid() {
    let server = Server::start().await;
    let store = server.store().await;
    // A hundred a minute.
    let batch = |needs, cost| Charge {
        bucket: "batch".into(),
        interval_us: 600_000,
        burst: 1,
        needs: Some(needs),
        cost,
    };
    const DEBT_US: u64 = 16_000 * 600_000;
    let taken = take(&store, &request(vec![batch(1, 16_000)])).await;
    assert_eq!((taken.refused, taken.ahead_us), (false, vec![DEBT_US]));
    let left_ms = async || match server.ask("PTTL eb:acme:rate:batch").await[..] {
        [Reply::Integer(left)] => u64::try_from(left).unwrap(),
        ref other => panic!("{other:?}"),
    };
    assert!(left_ms().await > DEBT_US / 1000 - 60_000);
    for needs in [0, 1] {
        let refused = take(&store, &request(vec![batch(needs, needs)])).await;
        assert!(refused.refused && refused.ahead_us[0] > DEBT_US - 60_000_000);
    }
    // A report does not reduce the debt.
    let told = store
        .report(&tenant(), &request(vec![batch(0, 1)]))
        .await
        .unwrap();
    assert!(!told.refused && told.ahead_us[0] > DEBT_US - 60_000_000);
    assert!(left_ms().await > DEBT_US / 1000 - 60_000);
    // A debt lasts a week at most.
    let strict = Charge {
        needs: Some(1),
        ..hourly("strict", 1, 16_000)
    };
    let taken = take(&store, &request(vec![strict])).await;
    assert_eq!((taken.refused, taken.ahead_us), (false, vec![MAX_DEBT_US]));
}
