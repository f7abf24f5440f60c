//! What a request with scores costs its caller, and what it costs the store and the region.

use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region};

const SCORES: &str = "/leaderboards/b/scores";

/// A key of a server, and a token of a player.
fn callers(instance: &Instance) -> (String, String) {
    let scopes = json!(["scores:read", "scores:write"]);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": scopes}));
    let issued = instance.with_key(&key, "POST", "/tokens", r#"{"player":"p","lifetime_s":600}"#);
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    (key, token)
}

/// A batch of submissions, each to 16 of these leaderboards, which do not exist.
fn invented(submissions: usize, leaderboards: usize) -> String {
    let name = |n: usize| format!("{n:040}");
    let submission = |at: usize| {
        let ids: Vec<_> = (0..16).map(|n| name((at * 16 + n) % leaderboards)).collect();
        json!({"player": "p", "score": 1, "leaderboards": ids})
    };
    json!({"scores": (0..submissions).map(submission).collect::<Vec<_>>()}).to_string()
}

fn batch(submissions: usize) -> String {
    json!({"scores": vec![json!({"player": "p", "score": 1}); submissions]}).to_string()
}

fn commands(region: &Region) -> [u32; 3] {
    let store = &region.store;
    [
        store.board_reads.take(),
        store.takes.take(),
        region.key_value.deletes.take(),
    ]
}

#[test]
fn invented_leaderboards_cost_one_read_of_configurations_and_are_charged_before_it() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (_, token) = callers(&instance);
    let kept: Vec<String> = region.key_value.entries.borrow().clone().into_keys().collect();
    commands(&region);
    let post = |body: &str| instance.with_token(&token, "POST", "/scores", body);
    // As many names as a body of 150 KB holds.
    let flood = post(&invented(200, 200 * 16));
    assert_eq!(flood.problem(), (422, "validation".into(), "#/scores".into()));
    assert_eq!(commands(&region), [0, 0, 0]);
    // As many as are taken need half of the player's burst, and cost 320 units of it.
    region.pass_ms(1000);
    let answer = post(&invented(20, 32));
    assert_eq!(answer.status, 207, "{answer:?}");
    assert_eq!(answer.header("ratelimit"), r#""player";r=0;t=2"#);
    assert_eq!(answer.json()["results"][19]["status_code"], 404);
    assert_eq!(commands(&region), [1, 1, 0]);
    // What is known to have no room is refused here, and costs the store nothing. How much was asked for is not looked at.
    let refused = post(&invented(20, 32));
    assert_eq!((refused.status, refused.header("retry-after")), (429, "2"));
    assert_eq!(commands(&region), [0, 0, 0]);
    assert_eq!(
        region
            .key_value
            .entries
            .borrow()
            .clone()
            .into_keys()
            .collect::<Vec<_>>(),
        kept
    );
}

#[test]
fn a_player_sends_twenty_submissions_at_most_and_anybody_names_thirty_two_leaderboards() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let (key, token) = callers(&instance);
    assert_eq!(
        instance.with_token(&token, "POST", SCORES, &batch(20)).status,
        207
    );
    let more = instance.with_token(&token, "POST", SCORES, &batch(21));
    assert_eq!(more.problem(), (422, "validation".into(), "#/scores".into()));
    assert_eq!(
        more.json()["errors"][0]["detail"],
        "must have 1 to 20 submissions with a player's token"
    );
    let named = |leaderboards| instance.with_key(&key, "POST", "/scores", &invented(3, leaderboards));
    assert_eq!(named(32).status, 207);
    let more = named(33);
    assert_eq!(more.problem(), (422, "validation".into(), "#/scores".into()));
    assert_eq!(
        more.json()["errors"][0]["detail"],
        "must name at most 32 different leaderboards"
    );
}

