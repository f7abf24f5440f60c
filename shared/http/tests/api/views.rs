//! Finished answers that are used again.

use futures::executor::block_on;
use futures::future::join_all;
use serde_json::Value;

use crate::service::{Answer, SHOWS_AFTER_MS, Service};

const TOP: &str = "/leaderboards/goals/entries";

fn service() -> Service {
    with_policy("{}")
}

fn with_policy(cache: &str) -> Service {
    let service = Service::new();
    let board = |id: &str, fields: &str| {
        let answer = service.call("PUT", &format!("/leaderboards/{id}"), fields);
        assert_eq!(answer.status, 201, "{}", answer.text);
    };
    board("goals", &format!(r#"{{"cache":{cache}}}"#));
    board("secret", r#"{"access":{"read":"private"}}"#);
    for id in ["goals", "secret"] {
        let scores: Vec<String> = (1..=25)
            .map(|n| format!(r#"{{"player":"p{n}","score":{n}}}"#))
            .collect();
        let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
        assert_eq!(
            service
                .call("POST", &format!("/leaderboards/{id}/scores"), &body)
                .status,
            207
        );
    }
    service.settle();
    service.pass_ms(1_000);
    service.store.reads.set(0);
    service
}

fn score(service: &Service, player: &str, score: i64) {
    let body = format!(r#"{{"player":"{player}","score":{score}}}"#);
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", &body).status,
        200
    );
}

fn top(service: &Service) -> Answer {
    let answer = service.anonymous("GET", TOP);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

fn status(answer: &Answer) -> &str {
    let status = answer.header("cache-status");
    status.strip_prefix("edgeboard; ").expect("a cache status")
}

fn first(answer: &Answer) -> Value {
    answer.json()["entries"][0]["player"].clone()
}

#[test]
fn a_hit_asks_nobody_and_says_how_old_it_is() {
    let service = service();
    let made = top(&service);
    assert_eq!(status(&made), "fwd=uri-miss; stored");
    assert_eq!(made.header("age"), "0");
    service.pass_ms(2_500);
    service.store.down.set(true);
    let hit = top(&service);
    assert_eq!((status(&hit), hit.header("age")), ("hit; ttl=2", "2"));
    assert_eq!((&hit.text, service.store.reads.get()), (&made.text, 1));
    assert_eq!(hit.header("cache-control"), "no-cache");
    assert_eq!(
        hit.header("cdn-cache-control"),
        "max-age=5, stale-while-revalidate=5, stale-if-error=300"
    );
    assert_eq!(hit.header("cache-groups"), r#""default", "default/goals""#);
    assert!(hit.header("vary").contains("Accept-Encoding"));
}

#[test]
fn questions_that_mean_the_same_share_an_answer_and_others_do_not() {
    let service = service();
    for path in [
        "entries",
        "entries?limit=10",
        "entries?period=current",
        "entries?limit=9",
        "entries?period=all",
        "entries/p1",
        "entries/p2",
        "entries/p1/around",
        "distribution",
        "distribution?buckets=20",
        "distribution?score=5",
    ] {
        assert_eq!(
            service
                .anonymous("GET", &format!("/leaderboards/goals/{path}"))
                .status,
            200
        );
    }
    let vendor = [("accept", "application/vnd.edgeboard.v1+json")];
    let answer = service.raw("GET", TOP, "", &vendor);
    assert_eq!(answer.header("content-type"), vendor[0].1);
    assert_eq!(status(&answer), "fwd=uri-miss; stored");
    assert!(status(&top(&service)).starts_with("hit"));
    // The pauses between asking and being sure of the lease are all the time that passed.
    let misses = service.region.kept.borrow();
    let kept = misses.keys().filter(|key| key.contains(":view:")).count();
    assert_eq!(kept, 8 + 1);
}

#[test]
fn past_its_lifetime_one_is_used_while_it_is_made_anew() {
    let service = service();
    top(&service);
    service.pass_ms(6_000);
    let stale = top(&service);
    assert_eq!(status(&stale), "hit; ttl=-2; detail=stale-while-revalidate");
    assert_eq!(
        (stale.header("age"), service.store.reads.get()),
        ("6", 2),
        "made anew after the response"
    );
    assert_eq!(status(&top(&service)), "hit; ttl=5");
    service.pass_ms(10_000);
    assert_eq!(status(&top(&service)), "fwd=stale; stored");
    assert_eq!(service.store.reads.get(), 3);
}

#[test]
fn a_change_shows_within_two_windows_in_the_region() {
    let service = service();
    let other = service.beside();
    assert_eq!(
        (first(&top(&service)), first(&top(&other))),
        ("p25".into(), "p25".into())
    );
    score(&service, "new", 99);
    for reader in [&service, &other] {
        let answer = top(reader);
        assert_eq!(first(&answer), "new", "{}", status(&answer));
    }
    // Nobody is left with an answer from before the change, and the next ones live as long as ever.
    service.pass_ms(SHOWS_AFTER_MS);
    assert!(status(&top(&other)).starts_with("fwd=stale") || status(&top(&other)).starts_with("hit"));
    let reads = service.store.reads.get();
    service.pass_ms(2_000);
    assert!(status(&top(&other)).starts_with("hit"));
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn what_changes_nothing_drops_nothing() {
    let service = service();
    top(&service);
    score(&service, "p25", 1);
    assert!(status(&top(&service)).starts_with("hit"));
}

#[test]
fn removals_bans_and_configurations_show_too() {
    let service = service();
    top(&service);
    service.call("DELETE", "/leaderboards/goals/scores/p25", "");
    assert_eq!(first(&top(&service)), "p24");
    service.call("PUT", "/players/p24/ban", "");
    assert_eq!(first(&top(&service)), "p23");
    service.call("DELETE", "/players/p24/ban", "");
    assert_eq!(first(&top(&service)), "p24");
    service.call("PATCH", "/leaderboards/goals", r#"{"access":{"read":"private"}}"#);
    assert_eq!(service.anonymous("GET", TOP).problem().1, "unauthenticated");
}

#[test]
fn the_region_gives_a_new_instance_its_answers() {
    let service = service();
    let made = top(&service);
    let found = top(&service.beside());
    assert_eq!(status(&found), "hit; ttl=5; detail=region");
    assert_eq!((&found.text, service.store.reads.get()), (&made.text, 1));
}

#[test]
fn without_the_store_an_answer_is_given_and_marked_as_stale() {
    let service = service();
    let made = top(&service);
    service.pass_ms(60_000);
    service.store.down.set(true);
    for reader in [&service, &service.beside()] {
        let stale = top(reader);
        assert_eq!(status(&stale), "fwd=stale; fwd-status=503; detail=stale-if-error");
        assert_eq!(
            (stale.header("age"), stale.header("cdn-cache-control")),
            ("60", "no-store")
        );
        assert_eq!(stale.text, made.text);
    }
    // What was never made cannot be given, and the truth is not replaced.
    assert_eq!(
        service
            .anonymous("GET", "/leaderboards/goals/entries?limit=3")
            .status,
        503
    );
    assert_eq!(
        service
            .raw("GET", TOP, "", &[("cache-control", "no-cache")])
            .status,
        503
    );
    service.pass_ms(300_000);
    assert_eq!(service.anonymous("GET", TOP).status, 503);
    service.store.down.set(false);
    assert!(status(&top(&service)).starts_with("fwd="));
}

#[test]
fn a_store_that_is_out_of_reach_is_not_asked_by_everyone() {
    let service = service();
    top(&service);
    service.pass_ms(60_000);
    service.store.down.set(true);
    let reads = service.store.reads.get();
    for _ in 0..10 {
        top(&service);
    }
    assert_eq!(service.store.reads.get(), reads + 1);
}

#[test]
fn what_is_in_the_region_and_cannot_be_read_is_fetched_again() {
    let service = service();
    let made = top(&service);
    let key = {
        let kept = service.region.kept.borrow();
        kept.keys().find(|key| key.contains(":view:")).unwrap().clone()
    };
    let good = service.region.kept.borrow()[&key].clone();
    let mut older = good.clone();
    older[0] = 0;
    let mut other = good.clone();
    let at = other.windows(4).position(|part| part == b"goal").unwrap();
    other[at] = b'c';
    for bad in [
        Vec::new(),
        b"garbage".to_vec(),
        good[..good.len() / 2].to_vec(),
        older,
        other,
    ] {
        service.region.kept.borrow_mut().insert(key.clone(), bad);
        let answer = top(&service.beside());
        assert_eq!(
            (status(&answer), &answer.text),
            ("fwd=uri-miss; stored", &made.text)
        );
        assert_eq!(service.region.kept.borrow()[&key].len(), good.len());
    }
}

#[test]
fn without_the_regions_store_everything_is_answered() {
    let service = service();
    service.region.down.set(true);
    assert_eq!(status(&top(&service)), "fwd=uri-miss; stored");
    // Nobody can tell of changes, so it is good for a window only.
    service.pass_ms(100);
    assert_eq!(status(&top(&service)), "fwd=stale; stored");
    score(&service, "new", 99);
    assert_eq!(first(&top(&service)), "new");
}

#[test]
fn a_private_answer_is_given_to_those_who_may_read_alone() {
    let service = service();
    let path = "/leaderboards/secret/entries";
    let made = service.call("GET", path, "");
    assert_eq!(
        (made.status, made.header("cache-control")),
        (200, "private, no-cache")
    );
    assert_eq!(
        (made.header("cdn-cache-control"), made.header("cache-groups")),
        ("", "")
    );
    assert_eq!(status(&service.call("GET", path, "")), "hit; ttl=5");
    for reader in [&service, &service.beside()] {
        assert_eq!(reader.anonymous("GET", path).problem().1, "unauthenticated");
        let tag = [("if-none-match", made.header("etag"))];
        assert_eq!(reader.raw("GET", path, "", &tag).problem().1, "unauthenticated");
        let entry = format!("{path}/nobody");
        assert_eq!(reader.anonymous("GET", &entry).problem().1, "unauthenticated");
    }
    service.store.down.set(true);
    service.pass_ms(60_000);
    assert_eq!(service.anonymous("GET", path).status, 503);
}

#[test]
fn nothing_crosses_tenants() {
    let service = service();
    top(&service);
    let other = [("x-tenant-id", "other")];
    assert_eq!(
        service.raw("GET", TOP, "", &other).problem().1,
        "leaderboard-not-found"
    );
}

#[test]
fn a_hidden_player_is_seen_by_the_server_alone_and_that_answer_is_nobody_elses() {
    let service = service();
    let path = "/leaderboards/goals/entries/p25";
    assert_eq!(service.anonymous("GET", path).status, 200);
    service.call("PUT", "/players/p25/ban", "");
    assert_eq!(service.anonymous("GET", path).problem().1, "entry-not-found");
    for suffix in ["", "/around"] {
        let own = service.call("GET", &format!("{path}{suffix}"), "");
        assert_eq!(
            (own.status, own.header("cache-control"), status(&own)),
            (200, "private, no-store", "fwd=bypass")
        );
        let anonymous = service.anonymous("GET", &format!("{path}{suffix}"));
        assert_eq!(anonymous.problem().1, "entry-not-found");
    }
    // Where nobody is hidden, all share one.
    assert_eq!(
        service.anonymous("GET", "/leaderboards/goals/entries/p24").status,
        200
    );
    let shared = service.call("GET", "/leaderboards/goals/entries/p24", "");
    assert!(status(&shared).starts_with("hit"));
    let asked = service.call("GET", "/leaderboards/goals/entries?players=p24,p25", "");
    assert_eq!(asked.header("cache-control"), "private, no-store");
}

#[test]
fn a_client_that_has_it_is_told_so() {
    let service = service();
    let made = top(&service);
    let tag = made.header("etag").to_owned();
    let version = made.json()["version"].to_string();
    assert!(tag.starts_with(&format!("\"{version}-")), "{tag}");
    let ask = |method: &str, value: &str| service.raw(method, TOP, "", &[("if-none-match", value)]);
    for value in [tag.as_str(), "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        for method in ["GET", "HEAD"] {
            let answer = ask(method, value);
            assert_eq!(
                (answer.status, answer.text.as_str()),
                (304, ""),
                "{method} {value}"
            );
            assert_eq!(answer.header("etag"), tag);
            assert!(answer.header("cache-control").contains("no-cache") && !answer.header("vary").is_empty());
        }
    }
    assert_eq!(ask("GET", "\"x\"").status, 200);
    assert_eq!(ask("GET", "x").problem().0, 400);
    assert_eq!(
        service.raw("GET", TOP, "", &[("if-match", "\"x\"")]).problem().0,
        412
    );
    assert_eq!(service.raw("GET", TOP, "", &[("if-match", &tag)]).status, 200);
    score(&service, "new", 99);
    let changed = ask("GET", &tag);
    assert_eq!((changed.status, first(&changed)), (200, "new".into()));
    assert_eq!(
        service.raw("HEAD", TOP, "", &[]).header("etag"),
        changed.header("etag")
    );
}

#[test]
fn every_coding_has_its_tag_and_the_same_document() {
    let service = service();
    let path = "/leaderboards/goals/entries?limit=25";
    let ask = |service: &Service, coding: &str| service.raw("GET", path, "", &[("accept-encoding", coding)]);
    let plain = service.anonymous("GET", path);
    let (gzip, brotli) = (ask(&service, "gzip"), ask(&service, "gzip, br"));
    assert_eq!(
        (
            plain.header("content-encoding"),
            gzip.header("content-encoding"),
            brotli.header("content-encoding")
        ),
        ("", "gzip", "br")
    );
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.bytes.as_ref()), &mut read).unwrap();
    assert_eq!(read, plain.bytes);
    let mut read = Vec::new();
    brotli::BrotliDecompress(&mut brotli.bytes.as_ref(), &mut read).unwrap();
    assert_eq!(read, plain.bytes);
    let tags: std::collections::BTreeSet<&str> = [&plain, &gzip, &brotli]
        .map(|answer| answer.header("etag"))
        .into();
    assert_eq!(tags.len(), 3);
    assert_eq!(gzip.header("content-length"), gzip.bytes.len().to_string());
    // The region keeps what was coded once.
    assert_eq!(ask(&service.beside(), "br").bytes, brotli.bytes);
    assert_eq!(ask(&service, "identity;q=0, zstd").problem().0, 406);
    let held = service.raw(
        "GET",
        path,
        "",
        &[
            ("accept-encoding", "br"),
            ("if-none-match", brotli.header("etag")),
        ],
    );
    assert_eq!(held.status, 304);
}

#[test]
fn the_region_keeps_a_bounded_number_of_answers_and_none_of_a_leaderboard_that_is_gone() {
    let service = service();
    for limit in 1..=300 {
        service.anonymous("GET", &format!("{TOP}?limit={limit}"));
        let player = limit % 25 + 1;
        service.anonymous("GET", &format!("{TOP}/p{player}/around?limit={limit}"));
    }
    let views = |service: &Service| {
        let kept = service.region.kept.borrow();
        kept.keys()
            .filter(|key| key.starts_with("default:goals:"))
            .count()
    };
    assert!((100..=257).contains(&views(&service)), "{}", views(&service));
    assert_eq!(service.call("DELETE", "/leaderboards/goals", "").status, 204);
    assert_eq!(views(&service), 0, "{:?}", service.region.kept.borrow().keys());
    assert_eq!(service.anonymous("GET", TOP).problem().1, "leaderboard-not-found");
}

#[test]
fn a_leaderboard_may_keep_no_answers() {
    let service = with_policy(r#"{"lifetime_ms":0}"#);
    for n in 1..4 {
        let answer = top(&service);
        assert_eq!(
            (status(&answer), answer.header("cdn-cache-control")),
            ("fwd=uri-miss", "no-store")
        );
        assert_eq!(service.store.reads.get(), n);
    }
}

#[test]
fn the_truth_can_be_asked_for() {
    let service = service();
    top(&service);
    let answer = service.raw("GET", TOP, "", &[("cache-control", "no-cache")]);
    assert_eq!(status(&answer), "fwd=request; stored");
    assert_eq!(service.store.reads.get(), 2);
    assert_eq!(status(&top(&service.beside())), "hit; ttl=5; detail=region");
}

#[test]
fn an_answer_about_the_current_period_ends_with_it() {
    let service = service();
    let body = r#"{"reset":{"cron":"5 21 * * *","time_zone":"UTC"},"cache":{"lifetime_ms":3600000}}"#;
    service.call("PUT", "/leaderboards/daily", body);
    service.pass_ms(100);
    let read = || service.anonymous("GET", "/leaderboards/daily/entries");
    let before = read().json()["period"]["id"].clone();
    assert!(status(&read()).starts_with("hit; ttl="));
    service.pass_ms(60_000);
    let after = read();
    assert_eq!(status(&after), "fwd=stale; stored");
    assert_ne!(after.json()["period"]["id"], before);
}

#[test]
fn of_requests_that_come_together_one_asks_the_store() {
    let service = service();
    let other = service.beside();
    let asks = (0..100).map(|n| {
        let instance = if n % 2 == 0 { &service } else { &other };
        instance.answer(Service::get(TOP, &[]))
    });
    let answers = block_on(async {
        let (answers, ()) = futures::future::join(join_all(asks), settle_all(&[&service, &other])).await;
        answers
    });
    assert_eq!(service.store.reads.get(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 && answer.text == answers[0].text)
    );
    let collapsed = answers
        .iter()
        .filter(|answer| status(answer).contains("collapsed"))
        .count();
    assert!(collapsed >= 90, "{collapsed}");
}

/// Does what is put off, while requests go on.
async fn settle_all(services: &[&Service]) {
    for _ in 0..2000 {
        crate::store::turn().await;
        for service in services {
            service.settle_async().await;
        }
    }
}

#[test]
fn requests_for_what_is_not_there_do_not_wait_in_a_row() {
    let service = service();
    let asks = (0..16).map(|_| service.answer(Service::get(&format!("{TOP}/nobody"), &[])));
    let answers = block_on(join_all(asks));
    assert!(answers.iter().all(|answer| answer.status == 404));
}

#[test]
fn a_writer_makes_the_warm_answers_of_write_through() {
    let policy =
        r#"{"strategy":"write_through","warm":[{"view":"entries","limit":10},{"view":"distribution"}]}"#;
    let service = with_policy(policy);
    service.pauses_take_time.set(true);
    score(&service, "new", 99);
    service.pauses_take_time.set(false);
    let reads = service.store.reads.get();
    let reader = service.beside();
    let answer = top(&reader);
    assert_eq!(first(&answer), "new");
    assert!(status(&answer).starts_with("hit"), "{}", status(&answer));
    let spread = reader.anonymous("GET", "/leaderboards/goals/distribution");
    assert!(status(&spread).starts_with("hit"));
    assert_eq!(service.store.reads.get(), reads);
}

#[test]
fn a_message_of_another_region_is_heard() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    let reader = service.beside();
    top(&reader);
    service.pauses_take_time.set(true);
    let hear = |text: &str| block_on(leaderboard_http::heard(&service, text.as_bytes()));
    // The store changed behind this region's back.
    let far = service.elsewhere();
    score(&far, "new", 99);
    assert_eq!(first(&top(&reader)), "p25");
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["goals"]}"#), Ok(()));
    service.settle();
    service.pass_ms(SHOWS_AFTER_MS);
    let reads = service.store.reads.get();
    assert_eq!(first(&top(&reader)), "new");
    assert_eq!(service.store.reads.get(), reads, "made ahead");
    score(&far, "newer", 100);
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":[]}"#), Ok(()));
    service.pass_ms(SHOWS_AFTER_MS);
    assert_eq!(first(&top(&reader)), "newer");
    for bad in [
        "",
        "{}",
        r#"{"tenant":"A","leaderboards":[]}"#,
        r#"{"tenant":"a","leaderboards":["-"]}"#,
    ] {
        assert!(hear(bad).is_err(), "{bad}");
    }
    assert_eq!(hear(r#"{"tenant":"default","leaderboards":["none"]}"#), Ok(()));
}
