//! The versions of the API: which one a request gets, and what differs.

use leaderboard_api::Deprecation;
use leaderboard_core::Timestamp;
use serde_json::{Value, json};

use crate::service::{Answer, KEY, Service};

const V1: &str = "application/vnd.edgeboard.v1+json";
const V2: &str = "application/vnd.edgeboard.v2+json";
const ENTRIES: &str = "/leaderboards/goals/entries";

fn service() -> Service {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let scores: Vec<String> = (1..=25)
        .map(|n| format!(r#"{{"player":"p{n}","score":{n},"metadata":{{"n":{n}.10}}}}"#))
        .collect();
    let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", &body).status,
        207
    );
    service
}

fn v2(service: &Service, path: &str) -> Answer {
    service.at("GET", &format!("/api/v2{path}"), "", &[("x-api-key", KEY)])
}

fn score(service: &Service, body: &str) {
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", body).status,
        200
    );
}

/// The version of the answer, by its header and by its shape.
fn version(answer: &Answer) -> (&str, &'static str) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let shape = match (&answer.json()["entries"], &answer.json()["data"]) {
        (Value::Array(_), Value::Null) => "1",
        (Value::Null, Value::Array(_)) => "2",
        _ => "?",
    };
    assert_eq!(answer.log.api_version.unwrap().number(), shape);
    (answer.header("api-version"), shape)
}

#[test]
fn the_path_wins_over_the_header_and_the_header_over_the_media_type() {
    let service = service();
    for (base, headers, expected, named) in [
        ("/api/v1", vec![], "1", "application/json"),
        ("/api/v2", vec![], "2", "application/json"),
        ("/api", vec![], "1", "application/json"),
        ("/api", vec![("api-version", "2")], "2", "application/json"),
        ("/api", vec![("accept", V2)], "2", V2),
        ("/api", vec![("accept", V1)], "1", V1),
        ("/api", vec![("accept", V2), ("api-version", "1")], "1", V1),
        ("/api/v1", vec![("accept", V2)], "1", V1),
        ("/api/v2", vec![("accept", V1)], "2", V2),
        (
            "/api/v2",
            vec![("api-version", "2"), ("accept", "*/*")],
            "2",
            "application/json",
        ),
    ] {
        let answer = service.at("GET", &format!("{base}{ENTRIES}"), "", &headers);
        assert_eq!(version(&answer), (expected, expected), "{base} {headers:?}");
        assert_eq!(answer.header("content-type"), named, "{base} {headers:?}");
        for depends in ["Accept", "API-Version"] {
            assert!(answer.header("vary").contains(depends));
        }
    }
}

#[test]
fn versions_that_conflict_or_do_not_exist() {
    let service = service();
    let of = |base: &str, headers: &[(&str, &str)]| {
        let answer = service.at("GET", &format!("{base}{ENTRIES}"), "", headers);
        let (status, kind, place) = answer.problem();
        (status, kind, place, answer.header("api-version").to_owned())
    };
    let problem = |status: u16, kind: &str, place: &str, version: &str| {
        (status, kind.to_owned(), place.to_owned(), version.to_owned())
    };
    assert_eq!(of("/api/v3", &[]), problem(404, "unknown-version", "", ""));
    assert_eq!(
        of("/api/v1", &[("api-version", "2")]),
        problem(400, "version-conflict", "API-Version", "")
    );
    assert_eq!(
        of("/api/v2", &[("api-version", "1")]),
        problem(400, "version-conflict", "API-Version", "")
    );
    assert_eq!(
        of("/api", &[("api-version", "3")]),
        problem(400, "invalid-header", "API-Version", "")
    );
    assert_eq!(
        of("/api/v1", &[("api-version", "v1")]),
        problem(400, "invalid-header", "API-Version", "")
    );
    let unknown = [("accept", "application/vnd.edgeboard.v3+json")];
    assert_eq!(of("/api", &unknown), problem(406, "not-acceptable", "", "1"));
    assert_eq!(of("/api/v2", &unknown), problem(406, "not-acceptable", "", "2"));
    assert_eq!(of("/api/vx", &[]), problem(404, "not-found", "", ""));
    assert_eq!(of("", &[]), problem(404, "not-found", "", ""));
}

