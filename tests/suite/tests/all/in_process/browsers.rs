//! Tests of headers for browsers: transport security, and the origins whose scripts can read responses.

use leaderboard_pipeline::CorsOrigins;
use leaderboard_test_support::ADMIN_KEY;

use crate::in_process::environment::{Answer, Instance, Region};

const LISTED_ORIGIN: (&str, &str) = ("origin", "https://app.example");
const OTHER_ORIGIN: (&str, &str) = ("origin", "https://other.example");
const PREFLIGHT_OF_PUT: (&str, &str) = ("access-control-request-method", "PUT");
const OPERATORS_KEY: (&str, &str) = ("x-api-key", ADMIN_KEY);
const GOALS: &str = "/leaderboards/goals";

/// Creates a service that allows scripts of these origins to read responses.
fn create_service(origins: CorsOrigins) -> Instance {
    let options = Region::with_options().settings(|settings| settings.cors_origins = origins);
    options.instance()
}

fn create_service_with_listed_origin() -> Instance {
    create_service("https://app.example".parse().unwrap())
}

fn has_cors_headers(answer: &Answer) -> bool {
    answer
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control-"))
}

/// Browsers ignore the header without TLS. `X-XSS-Protection` is never sent, because the filter that it
/// controls in old browsers does harm.
#[test]
fn strict_transport_security_is_sent_only_over_tls() {
    let service = Instance::new();
    service.call("PUT", GOALS, "{}");
    let read_header = |path: &str, url: &str| {
        let answer = service.send("GET", path, "", &[("spin-full-url", url)]);
        assert!(!answer.headers.contains_key("x-xss-protection"));
        answer.header("strict-transport-security").to_owned()
    };
    let policy = "max-age=63072000; includeSubDomains";
    for path in ["/health/live", "/nothing", GOALS] {
        assert_eq!(read_header(path, "http://a.example"), "");
        assert_eq!(read_header(path, "https://a.example"), policy);
    }
    // A reused response has the header by the scheme of its own request, not of the request for which it was
    // made.
    let top = "/leaderboards/goals/entries";
    for (url, expected) in [("http://a.example", ""), ("https://a.example", policy)].repeat(4) {
        assert_eq!(read_header(top, url), expected);
    }
}

#[test]
fn a_preflight_of_a_listed_origin_lists_the_methods_of_the_route() {
    let preflight =
        create_service_with_listed_origin().send("OPTIONS", GOALS, "", &[LISTED_ORIGIN, PREFLIGHT_OF_PUT]);
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
fn a_listed_origin_can_read_responses_and_problems() {
    let service = create_service_with_listed_origin();
    for (path, headers) in [
        ("/health/live", vec![LISTED_ORIGIN]),
        ("/tenants", vec![LISTED_ORIGIN]),
        (GOALS, vec![LISTED_ORIGIN, OPERATORS_KEY]),
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
    let service = create_service_with_listed_origin();
    for headers in [
        vec![OTHER_ORIGIN],
        vec![],
        vec![("origin", "null")],
        vec![LISTED_ORIGIN, OTHER_ORIGIN],
    ] {
        let answer = service.send("GET", "/health/live", "", &headers);
        answer.expect_status(200);
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(
            !allowed.is_empty(),
            headers.first() == Some(&LISTED_ORIGIN),
            "{headers:?}"
        );
        let vary = answer.headers.get_all("vary").iter();
        assert!(vary.into_iter().any(|value| value == "Origin"));
    }
    let preflight = service.send("OPTIONS", GOALS, "", &[OTHER_ORIGIN, PREFLIGHT_OF_PUT]);
    assert_eq!((preflight.status, has_cors_headers(&preflight)), (405, false));
}

#[test]
fn if_all_origins_are_allowed_responses_have_a_star_and_no_credentials() {
    let service = create_service(CorsOrigins::Any);
    // A shared cache may reuse the response to a request without an origin for a request of a script.
    for headers in [vec![OTHER_ORIGIN], vec![]] {
        let answer = service.send("GET", "/health/live", "", &headers);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
    }
    let preflight = |headers: &[(&str, &str)]| service.send("OPTIONS", GOALS, "", headers).status;
    assert_eq!(
        (
            preflight(&[OTHER_ORIGIN, PREFLIGHT_OF_PUT]),
            preflight(&[PREFLIGHT_OF_PUT])
        ),
        (204, 405)
    );
}

#[test]
fn options_without_a_preflight_header_gets_405_and_an_unknown_path_404() {
    let service = create_service_with_listed_origin();
    let plain = service.send("OPTIONS", GOALS, "", &[LISTED_ORIGIN]);
    assert_eq!(plain.problem().0, 405);
    assert_eq!(plain.header("allow"), "GET, HEAD, PUT, PATCH, DELETE");
    let nowhere = service.send("OPTIONS", "/nowhere", "", &[LISTED_ORIGIN, PREFLIGHT_OF_PUT]);
    assert_eq!(nowhere.problem().0, 404);
}
