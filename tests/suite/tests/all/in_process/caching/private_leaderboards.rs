//! A private leaderboard looks missing to clients without a credential.

use std::cell::Cell;

use crate::in_process::environment::{Answer, Instance};

/// What is asked of a leaderboard, and whether the answer is in memory by the second time.
const QUESTIONS: [&str; 13] = [
    "",
    "/entries",
    "/entries?limit=11",
    "/entries?limit=1&period=previous",
    "/entries?period=2020-01-01T00:00:00Z",
    "/entries?players=a,b",
    "/entries/p",
    "/entries/nobody",
    "/entries/p/around",
    "/periods",
    "/distribution",
    "/distribution?buckets=2",
    "/summary?player=p",
];

/// A client without a credential that uses a new address for each request.
struct Anybody<'s> {
    service: &'s Instance,
    asked: &'s Cell<u16>,
}

impl Anybody<'_> {
    /// All that an answer tells, but for the name of the leaderboard.
    fn ask(&self, board: &str, rest: &str, headers: &[(&str, &str)]) -> (u16, String, Vec<(String, String)>) {
        self.asked.set(self.asked.get() + 1);
        let [high, low] = self.asked.get().to_be_bytes();
        let address = format!("198.51.{high}.{low}:7");
        let mut all = vec![("spin-client-addr", address.as_str())];
        all.extend(headers);
        let path = format!("/leaderboards/{board}{rest}");
        let Answer {
            status,
            headers,
            text,
            ..
        } = self.service.send("GET", &path, "", &all);
        assert!(headers.contains_key("ratelimit"), "{path}");
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().replace(board, "")))
            .collect();
        (status, text.replace(board, ""), headers)
    }
}

/// A service with a private leaderboard, which keeps answers so long.
fn service(lifetime_ms: u32) -> Instance {
    let service = Instance::new();
    let cache = format!(r#"{{"lifetime_ms":{lifetime_ms}}}"#);
    let body = format!(r#"{{"access":{{"read":"private"}},"cache":{cache}}}"#);
    assert_eq!(service.call("PUT", "/leaderboards/secret", &body).status, 201);
    let score = r#"{"player":"p","score":1}"#;
    let scored = service.call("POST", "/leaderboards/secret/scores", score);
    assert_eq!(scored.status, 200);
    service.pass_ms(2_000);
    service
}

/// Responses and charges for a private leaderboard equal those for a missing one.
#[test]
fn a_private_leaderboard_looks_missing_without_a_credential() {
    let asked = Cell::default();
    for lifetime_ms in [5_000, 0] {
        let service = service(lifetime_ms);
        let anybody = Anybody {
            service: &service,
            asked: &asked,
        };
        for rest in QUESTIONS.into_iter().chain(["/entries?limit=0"]) {
            for headers in [
                &[][..],
                &[("cache-control", "no-cache")],
                &[("if-none-match", "*")],
                &[("if-match", "\"x\"")],
                &[("accept-encoding", "identity;q=0")],
                &[("accept", "application/vnd.edgeboard.v1+json")],
                &[("api-integers", "string")],
            ] {
                let missing = anybody.ask("hidden", rest, headers);
                assert!(missing.0 == 404 || missing.0 == 400, "{rest} {missing:?}");
                // The first makes an answer for those who may read it, and the second meets that.
                for again in 0..2 {
                    let private = anybody.ask("secret", rest, headers);
                    assert_eq!(private, missing, "{lifetime_ms} {rest} {headers:?} {again}");
                }
            }
        }
        // Another instance has the answers from the region.
        let beside = service.beside();
        let anybody = Anybody {
            service: &beside,
            asked: &asked,
        };
        for rest in QUESTIONS {
            let missing = anybody.ask("hidden", rest, &[]);
            assert_eq!(anybody.ask("secret", rest, &[]), missing, "{lifetime_ms} {rest}");
        }
    }
}

/// A missing leaderboard is looked up in the store, so without the store both requests fail alike.
#[test]
fn without_the_store_a_private_leaderboard_is_unavailable_like_a_missing_one() {
    let asked = Cell::default();
    for (rest, beside) in QUESTIONS
        .into_iter()
        .flat_map(|rest| [(rest, false), (rest, true)])
    {
        let first = service(5_000);
        let other = first.beside();
        let service = if beside { &other } else { &first };
        let warming = Anybody {
            service: &first,
            asked: &asked,
        };
        warming.ask("secret", rest, &[]);
        let anybody = Anybody {
            service,
            asked: &asked,
        };
        first.store.down.set(true);
        for again in 0..3 {
            let private = anybody.ask("secret", rest, &[]);
            let missing = anybody.ask("hidden", rest, &[]);
            assert_eq!(private, missing, "{rest} {beside} {again}");
            assert_eq!(private.0, 503, "{rest} {beside} {again}");
        }
        first.store.down.set(false);
        let private = anybody.ask("secret", rest, &[]);
        assert_eq!(private, anybody.ask("hidden", rest, &[]), "{rest} {beside}");
        assert_eq!(private.0, 404, "{rest} {beside}");
    }
}
