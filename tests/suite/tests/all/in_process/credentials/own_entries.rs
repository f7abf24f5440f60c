//! Reads with a player's token: the summary, and the list as a banned player sees it.

use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region};

const LIST: &str = "/leaderboards/b/entries";

/// Five players, 5 to 1 points, and a token for each name.
fn five_players(region: &Region) -> (Instance, impl Fn(&str) -> String) {
    let instance = region.instance();
    let board = json!({"access": {"write": "player"}});
    instance.call("PUT", "/leaderboards/b", &board).expect_status(201);
    let scopes = json!(["scores:read", "scores:write"]);
    let key = instance.make_key(&json!({"name": "server", "scopes": scopes})).1;
    for (player, score) in [("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1)] {
        let body = json!({"player": player, "score": score}).to_string();
        instance
            .with_key(&key, "POST", "/leaderboards/b/scores", &body)
            .expect_status(200);
    }
    region.pass_ms(5_000);
    let issuer = instance.clone();
    let token = move |player: &str| {
        let body = json!({ "player": player }).to_string();
        let issued = issuer.with_key(&key, "POST", "/tokens", &body);
        issued.json()["token"].as_str().unwrap().to_owned()
    };
    (instance, token)
}

fn ranks(page: &Value) -> Vec<(u64, String)> {
    let entries = page["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            (
                entry["rank"].as_u64().unwrap(),
                entry["player"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn line(rank: u64, player: &str) -> (u64, String) {
    (rank, player.to_owned())
}

/// The lines of these players from the top.
fn lines<const N: usize>(players: [&str; N]) -> Vec<(u64, String)> {
    (1..)
        .zip(players)
        .map(|(rank, player)| line(rank, player))
        .collect()
}

#[test]
fn a_banned_player_alone_sees_the_list_without_the_ban() {
    let region = Region::of_acme();
    let (instance, token) = five_players(&region);
    let (own, other) = (token("b"), token("c"));
    let whole = lines(["a", "b", "c", "d", "e"]);
    // From here on the responses for all readers are cached.
    assert_eq!(ranks(&instance.with_token(&own, "GET", LIST, "").json()), whole);
    instance
        .call("PUT", "/players/b/ban", &Value::Null)
        .expect_status(204);
    region.pass_ms(100);
    let others = lines(["a", "c", "d", "e"]);
    let mut tags = Vec::new();
    for instance in [instance.clone(), region.instance()] {
        for _ in 0..2 {
            let mine = instance.with_token(&own, "GET", LIST, "");
            let theirs = instance.with_token(&other, "GET", LIST, "");
            for (page, expected) in [(mine.json(), &whole), (theirs.json(), &others)] {
                assert_eq!(
                    (&ranks(&page), &page["count"]),
                    (expected, &json!(expected.len()))
                );
            }
            tags.push((mine.header("etag").to_owned(), theirs.header("etag").to_owned()));
            let anybody = instance.send("GET", LIST, "", &[("x-tenant-id", "acme")]);
            assert_eq!(ranks(&anybody.json()), others);
            assert_eq!(mine.header("cache-control"), "private, no-cache");
        }
        let get = |path: &str| instance.with_token(&own, "GET", path, "").json();
        let entry = get("/leaderboards/b/entries/b");
        assert_eq!([&entry["entry"]["rank"], &entry["count"]], [2, 5]);
        assert_eq!(get("/leaderboards/b/entries/d")["entry"]["rank"], 4);
        assert_eq!(ranks(&get(&format!("{LIST}/c/around?limit=3"))), whole[1..4]);
        assert_eq!(
            ranks(&get("/leaderboards/b/entries?players=e,b")),
            [line(2, "b"), line(5, "e")]
        );
        let first = get(&format!("{LIST}?limit=1"));
        let second = get(&format!(
            "{LIST}?limit=1&cursor={}",
            first["next"].as_str().unwrap()
        ));
        assert_eq!(ranks(&second), whole[1..2]);
        assert_eq!(ranks(&get("/leaderboards/b/summary")["around"]), whole);
        let seen = instance.with_token(&other, "GET", "/leaderboards/b/entries/b", "");
        seen.expect_problem(404, "entry-not-found", "");
    }
    assert!(tags.iter().all(|(mine, theirs)| mine != theirs));
    // The shared cache holds nothing of it.
    for (key, bytes) in region.key_value.entries.borrow().clone() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(r#""player":"b""#), "{key}: {text}");
    }
    instance
        .call("DELETE", "/players/b/ban", &Value::Null)
        .expect_status(204);
    region.pass_ms(100);
    for caller in [&own, &other] {
        assert_eq!(ranks(&instance.with_token(caller, "GET", LIST, "").json()), whole);
    }
}

/// What a list that `b` began tells `b` of its drift when others and `b` itself have gone on, with and without a ban of `b`.
#[test]
fn the_next_page_does_not_show_a_banned_player_the_ban() {
    let told = |banned: bool| {
        let region = Region::of_acme();
        let (instance, token) = five_players(&region);
        let own = token("b");
        let list = format!("/api/v2{LIST}?limit=2");
        let get = |path: &str| instance.with_token(&own, "GET", path, "").json();
        let first = get(&list)["page"]["next"].as_str().unwrap().to_owned();
        // Something drifts in both worlds, on no page of this list.
        let other = r#"{"player":"z","score":0}"#;
        instance
            .with_token(&token("z"), "POST", "/leaderboards/b/scores", other)
            .expect_status(200);
        if banned {
            let done = instance.call("PUT", "/players/b/ban", &Value::Null);
            done.expect_status(204);
        }
        region.pass_ms(6_000);
        let next = || {
            let mut page = get(&format!("{list}&cursor={first}"));
            let ranks: Vec<Value> = page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| json!([entry["rank"], entry["player"]["id"]]))
                .collect();
            (ranks, page["page"]["snapshot"].take())
        };
        let begun = next();
        let rise = r#"{"player":"b","score":9}"#;
        let risen = instance.with_token(&own, "POST", "/leaderboards/b/scores", rise);
        risen.expect_status(200);
        region.pass_ms(6_000);
        (begun, next())
    };
    let (begun, risen) = told(true);
    assert_eq!(begun.0, [json!([3, "c"]), json!([4, "d"])]);
    assert_eq!(
        (&begun.1["gone"], &begun.1["moved_past"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(risen.1["moved_past"], json!(["b"]));
    assert_eq!((begun, risen), told(false));
}

#[test]
fn a_ban_that_could_not_be_shortened_is_still_kept_from_its_player() {
    let region = Region::of_acme();
    let (instance, token) = five_players(&region);
    let ban = |player: &str, expires_at: Value| {
        let path = format!("/players/{player}/ban");
        let done = instance.call("PUT", &path, json!({ "expires_at": expires_at }));
        done.status
    };
    let sees_own = || {
        let list = instance.with_token(&token("b"), "GET", LIST, "").json();
        ranks(&list).contains(&line(2, "b"))
    };
    let reads = || {
        let before = region.store.reads.get();
        assert!(sees_own());
        region.store.reads.get() - before
    };
    assert_eq!(ban("b", Value::Null), 204);
    region.store.bans_fail.set(true);
    assert_eq!(ban("b", json!("2026-07-19T22:00:00Z")), 503);
    region.store.bans_fail.set(false);
    region.pass_ms(3_600_000);
    // With another ban, those that have ended are forgotten.
    assert_eq!(ban("y", Value::Null), 204);
    region.pass_ms(6_000);
    assert!(sees_own(), "the ban without an end stands");
    // One that was shortened is forgotten after its end, and its player shares everybody's answers again.
    assert_eq!(ban("b", json!("2026-07-19T23:00:00Z")), 204);
    region.pass_ms(6_000);
    assert_eq!((reads(), reads()), (1, 1));
    region.pass_ms(3_600_000);
    assert_eq!(ban("z", Value::Null), 204);
    region.pass_ms(6_000);
    reads();
    assert_eq!(reads(), 0);
}

#[test]
fn cache_status_does_not_show_a_banned_player_the_ban() {
    let region = Region::of_acme();
    let (instance, token) = five_players(&region);
    let (own, other) = (token("b"), token("c"));
    instance.call("PUT", "/players/b/ban", &Value::Null);
    for (lifetime_ms, expected) in [
        (0, "edgeboard; fwd=uri-miss"),
        (5_000, "edgeboard; fwd=uri-miss; stored"),
    ] {
        let cache = json!({"access": {"write": "player"}, "cache": {"lifetime_ms": lifetime_ms}});
        instance.call("PUT", "/leaderboards/b", &cache).expect_status(200);
        region.pass_ms(5_000);
        for token in [&other, &own] {
            let page = region.instance().with_token(token, "GET", LIST, "");
            assert_eq!(page.header("cache-status"), expected, "{lifetime_ms}");
        }
    }
}

#[test]
fn only_reads_of_banned_players_bypass_the_cache() {
    let region = Region::of_acme();
    let (instance, token) = five_players(&region);
    let (own, other) = (token("b"), token("c"));
    instance.call("PUT", "/players/b/ban", &Value::Null);
    region.pass_ms(100);
    instance.with_token(&other, "GET", LIST, "");
    let reads = |token: &str| {
        let before = region.store.reads.get();
        for _ in 0..5 {
            instance.with_token(token, "GET", LIST, "").expect_status(200);
        }
        region.store.reads.get() - before
    };
    assert_eq!((reads(&other), reads(&own)), (0, 5));
}

#[test]
fn one_call_gives_the_top_the_caller_and_the_neighbours() {
    let region = Region::of_acme();
    let (instance, token) = five_players(&region);
    let (own, stranger) = (token("d"), token("nobody"));
    let path = "/leaderboards/b/summary?top=2&around=3";
    let before = region.store.reads.get();
    let answer = instance.with_token(&own, "GET", path, "");
    answer.expect_status(200);
    let summary = answer.json();
    assert_eq!(ranks(&summary["top"]), [line(1, "a"), line(2, "b")]);
    assert_eq!(
        ranks(&summary["around"]),
        [line(3, "c"), line(4, "d"), line(5, "e")]
    );
    assert_eq!(region.store.reads.get() - before, 2);
    // The top is there for everybody: one call of the store for another player, none for the same one.
    let before = region.store.reads.get();
    let another = instance.with_token(&token("c"), "GET", path, "").json();
    assert_eq!(ranks(&another["around"])[1], line(3, "c"));
    assert_eq!(region.store.reads.get() - before, 1);
    let again = instance.with_token(&own, "GET", path, "");
    assert_eq!(again.json(), summary);
    assert_eq!(region.store.reads.get() - before, 1);
    // The parts are those of the reads of their own.
    let get = |path: &str| instance.with_token(&own, "GET", path, "").json();
    assert_eq!(get("/leaderboards/b/entries?limit=2"), summary["top"]);
    assert_eq!(
        get("/leaderboards/b/entries/me/around?limit=3"),
        summary["around"]
    );
    // Once more, with the tag.
    let tag = answer.header("etag").to_owned();
    let headers = [("authorization", format!("Bearer {own}")), ("if-none-match", tag)];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    instance.send("GET", path, "", &headers).expect_status(304);
    // Without an entry there are no neighbours, and every reader may ask for those of another player.
    let none = instance.with_token(&stranger, "GET", path, "").json();
    assert_eq!((&none["around"], ranks(&none["top"]).len()), (&Value::Null, 2));
    let anybody = instance.send(
        "GET",
        "/leaderboards/b/summary?player=d&top=2&around=3",
        "",
        &[("x-tenant-id", "acme")],
    );
    assert_eq!(anybody.json(), summary);
    assert_eq!(anybody.header("cache-control"), "private, no-cache");
    for bad in ["top=0", "top=101", "around=101", "limit=5", "player="] {
        let refused = instance.with_token(&own, "GET", &format!("/leaderboards/b/summary?{bad}"), "");
        assert_eq!(refused.problem().1, "invalid-parameter", "{bad}");
    }
    let unknown = instance.with_token(&own, "GET", "/leaderboards/none/summary", "");
    assert_eq!(unknown.problem().1, "leaderboard-not-found");
}
