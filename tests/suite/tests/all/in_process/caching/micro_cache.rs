//! Finished responses that an instance repeats within 20 ms.

use super::{TOP, first, score, service, status, top, with_policy};
use crate::in_process::environment::{Answer, Instance, METRICS_KEY};

fn is_reused(answer: &Answer) -> bool {
    answer.log.reused == Some(1)
}

fn from(service: &Instance, address: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("spin-client-addr", address)];
    all.extend(headers);
    service.send("GET", TOP, "", &all)
}

/// Asks twice: the first answer is made, the second is a hit, which may be given again.
fn warm() -> Instance {
    let service = service();
    top(&service);
    assert!(!is_reused(&top(&service)));
    service
}

#[test]
fn a_hit_is_reused_for_equal_requests() {
    let service = service();
    top(&service);
    let hit = top(&service);
    let again = top(&service);
    assert!(!is_reused(&hit) && is_reused(&again));
    assert_eq!((status(&hit), &hit.text), (status(&again), &again.text));
    let names = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&hit), names(&again));
    for (name, value) in &hit.headers {
        if name != "x-request-id" && name != "ratelimit" {
            assert_eq!(again.headers.get(name), Some(value), "{name}");
        }
    }
    let id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{id}-b7ad6b7169203331-01");
    let traced = service.send("GET", TOP, "", &[("traceparent", &parent)]);
    assert!(is_reused(&traced));
    assert_eq!(traced.header("x-request-id"), id);
    assert_eq!(again.log.route, hit.log.route);
    assert_eq!(again.log.trace_id, "");
}

#[test]
fn a_response_is_reused_until_the_next_check_for_changes() {
    let service = warm();
    assert!(is_reused(&top(&service)));
    service.pass_ms(19);
    assert!(is_reused(&top(&service)));
    service.pass_ms(1);
    assert!(!is_reused(&top(&service)));
    assert!(is_reused(&top(&service)));
    score(&service, "new", 99);
    assert_eq!(first(&top(&service)), "new");
}

#[test]
fn each_reused_response_is_counted() {
    let service = warm();
    let counted = || {
        let text = service
            .send("GET", "/metrics", "", &[("x-api-key", METRICS_KEY)])
            .text;
        let series = r#"edgeboard_requests_total{family="ranks",status="2xx"} "#;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series))
            .expect("the series");
        line.parse::<u64>().expect("a count")
    };
    let before = counted();
    assert!(is_reused(&top(&service)));
    assert_eq!(counted(), before + 1);
}

#[test]
fn each_reused_response_is_charged() {
    let service = warm();
    let left = |answer: &Answer| -> u64 {
        let (_, rest) = answer.header("ratelimit").split_once("r=").expect("what is left");
        rest.split(';')
            .next()
            .and_then(|digits| digits.parse().ok())
            .expect("a number")
    };
    let first = from(&service, "192.0.2.1:9", &[]);
    assert!(!is_reused(&first), "a client that is met for the first time");
    let mut before = left(&first);
    let again = loop {
        let answer = from(&service, "192.0.2.1:9", &[]);
        if answer.status != 200 {
            break answer;
        }
        assert!(is_reused(&answer));
        assert_eq!(left(&answer), before - 1);
        before -= 1;
    };
    assert_eq!((again.status, before), (429, 0));
    assert!(!again.header("retry-after").is_empty());
    from(&service, "192.0.2.2:9", &[]);
    assert!(
        is_reused(&from(&service, "192.0.2.2:9", &[])),
        "somebody else has room"
    );
}

#[test]
fn a_denied_address_and_a_wrong_key_get_no_repeated_response() {
    let service = warm();
    let lists = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    assert_eq!(service.call("PUT", "/limits", lists).status, 201);
    service.pass_ms(100);
    for _ in 0..3 {
        from(&service, "198.51.100.1:9", &[]);
    }
    assert!(is_reused(&from(&service, "198.51.100.1:9", &[])));
    assert_eq!(from(&service, "192.0.2.1:9", &[]).status, 403);
    assert_eq!(
        from(&service, "198.51.100.1:9", &[("x-api-key", "wrong")]).status,
        401
    );
}

#[test]
fn other_requests_get_other_responses() {
    let service = warm();
    let again = |headers: &[(&str, &str)]| {
        let answer = from(&service, "", headers);
        (answer.status, is_reused(&answer))
    };
    assert_eq!(again(&[]), (200, true));
    assert_eq!(
        again(&[("user-agent", "x"), ("traceparent", "nonsense")]),
        (200, true)
    );
    assert_eq!(again(&[("accept", "text/plain")]), (406, false));
    assert_eq!(again(&[("x-tenant-id", "other")]), (404, false));
    assert_eq!(again(&[("cache-control", "no-cache")]), (200, false));
    let tag = top(&service).header("etag").to_owned();
    assert_eq!(again(&[("if-none-match", &tag)]), (304, false));
    assert_eq!(again(&[("if-none-match", &tag)]), (304, true));
    assert_eq!(service.send("HEAD", TOP, "", &[]).text, "");
    assert_eq!(service.send("DELETE", TOP, "", &[]).status, 405);
}

#[test]
fn private_and_uncached_responses_are_never_repeated() {
    let service = service();
    for _ in 0..3 {
        let answer = service.call("GET", "/leaderboards/secret/entries", "");
        assert!(answer.status == 200 && !is_reused(&answer));
        assert_eq!(service.anonymous("/leaderboards/secret/entries").status, 404);
    }
    let service = with_policy(r#"{"lifetime_ms":0}"#);
    for _ in 0..3 {
        assert!(!is_reused(&top(&service)));
    }
}