#[test]
fn version_2_has_players_and_pages() {
    let service = service();
    let page = v2(&service, "/leaderboards/goals/entries?limit=2").json();
    assert_eq!(
        page["data"][0],
        json!({"rank": 1, "player": {"id": "p25", "metadata": {"n": 25.10}}, "values": {"score": 25}, "reached_at": "2026-07-19T21:04:00.000Z"})
    );
    assert_eq!((&page["count"], &page["version"]), (&json!(25), &json!(26)));
    assert_eq!(page["period"]["id"], "all");
    assert_eq!(
        page["page"]["snapshot"],
        json!({"version": 26, "drifted": false, "touched_ranks": []})
    );
    assert!(page["page"]["next"].is_string() && page["page"]["previous"].is_null());
    for gone in ["entries", "next", "previous", "drifted"] {
        assert!(page.get(gone).is_none(), "{gone}");
    }
    let text = v2(&service, "/leaderboards/goals/entries/p7").text;
    assert!(
        text.contains(r#""entry":{"rank":19,"player":{"id":"p7","metadata":{"n":7.10}},"values""#),
        "{text}"
    );
    let some = v2(&service, "/leaderboards/goals/entries?players=p3,nobody").json();
    assert_eq!(
        (&some["data"][0]["player"]["id"], &some["not_found"]),
        (&json!("p3"), &json!(["nobody"]))
    );
    let around = v2(&service, "/leaderboards/goals/entries/p13/around?limit=3").json();
    assert_eq!(around["data"][1]["player"]["id"], "p13");
    assert_eq!(
        around["page"]["snapshot"],
        json!({"version": 26, "drifted": false, "touched_ranks": []})
    );
    let follow = |name: &str| {
        let cursor = around["page"][name].as_str().unwrap();
        let page = v2(
            &service,
            &format!("/leaderboards/goals/entries?limit=1&cursor={cursor}"),
        );
        page.json()["data"][0]["rank"].as_u64().unwrap()
    };
    let rank = |at: usize| around["data"][at]["rank"].as_u64().unwrap();
    assert_eq!((follow("previous"), follow("next")), (rank(0) - 1, rank(2) + 1));
    let summary = v2(&service, "/leaderboards/goals/summary?player=p13&top=1&around=3").json();
    assert_eq!(summary["around"], around);
    assert_eq!(summary["top"]["data"][0]["rank"], 1);
    service.call("PUT", "/players/p13/ban", "");
    let (ban, bans) = (
        v2(&service, "/players/p13/ban").json(),
        v2(&service, "/bans").json(),
    );
    assert_eq!(ban["player"], json!({"id": "p13"}));
    assert_eq!(bans["data"], json!([ban]));
    service.call("DELETE", "/players/p13/ban", "");
    let periods = v2(&service, "/leaderboards/goals/periods").json();
    assert_eq!(
        (&periods["leaderboard"], &periods["data"][0]["count"]),
        (&json!("goals"), &json!(25))
    );
}

#[test]
fn other_lists_are_pages_too_and_addresses_stay_in_their_version() {
    let service = service();
    service.call("PUT", "/leaderboards/other", "{}");
    let first = v2(&service, "/leaderboards?limit=1").json();
    assert_eq!(first["data"][0]["id"], "goals");
    let next = first["page"]["next"].as_str().unwrap();
    // A cursor is the same in all versions.
    let second = service
        .call("GET", &format!("/leaderboards?cursor={next}"), "")
        .json();
    assert_eq!(second["leaderboards"][0]["id"], "other");
    assert_eq!(
        v2(&service, "/dead-letters").json(),
        json!({"data": [], "page": {"next": null, "previous": null, "snapshot": null}})
    );
    let headers = [("x-api-key", KEY), ("content-type", V2)];
    let created = service.at("PUT", "/api/v2/leaderboards/new", "{}", &headers);
    assert_eq!(
        (created.status, created.header("location")),
        (201, "/api/v2/leaderboards/new")
    );
}

#[test]
fn outcomes_of_version_2_have_a_player() {
    let service = service();
    let send = |path: &str, body: &str| {
        let headers = [("x-api-key", KEY), ("content-type", V2)];
        service
            .at("POST", &format!("/api/v2{path}"), body, &headers)
            .json()
    };
    let one = r#"{"player":"p1","score":3}"#;
    let several = r#"{"player":"p1","score":3,"leaderboards":["goals"]}"#;
    let player = json!({"id": "p1"});
    assert_eq!(send("/leaderboards/goals/scores", one)["player"], player);
    assert_eq!(send("/scores", several)["results"][0]["player"], player);
    let batch = send("/leaderboards/goals/scores", &format!(r#"{{"scores":[{one}]}}"#));
    assert_eq!(batch["results"][0]["player"], player);
    let batch = send("/scores", &format!(r#"{{"scores":[{several}]}}"#));
    assert_eq!(batch["results"][0]["results"][0]["player"], player);
}

#[test]
fn a_list_says_where_it_drifted_and_goes_on_in_the_other_version() {
    let service = service();
    let first = service.call("GET", ENTRIES, "").json();
    let cursor = first["next"].as_str().unwrap();
    let read = || v2(&service, &format!("{ENTRIES}?limit=5&cursor={cursor}")).json();
    assert_eq!(
        read()["page"]["snapshot"],
        json!({"version": 26, "drifted": false, "touched_ranks": []})
    );
    // Ranks 11 to 15 are p15 to p11: one of them improves within the page, one from behind it passes all of them.
    score(&service, r#"{"player":"p11","score":13}"#);
    score(&service, r#"{"player":"p1","score":99}"#);
    let drifted = read();
    let ids: Vec<&str> = drifted["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["player"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["p15", "p14", "p13", "p11", "p12"]);
    assert_eq!(drifted["data"][3]["rank"], 15);
    assert_eq!(
        drifted["page"]["snapshot"],
        json!({"version": 26, "drifted": true, "touched_ranks": [15], "moved_past": ["p1"], "gone": 0})
    );
    assert_eq!(drifted["version"], 28);
    // And back in version 1.
    let on = drifted["page"]["next"].as_str().unwrap();
    let old = service
        .call("GET", &format!("{ENTRIES}?limit=2&cursor={on}"), "")
        .json();
    assert_eq!(
        (&old["entries"][0]["player"], &old["drifted"]),
        (&json!("p10"), &json!(true))
    );
}

#[test]
fn too_many_changes_are_not_gone_through() {
    let service = service();
    let first = service.call("GET", ENTRIES, "").json();
    let cursor = first["next"].as_str().unwrap();
    let change = |from: i64, count: i64| {
        let scores: Vec<String> = (from..from + count)
            .map(|n| format!(r#"{{"player":"p25","score":{n}}}"#))
            .collect();
        let body = format!(r#"{{"scores":[{}]}}"#, scores.join(","));
        assert_eq!(
            service.call("POST", "/leaderboards/goals/scores", &body).status,
            207
        );
        v2(&service, &format!("{ENTRIES}?cursor={cursor}")).json()["page"]["snapshot"].clone()
    };
    assert_eq!(
        change(100, 1000),
        json!({"version": 26, "drifted": true, "touched_ranks": [], "moved_past": ["p25"], "gone": 0})
    );
    assert_eq!(
        change(2000, 1),
        json!({"version": 26, "drifted": true, "touched_ranks": null, "moved_past": null, "gone": null})
    );
}

#[test]
fn no_more_events_are_read_than_the_answer_takes() {
    let service = service();
    let first = service.call("GET", &format!("{ENTRIES}?limit=1"), "").json();
    let cursor = first["next"].as_str().unwrap();
    let submit = |scores: &[String]| {
        for some in scores.chunks(500) {
            let body = format!(r#"{{"scores":[{}]}}"#, some.join(","));
            let answer = service.call("POST", "/leaderboards/goals/scores", &body);
            assert_eq!(answer.status, 207);
        }
    };
    // The next page, what it says of its drift, and how many events were read for that.
    let read = || {
        let before = service.store.events_read.get();
        let page = v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
        let snapshot = page["page"]["snapshot"].clone();
        (snapshot, service.store.events_read.get() - before)
    };
    // What leaves the list as it is comes after its version.
    score(&service, r#"{"player":"p1","score":24}"#);
    submit(&vec![r#"{"player":"p2","score":1}"#.into(); 200]);
    let (snapshot, events) = read();
    assert_eq!((&snapshot["drifted"], events), (&json!(true), 1));
    // The page is touched, and of so many others nothing is told: the rest cannot change that.
    let others: Vec<String> = (0..600)
        .map(|n| format!(r#"{{"player":"q{n}","score":0}}"#))
        .collect();
    let begun = service.call("GET", &format!("{ENTRIES}?limit=1"), "").json();
    let cursor = begun["next"].as_str().unwrap();
    score(
        &service,
        r#"{"player":"p3","score":24,"occurred_at":"2026-07-19T20:00:00Z"}"#,
    );
    submit(&others);
    let before = service.store.events_read.get();
    let page = v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
    assert_eq!(page["data"][0]["player"]["id"], "p3");
    assert_eq!(
        page["page"]["snapshot"],
        json!({"version": begun["version"], "drifted": true, "touched_ranks": [2], "moved_past": null, "gone": null})
    );
    // The 200 that left the list as it was, and of the other 601 as many as it takes.
    assert_eq!(service.store.events_read.get() - before, 500);
    // That there are too many is known before any is read.
    submit(&others);
    submit(&[3, 4].map(|n| format!(r#"{{"player":"p2","score":{n}}}"#)));
    let before = service.store.events_read.get();
    let page = v2(&service, &format!("{ENTRIES}?limit=1&cursor={cursor}")).json();
    assert_eq!(page["page"]["snapshot"]["touched_ranks"], json!(null));
    assert_eq!(service.store.events_read.get() - before, 0);
}

#[test]
fn a_list_from_before_the_log_begins_does_not_know_where_it_drifted() {
    let service = service();
    let first = service.call("GET", ENTRIES, "").json();
    let cursor = first["next"].as_str().unwrap();
    let snapshot = || {
        let page = v2(&service, &format!("{ENTRIES}?limit=5&cursor={cursor}")).json();
        page["page"]["snapshot"].clone()
    };
    assert_eq!(
        service
            .call("PATCH", "/leaderboards/goals", r#"{"log":{"keep_events":3}}"#)
            .status,
        200
    );
    score(&service, r#"{"player":"p1","score":99}"#);
    assert_eq!(snapshot()["moved_past"], json!(["p1"]));
    for n in 0..3 {
        score(&service, &format!(r#"{{"player":"p2","score":{}}}"#, 100 + n));
    }
    assert_eq!(
        snapshot(),
        json!({"version": 26, "drifted": true, "touched_ranks": null, "moved_past": null, "gone": null})
    );
}

#[test]
fn a_list_says_who_left_it_and_not_who_only_tried() {
    let service = service();
    let first = service.call("GET", ENTRIES, "").json();
    let on = first["next"].as_str().unwrap().to_owned();
    let snapshot = |cursor: &str| {
        let page = v2(&service, &format!("{ENTRIES}?limit=5&cursor={cursor}")).json();
        let mut snapshot = page["page"]["snapshot"].clone();
        snapshot.as_object_mut().unwrap().remove("version");
        snapshot
    };
    // On the page, and behind it: neither is better than what is there.
    score(&service, r#"{"player":"p13","score":1}"#);
    score(&service, r#"{"player":"p5","score":1}"#);
    // From behind the page to behind the page, from behind it to its front, and one of the page is removed.
    score(&service, r#"{"player":"p2","score":3}"#);
    score(&service, r#"{"player":"p4","score":50}"#);
    score(&service, r#"{"player":"p1","score":60}"#);
    assert_eq!(
        service
            .call("DELETE", "/leaderboards/goals/scores/p14", "")
            .status,
        204
    );
    assert_eq!(
        snapshot(&on),
        json!({"drifted": true, "touched_ranks": [], "moved_past": ["p1", "p4"], "gone": 1})
    );
    // On the way back, those are past who stand behind.
    let page = v2(&service, &format!("{ENTRIES}?limit=5&cursor={on}")).json();
    let back = page["page"]["previous"].as_str().unwrap();
    assert_eq!(
        snapshot(back),
        json!({"drifted": true, "touched_ranks": [], "moved_past": ["p2"], "gone": 1})
    );
}

#[test]
fn a_hidden_player_is_not_told_of() {
    let service = service();
    let first = service.call("GET", ENTRIES, "").json();
    let cursor = first["next"].as_str().unwrap();
    service.call("PUT", "/players/p12/ban", "");
    score(&service, r#"{"player":"p12","score":14}"#);
    let page = v2(&service, &format!("{ENTRIES}?limit=5&cursor={cursor}")).json();
    let snapshot = |page: &serde_json::Value| page["page"]["snapshot"].clone();
    assert_eq!(
        snapshot(&page),
        json!({"version": 26, "drifted": true, "touched_ranks": [], "moved_past": [], "gone": 1})
    );
    assert_eq!(service.call("DELETE", "/players/p12/ban", "").status, 204);
    let page = v2(&service, &format!("{ENTRIES}?limit=5&cursor={cursor}")).json();
    let at = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .position(|entry| entry["player"]["id"] == "p12")
        .unwrap();
    assert_eq!(
        page["page"]["snapshot"]["touched_ranks"],
        json!([page["data"][at]["rank"]])
    );
}

#[test]
fn a_deprecated_version_says_so_on_every_answer_of_its_own() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let deprecation = Deprecation::new(at("2027-01-01T00:00:00Z"), Some(at("2027-07-01T00:00:00Z")), None);
    let service = Service::deprecated(deprecation);
    for (method, path, status) in [
        ("GET", "/api/v1/health/live", 200),
        ("GET", "/api/v1/leaderboards/x/entries", 404),
        ("GET", "/api/v1/nothing", 404),
        ("HEAD", "/api/health/live", 200),
    ] {
        let answer = service.at(method, path, "", &[]);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("deprecation"), "@1798761600", "{path}");
        assert_eq!(answer.header("sunset"), "Thu, 01 Jul 2027 00:00:00 GMT");
    }
    let link = service.at("GET", "/api/v1/health/live", "", &[]);
    assert_eq!(
        link.header("link"),
        "</api/v2/health/live>; rel=\"successor-version\""
    );
    for path in ["/api/v2/health/live", "/nothing"] {
        assert_eq!(
            service.at("GET", path, "", &[]).header("deprecation"),
            "",
            "{path}"
        );
    }
}

#[test]
fn the_default_version_is_rolled_out_by_a_flag() {
    let service = service();
    let default = |headers: &[(&str, &str)]| {
        let answer = service.at("GET", &format!("/api{ENTRIES}"), "", headers);
        version(&answer).1
    };
    assert_eq!(default(&[]), "1");
    let flag = |variant: &str| {
        format!(
            r#"{{"flags":{{"edgeboard.api-v2-default":{{"state":"ENABLED","variants":{{"on":true,"off":false}},"defaultVariant":"{variant}"}}}}}}"#
        )
    };
    let set = service.call("PUT", "/operator/flags", &flag("on"));
    assert!(set.status < 300, "{}", set.text);
    assert_eq!(default(&[]), "2");
    // Who names a version gets it.
    assert_eq!(default(&[("api-version", "1")]), "1");
    assert_eq!(default(&[("accept", V1)]), "1");
    // The tenant's own set counts first.
    assert!(service.call("PUT", "/flags", &flag("off")).status < 300);
    assert_eq!(default(&[]), "1");
}
