//! Which readers share a cached response, and its content codings.

use super::{TOP, first, score, service, status, top};
use crate::in_process::environment::Instance;

#[test]
fn a_private_response_is_used_for_permitted_readers_alone() {
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
        assert_eq!(reader.anonymous(path).problem().1, "leaderboard-not-found");
        let tag = [("if-none-match", made.header("etag"))];
        assert_eq!(
            reader.send("GET", path, "", &tag).problem().1,
            "leaderboard-not-found"
        );
        let entry = format!("{path}/nobody");
        assert_eq!(reader.anonymous(&entry).problem().1, "leaderboard-not-found");
    }
    service.store.down.set(true);
    service.pass_ms(60_000);
    assert_eq!(service.anonymous(path).status, 503);
}

#[test]
fn nothing_crosses_tenants() {
    let service = service();
    top(&service);
    let other = [("x-tenant-id", "other")];
    assert_eq!(
        service.send("GET", TOP, "", &other).problem().1,
        "leaderboard-not-found"
    );
}

#[test]
fn a_banned_player_is_seen_by_the_server_alone() {
    let service = service();
    let path = "/leaderboards/goals/entries/p25";
    assert_eq!(service.anonymous(path).status, 200);
    service.call("PUT", "/players/p25/ban", "");
    assert_eq!(service.anonymous(path).problem().1, "entry-not-found");
    for suffix in ["", "/around"] {
        let own = service.call("GET", &format!("{path}{suffix}"), "");
        assert_eq!(
            (own.status, own.header("cache-control"), status(&own)),
            (200, "private, no-cache", "fwd=uri-miss; stored"),
            "as the entry of any player"
        );
        assert_eq!(own.header("cdn-cache-control"), "");
        let anonymous = service.anonymous(&format!("{path}{suffix}"));
        assert_eq!(anonymous.problem().1, "entry-not-found");
    }
    // Without a banned player, all readers share one response.
    assert_eq!(service.anonymous("/leaderboards/goals/entries/p24").status, 200);
    let shared = service.call("GET", "/leaderboards/goals/entries/p24", "");
    assert!(status(&shared).starts_with("hit"));
    let asked = service.call("GET", "/leaderboards/goals/entries?players=p24,p25", "");
    assert_eq!(asked.header("cache-control"), "private, no-store");
}

#[test]
fn a_client_that_has_the_response_gets_304() {
    let service = service();
    let made = top(&service);
    let tag = made.header("etag").to_owned();
    let version = made.json()["version"].to_string();
    assert!(tag.starts_with(&format!("\"{version}-")), "{tag}");
    let ask = |method: &str, value: &str| service.send(method, TOP, "", &[("if-none-match", value)]);
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
        service.send("GET", TOP, "", &[("if-match", "\"x\"")]).problem().0,
        412
    );
    assert_eq!(service.send("GET", TOP, "", &[("if-match", &tag)]).status, 200);
    score(&service, "new", 99);
    let changed = ask("GET", &tag);
    assert_eq!((changed.status, first(&changed)), (200, "new".into()));
    assert_eq!(
        service.send("HEAD", TOP, "", &[]).header("etag"),
        changed.header("etag")
    );
}

#[test]
fn every_coding_has_its_tag_and_the_same_document() {
    let service = service();
    let path = "/leaderboards/goals/entries?limit=25";
    let ask =
        |service: &Instance, coding: &str| service.send("GET", path, "", &[("accept-encoding", coding)]);
    let plain = service.anonymous(path);
    let gzip = ask(&service, "gzip, br");
    assert_eq!(
        (plain.header("content-encoding"), gzip.header("content-encoding")),
        ("", "gzip")
    );
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.bytes.as_ref()), &mut read).unwrap();
    assert_eq!(read, plain.bytes);
    assert_ne!(plain.header("etag"), gzip.header("etag"));
    assert_eq!(gzip.header("content-length"), gzip.bytes.len().to_string());
    // The region keeps what was coded once.
    assert_eq!(ask(&service.beside(), "gzip").bytes, gzip.bytes);
    assert_eq!(ask(&service, "identity;q=0, zstd").problem().0, 406);
    let held = service.send(
        "GET",
        path,
        "",
        &[
            ("accept-encoding", "gzip"),
            ("if-none-match", gzip.header("etag")),
        ],
    );
    assert_eq!(held.status, 304);
}
