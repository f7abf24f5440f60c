//! Which callers share a limit, are denied, or have no limit.

use leaderboard_test_support::ADMIN_KEY;

use super::reads::region;
use crate::in_process::environment::{Answer, Instance, METRICS_KEY, Region, request};

const TOP: &str = "/leaderboards/goals/entries";
const TWO: &str = r#"{"policies":{"client":{"quota":1,"window_s":60,"burst":2}}}"#;

fn get(instance: &Instance, headers: &[(&str, &str)]) -> Answer {
    instance.answer(request("GET", TOP, "", headers))
}

#[test]
fn addresses_that_a_client_makes_up_change_nothing() {
    let instance = region(true, TWO).instance();
    let mut refused = 0;
    for number in 0..10 {
        let made_up = format!("198.51.100.{number}");
        let (forwarded, host) = (format!("for={made_up}"), format!("{made_up}:1"));
        let answer = get(
            &instance,
            &[
                ("spin-client-addr", host.as_str()),
                ("x-forwarded-for", made_up.as_str()),
                ("forwarded", forwarded.as_str()),
                ("spin-client-addr", "192.0.2.1:5000"),
            ],
        );
        refused += u32::from(answer.status == 429);
    }
    assert_eq!(refused, 8);
}

#[test]
fn behind_a_trusted_proxy_each_client_has_a_limit() {
    let instance = region(true, TWO).instance_with(|options| {
        options.settings(|settings| settings.trusted_proxies = "10.0.0.0/8".parse().unwrap())
    });
    for number in 0..10 {
        let client = format!("203.0.113.9, 198.51.100.{number}");
        let headers = [
            ("x-forwarded-for", client.as_str()),
            ("spin-client-addr", "10.1.1.1:5000"),
        ];
        get(&instance, &headers).expect_status(200);
    }
    let headers = [
        ("x-forwarded-for", "198.51.100.1"),
        ("spin-client-addr", "10.1.1.1:5000"),
    ];
    get(&instance, &headers).expect_status(200);
    get(&instance, &headers).expect_status(429);
}

#[test]
fn an_ipv6_network_is_one_client() {
    let instance = region(true, TWO).instance();
    let statuses: Vec<u16> = (1..5)
        .map(|host| instance.from(&format!("[2001:db8:1:2::{host}]:5000"), TOP).status)
        .collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
    instance.from("[2001:db8:1:3::1]:5000", TOP).expect_status(200);
}

#[test]
fn the_operator_is_not_limited() {
    let instance = region(true, TWO).instance();
    for _ in 0..10 {
        let headers = [("x-api-key", ADMIN_KEY), ("spin-client-addr", "192.0.2.1:5000")];
        let answer = get(&instance, &headers);
        assert_eq!((answer.status, answer.headers.get("ratelimit")), (200, None));
    }
}

#[test]
fn lists_of_addresses_hold_for_everybody_but_the_operator() {
    let region = region(
        true,
        r#"{"addresses":{"deny":["192.0.2.0/24"],"allow":["192.0.2.0/23","2001:db8::/32"]}}"#,
    );
    let instance = region.instance();
    instance.from("192.0.3.1:1", TOP).expect_status(200);
    instance.from("[2001:db8::1]:1", TOP).expect_status(200);
    for denied in ["192.0.2.1:1", "198.51.100.1:1", "[2001:db9::1]:1"] {
        assert_eq!(
            instance.from(denied, TOP).problem().1,
            "address-denied",
            "{denied}"
        );
    }
    let headers = [("x-api-key", ADMIN_KEY), ("spin-client-addr", "192.0.2.1:1")];
    let request = request("DELETE", "/operator/limits", "", &headers);
    instance.answer(request).expect_status(204);
    region.instance().from("192.0.2.1:1", TOP).expect_status(200);
}

#[test]
fn a_tenant_has_lists_of_its_own() {
    let region = region(true, "{}");
    let instance = region.instance();
    let body = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    instance.call("PUT", "/limits", body).expect_status(201);
    assert_eq!(instance.from("192.0.2.1:1", TOP).problem().1, "address-denied");
    let other = [("x-tenant-id", "acme"), ("spin-client-addr", "192.0.2.1:1")];
    assert_eq!(get(&instance, &other).problem().1, "leaderboard-not-found");
}

#[test]
fn exempt_addresses_are_not_limited() {
    let limits = r#"{"policies":{"client":{"quota":1}},"addresses":{"exempt":["192.0.2.0/24"]}}"#;
    let instance = region(true, limits).instance();
    assert!((0..10).all(|_| instance.from("192.0.2.1:1", TOP).status == 200));
    instance.from("192.0.3.1:1", TOP).expect_status(200);
    instance.from("192.0.3.1:1", TOP).expect_status(429);
}

