//! Headers for browsers: transport security, and the origins whose scripts may read responses.

use leaderboard_pipeline::CorsOrigins;
use leaderboard_test_support::ADMIN_KEY;

use crate::in_process::environment::{Answer, Instance, Region};

const APP: (&str, &str) = ("origin", "https://app.example");
const OTHER: (&str, &str) = ("origin", "https://other.example");
const ASKS: (&str, &str) = ("access-control-request-method", "PUT");
const KEYED: (&str, &str) = ("x-api-key", ADMIN_KEY);
const BOARD: &str = "/leaderboards/goals";

fn with_origins(origins: CorsOrigins) -> Instance {
    let options = Region::with_options().settings(|settings| settings.cors_origins = origins);
    options.instance()
}

fn listed() -> Instance {
    with_origins("https://app.example".parse().unwrap())
}

fn has_cors(answer: &Answer) -> bool {
    answer
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control-"))
}

/// Browsers take no notice of it without TLS, and the protection against scripts that browsers once had does harm.
#[test]
fn strict_transport_security_is_sent_over_tls_alone() {
    let service = Instance::new();
    service.call("PUT", BOARD, "{}");
    let told = |path: &str, url: &str| {
        let answer = service.send("GET", path, "", &[("spin-full-url", url)]);
        assert!(!answer.headers.contains_key("x-xss-protection"));
        answer.header("strict-transport-security").to_owned()
    };
    let stay = "max-age=63072000; includeSubDomains";
    for path in ["/health/live", "/nothing", BOARD] {
        assert_eq!(told(path, "http://a.example"), "");
        assert_eq!(told(path, "https://a.example"), stay);
    }
    // Also when an answer is given again that was made for a request over the other one.
    let top = "/leaderboards/goals/entries";
    for (url, expected) in [("http://a.example", ""), ("https://a.example", stay)].repeat(4) {
        assert_eq!(told(top, url), expected);
    }
}

#[test]
fn a_preflight_of_a_listed_origin_lists_the_methods_of_the_route() {
    let preflight = listed().send("OPTIONS", BOARD, "", &[APP, ASKS]);
    assert_eq!((preflight.status, preflight.text.as_str()), (204, ""));
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET, HEAD, PUT, PATCH, DELETE"
    );
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("X-API-Key")
    );
    assert_eq!(preflight.header("access-control-max-age"), "600");
    for name in [
        "content-type",
        "content-length",
        "allow",
        "access-control-allow-credentials",
    ] {
        assert_eq!(preflight.header(name), "", "{name}");
    }
    assert_eq!((preflight.log.status, preflight.log.problem), (204, None));
}

#[test]
fn a_listed_origin_may_read_answers_and_problems() {
    let service = listed();
    for (path, headers) in [
        ("/health/live", vec![APP]),
        ("/tenants", vec![APP]),
        (BOARD, vec![APP, KEYED]),
    ] {
        let answer = service.send("GET", path, "", &headers);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://app.example"
        );
        for name in [
            "ETag",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "Cache-Status",
            "Deprecation",
            "Sunset",
            "Link",
            "Location",
        ] {
            let mut exposed = answer.header("access-control-expose-headers").split(", ");
            assert!(exposed.any(|exposed| exposed == name), "{name}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[test]
fn other_origins_get_no_cors_headers_and_responses_vary_by_origin() {
    let service = listed();
    for headers in [vec![OTHER], vec![], vec![("origin", "null")], vec![APP, OTHER]] {
        let answer = service.send("GET", "/health/live", "", &headers);
        answer.expect_status(200);
        let told = answer.header("access-control-allow-origin");
        assert_eq!(!told.is_empty(), headers.first() == Some(&APP), "{headers:?}");
        let vary = answer.headers.get_all("vary").iter();
        assert!(vary.into_iter().any(|value| value == "Origin"));
    }
    let preflight = service.send("OPTIONS", BOARD, "", &[OTHER, ASKS]);
    assert_eq!((preflight.status, has_cors(&preflight)), (405, false));
}

#[test]
fn any_origin_is_a_star_and_never_with_credentials() {
    let service = with_origins(CorsOrigins::Any);
    // A shared cache may give the answer to a request without an origin to a script.
    for headers in [vec![OTHER], vec![]] {
        let answer = service.send("GET", "/health/live", "", &headers);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
    }
    let preflight = |headers: &[(&str, &str)]| service.send("OPTIONS", BOARD, "", headers).status;
    assert_eq!((preflight(&[OTHER, ASKS]), preflight(&[ASKS])), (204, 405));
}

#[test]
fn options_that_ask_for_nothing_are_405_and_unknown_paths_404() {
    let service = listed();
    let plain = service.send("OPTIONS", BOARD, "", &[APP]);
    assert_eq!(plain.problem().0, 405);
    assert_eq!(plain.header("allow"), "GET, HEAD, PUT, PATCH, DELETE");
    let nowhere = service.send("OPTIONS", "/nowhere", "", &[APP, ASKS]);
    assert_eq!(nowhere.problem().0, 404);
}