#[test]
fn a_server_imports_a_thousand_at_a_time_at_the_rate_of_its_key() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let (key, _) = callers(&instance);
    region.pass_ms(10_000);
    let import = |instance: &Instance| instance.with_key(&key, "POST", SCORES, &batch(1000));
    let first = import(&instance);
    assert_eq!(
        (first.status, first.header("ratelimit")),
        (207, r#""key";r=1000;t=1"#)
    );
    // All the instances together.
    let second = import(&region.instance());
    assert_eq!(
        (second.status, second.header("ratelimit")),
        (207, r#""key";r=0;t=1"#)
    );
    let third = import(&instance);
    assert_eq!((third.status, third.header("retry-after")), (429, "1"));
    assert_eq!(third.json()["violated-policies"], json!(["key"]));
    region.pass_ms(1000);
    assert_eq!(import(&instance).status, 207);
    // Sixteen times as many targets need half of the burst at most, so that no request is refused forever. They cost their full price.
    region.pass_ms(1000);
    let several = instance.with_key(&key, "POST", "/scores", &invented(1000, 16));
    assert_eq!(several.status, 207);
    let next = import(&region.instance());
    assert_eq!((next.status, next.header("retry-after")), (429, "16"));
    region.pass_ms(16_000);
    assert_eq!(import(&instance).status, 207);
    let operator = instance.call("POST", "/scores", &invented(1000, 32));
    assert_eq!((operator.status, operator.header("ratelimit")), (207, ""));
}

#[test]
fn a_strict_limit_lets_through_no_more_targets_in_large_requests() {
    let region = Region::of_acme();
    let instance = region.instance();
    let limits = json!({"policies": {"player": {"quota": 1, "window_s": 1, "burst": 1}}});
    assert_eq!(instance.call("PUT", "/operator/limits", &limits).status, 201);
    let (_, token) = callers(&instance);
    region.pass_ms(1_000);
    let post = |instance: &Instance, submissions| {
        let answer = instance.with_token(&token, "POST", "/scores", &invented(submissions, 32));
        (answer.status, answer.header("retry-after").to_owned())
    };
    assert_eq!(post(&instance, 20).0, 207);
    // The instance knows, and other instances learn it from the store.
    for other in [&instance, &region.instance()] {
        assert_eq!(post(other, 1), (429, "320".to_owned()));
    }
    region.pass_ms(319_000);
    assert_eq!(post(&region.instance(), 1), (429, "1".to_owned()));
    region.pass_ms(1_000);
    assert_eq!(post(&region.instance(), 1).0, 207);
    assert_eq!(post(&instance, 1), (429, "16".to_owned()));
}

#[test]
fn writes_with_an_unknown_key_are_limited_by_address_while_the_store_is_out_of_reach() {
    let region = Region::of_acme();
    let (key, _) = callers(&region.instance());
    // Nothing is known of the key, nor of anybody's limits.
    region
        .key_value
        .entries
        .replace(std::collections::BTreeMap::new());
    region.store.down.set(true);
    let write = |instance: &Instance, from: &str| {
        let headers = [("x-api-key", key.as_str()), ("spin-client-addr", from)];
        let body = r#"{"player":"p","score":1}"#;
        instance.send("POST", SCORES, body, &headers).status
    };
    const HERE: &str = "192.0.2.1:1";
    let instance = region.instance();
    let statuses: Vec<u16> = (0..210).map(|_| write(&instance, HERE)).collect();
    let (failed, refused) = statuses.split_at(200);
    assert!(failed.iter().all(|status| *status == 503), "{failed:?}");
    assert_eq!(refused, [429; 10]);
    let asked = region.store.document_reads.get();
    assert_eq!(write(&instance, HERE), 429);
    assert_eq!(region.store.document_reads.get(), asked, "nothing is asked");
    assert_eq!(write(&region.instance(), HERE), 429, "in another instance");
    assert_eq!(write(&instance, "192.0.2.2:1"), 503, "from elsewhere");
    let read = instance.send(
        "GET",
        "/leaderboards/b/entries",
        "",
        &[("spin-client-addr", HERE)],
    );
    assert_eq!(read.status, 503, "a read is not refused for it");
    // What failed is paid back at the rate of an address.
    region.pass_ms(1_000);
    region.store.down.set(false);
    assert_eq!(write(&region.instance(), HERE), 404);
}

#[test]
fn a_write_that_fails_leaves_marks_of_known_leaderboards_alone_and_is_charged() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let (key, token) = callers(&instance);
    let known = instance.with_token(&token, "POST", SCORES, r#"{"player":"p","score":1}"#);
    assert_eq!(known.status, 200, "{known:?}");
    // The mark of that write is over.
    region.pass_ms(10_000);
    let marks = || -> Vec<String> {
        let cached = region.key_value.entries.borrow().clone();
        cached
            .into_keys()
            .filter(|key| key.starts_with("changed:"))
            .collect()
    };
    // The token's key was looked at just now, so that the token itself is good for a write.
    let read = instance.with_key(&key, "GET", "/leaderboards/b/entries", "");
    assert_eq!(read.status, 200, "{read:?}");
    region.store.down.set(true);
    let mut body: Value = serde_json::from_str(&invented(19, 31)).unwrap();
    let of_known = json!({"player": "p", "score": 2, "leaderboards": ["b"]});
    body["scores"].as_array_mut().unwrap().push(of_known);
    let fail = |body: &str| instance.with_token(&token, "POST", "/scores", body);
    let statuses: Vec<u16> = (0..3).map(|_| fail(&body.to_string()).status).collect();
    assert_eq!(statuses, [503, 429, 429]);
    assert_eq!(marks(), ["changed:acme:b"]);
    let remove = |board: &str| {
        let path = format!("/leaderboards/{board}/scores/p");
        instance.call("DELETE", &path, &Value::Null).status
    };
    assert_eq!(
        (remove("nobodys"), marks()),
        (503, vec!["changed:acme:b".to_owned()])
    );
    // Its answer is missing, and it may have been done.
    region.store.down.set(false);
    region.store.answers_get_lost.set(true);
    region.pass_ms(10_000);
    let other = instance.call("PUT", "/leaderboards/c", json!({}));
    assert_eq!(other.status, 503);
    let lost = fail(r#"{"player":"p","score":3,"leaderboards":["b"]}"#);
    assert_eq!(lost.status, 503);
    assert!(marks().contains(&"changed:acme:b".to_owned()));
}