#[test]
fn all_limits_that_apply_have_room_or_none_is_charged() {
    let limits = r#"{"policies":{"client":{"quota":5},"tenant":{"quota":3},"family:ranks":"off"}}"#;
    let instance = region(true, limits).instance();
    let statuses = |client: &str| -> Vec<u16> { (0..4).map(|_| instance.from(client, TOP).status).collect() };
    assert_eq!(statuses("192.0.2.1:1"), [200, 200, 200, 429]);
    let other = instance.from("192.0.2.2:1", TOP);
    assert_eq!(other.json()["violated-policies"], serde_json::json!(["tenant"]));
    assert_eq!(other.header("ratelimit"), r#""client";r=5;t=0, "tenant";r=0;t=1"#);
    assert_eq!(
        other.header("ratelimit-policy"),
        r#""client";q=5;w=1, "tenant";q=3;w=1"#
    );
}

#[test]
fn a_family_has_a_limit_of_its_own() {
    let limits = r#"{"policies":{"family:ranks":{"quota":1,"window_s":10}}}"#;
    let instance = region(true, limits).instance();
    instance.from("192.0.2.1:1", TOP).expect_status(200);
    let refused = instance.from("192.0.2.1:1", TOP);
    assert_eq!(
        refused.json()["violated-policies"],
        serde_json::json!(["family:ranks"])
    );
    assert_eq!(refused.header("retry-after"), "10");
    instance.from("192.0.2.2:1", TOP).expect_status(200);
}

#[test]
fn guesses_at_credentials_are_refused_unseen() {
    let region = region(true, r#"{"policies":{"credentials":{"quota":1,"burst":3}}}"#);
    let send_guess = |instance: &Instance, path: &str, client: &str| {
        let headers = [("x-api-key", "guess"), ("spin-client-addr", client)];
        instance.answer(request("GET", path, "", &headers))
    };
    let guess = |instance: &Instance, path: &str, client: &str| send_guess(instance, path, client).status;
    let instance = region.instance();
    for path in [TOP, "/operator/limits", TOP] {
        assert_eq!(guess(&instance, path, "192.0.2.1:1"), 401, "{path}");
    }
    let limited = send_guess(&instance, TOP, "192.0.2.1:1").json();
    assert_eq!(limited["violated-policies"], serde_json::json!(["credentials"]));
    for path in [TOP, "/operator/limits"] {
        assert_eq!(guess(&instance, path, "192.0.2.1:1"), 429, "{path}");
    }
    instance.settle();
    assert_eq!(
        guess(&region.instance(), TOP, "192.0.2.1:1"),
        429,
        "in another instance"
    );
    assert_eq!(guess(&instance, TOP, "192.0.2.2:1"), 401, "from elsewhere");
    instance.from("192.0.2.1:1", TOP).expect_status(200);
    region.pass_ms(1000);
    assert_eq!(guess(&instance, TOP, "192.0.2.1:1"), 401);
}

/// The operator's key is not checked either, so that a client cannot try more keys than that.
#[test]
fn guesses_at_the_operators_key_are_refused_unseen() {
    let limits = r#"{"policies":{"credentials":{"quota":1,"burst":3}},
        "addresses":{"deny":["198.51.100.0/24"],"exempt":["203.0.113.7/32"]}}"#;
    let region = region(true, limits);
    let ask = |instance: &Instance, path: &str, key: &str, client: &str| {
        let headers = [("x-api-key", key), ("spin-client-addr", client)];
        instance.answer(request("GET", path, "", &headers)).status
    };
    for (path, operator_key) in [
        ("/operator/limits", ADMIN_KEY),
        ("/health/detailed", ADMIN_KEY),
        ("/metrics", ADMIN_KEY),
        ("/metrics", METRICS_KEY),
    ] {
        let instance = region.instance();
        region.pass_ms(10_000);
        let guesses: Vec<u16> = (0..5)
            .map(|_| ask(&instance, path, "guess", "192.0.2.1:1"))
            .collect();
        assert_eq!(guesses, [401, 401, 401, 429, 429], "{path}");
        assert_eq!(ask(&instance, path, operator_key, "192.0.2.1:1"), 429, "{path}");
        assert_eq!(
            ask(&instance, path, operator_key, "192.0.2.2:1"),
            200,
            "{path}: from elsewhere"
        );
        // An operator whose address is exempt cannot be locked out.
        (0..5).for_each(|_| assert_eq!(ask(&instance, path, "guess", "203.0.113.7:1"), 401));
        assert_eq!(ask(&instance, path, operator_key, "203.0.113.7:1"), 200, "{path}");
    }
    // Nor from an address that only the operator's key gets past.
    let instance = region.instance();
    region.pass_ms(10_000);
    let guesses: Vec<u16> = (0..4)
        .map(|_| ask(&instance, TOP, "guess", "198.51.100.1:1"))
        .collect();
    assert_eq!(guesses, [403, 403, 403, 429]);
    assert_eq!(ask(&instance, TOP, ADMIN_KEY, "198.51.100.1:1"), 429);
    // Health is public.
    assert_eq!(ask(&instance, "/health/live", "guess", "192.0.2.1:1"), 200);
}

#[test]
fn health_is_for_everybody() {
    let region = Region::with_still_clock(true);
    let instance = region.instance();
    instance.call(
        "PUT",
        "/operator/limits",
        r#"{"addresses":{"allow":["10.0.0.0/8"]}}"#,
    );
    let answer = instance.from("192.0.2.1:1", "/health/live");
    assert_eq!((answer.status, answer.headers.get("ratelimit")), (200, None));
}
