//! Tests of the patterns of `allowed_outbound_hosts` and of host names of components.

use super::*;

fn allows(pattern: &str, url: &str) -> bool {
    AllowedHosts::parse(&[pattern.to_owned()], &["a".to_owned()])
        .unwrap()
        .allows(url, "http")
}

#[test]
fn scheme_host_and_port_must_all_match() {
    for (pattern, url, expected) in [
        ("https://example.com", "https://example.com/path", true),
        ("https://example.com", "https://example.com:443/", true),
        ("https://example.com", "https://example.com:444/", false),
        ("https://example.com", "http://example.com/", false),
        ("https://example.com", "https://www.example.com/", false),
        ("https://example.com/", "https://example.com/", true),
        ("*://example.com:*", "redis://example.com:1234", true),
        ("http://*:80", "http://anything/", true),
        ("http://*.example.com", "http://a.b.example.com/", true),
        ("http://*.example.com", "http://example.com/", false),
        ("http://*.example.com", "http://badexample.com/", false),
        ("http://example.com:8000..8010", "http://example.com:8009/", true),
        ("http://example.com:8000..8010", "http://example.com:8010/", false),
        ("redis://10.0.0.0/8:*", "redis://10.9.9.9:6379", true),
        ("redis://10.0.0.0/8:*", "redis://11.0.0.1:6379", false),
        ("redis://10.1.2.3/8:*", "redis://10.9.9.9:6379", true),
        ("redis://127.0.0.1", "redis://127.0.0.1:6379", true),
        ("redis://127.0.0.1", "redis://user:pass@127.0.0.1:6379/1", true),
        ("redis://127.0.0.1", "redis://user:p#ss?@127.0.0.1:6379/1", true),
        ("redis://127.0.0.1", "redis://127.0.0.1@evil.com:6379", false),
        ("http://[::1]:80", "http://[::1]/", true),
        ("http://self", "http://self/", false),
        ("http://a.spin.internal", "http://a.spin.internal/", true),
        ("http://*.spin.internal", "http://a.spin.internal/", true),
        ("http://*.spin.internal", "http://b.spin.internal/", false),
        ("http://example.com", "example.com", true),
        ("http://example.com", "", false),
    ] {
        assert_eq!(allows(pattern, url), expected, "{pattern} {url}");
    }
}

#[test]
fn malformed_patterns_are_refused() {
    for pattern in [
        "*",
        "",
        "example.com",
        "redis2://x",
        "x://y",
        "http://a/b",
        "http://a*",
        "http://*.*.a",
        "http://a:b",
        "http://{a,b}",
        "http://a:80/path",
    ] {
        assert!(AllowedHost::parse(pattern).is_err(), "{pattern:?}");
    }
}

#[test]
fn requests_to_the_application_itself_need_a_grant_for_self() {
    let grants = |pattern: &str| AllowedHosts::parse(&[pattern.to_owned()], &[]).unwrap();
    for (pattern, expected) in [
        ("http://self", true),
        ("*://self:*", true),
        ("http://*", true),
        ("redis://self", false),
    ] {
        assert_eq!(
            grants(pattern).allows_self(&["http", "https"]),
            expected,
            "{pattern}"
        );
    }
    assert!(!grants("http://example.com").allows_self(&["http"]));
}

#[test]
fn patterns_that_are_empty_are_skipped() {
    let patterns = ["", "http://", "https://"].map(ToOwned::to_owned);
    assert!(
        !AllowedHosts::parse(&patterns, &[])
            .unwrap()
            .allows("http://example.com", "http")
    );
}

#[test]
fn only_a_host_name_of_a_component_leads_to_a_component() {
    assert_eq!(chained_component("a.spin.internal"), Some("a"));
    assert_eq!(chained_component("a.b.spin.internal"), None);
    assert_eq!(chained_component("spin.internal"), None);
    assert_eq!(chained_component("a.spin.internal.evil.com"), None);
}

#[test]
fn a_password_in_a_grant_is_refused_and_not_shown_in_the_error() {
    let Err(error) = super::pattern::AllowedHost::parse("redis://ann:secret@redis.test:6379") else {
        panic!("credentials were accepted");
    };
    assert!(
        error.contains("redis.test:6379") && error.contains("credentials"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}
