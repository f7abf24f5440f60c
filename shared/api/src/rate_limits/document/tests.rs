use super::*;
use crate::problem::Location;

fn read(text: &str, scope: DocumentOwner) -> Result<LimitsDocument, Vec<String>> {
    let tree = json::parse(text.as_bytes()).unwrap();
    LimitsDocument::read(&tree, scope).map_err(|problem| {
        let place = |error: &crate::FieldError| match &error.location {
            Location::Body(place) => place.clone(),
            other => format!("{other:?}"),
        };
        problem.errors.iter().map(place).collect()
    })
}

#[test]
fn it_reads_what_it_wrote() {
    let text = r#"{"policies":{"player":{"quota":10,"window_s":60,"burst":20},"tenant":"off","family:ranks":{"quota":5,"window_s":1,"burst":5}},"bounds":{"player":{"quota":50,"window_s":1,"burst":99}},"reads":{"limits":"off"},"addresses":{"allow":["192.0.2.0/24"],"deny":["2001:db8::/32"],"exempt":["10.0.0.1/32"]}}"#;
    let document = read(text, DocumentOwner::Operator).unwrap();
    assert_eq!(serde_json::to_string(&document).unwrap(), text);
    assert_eq!(
        LimitsDocument::stored(text.as_bytes(), DocumentOwner::Operator),
        document
    );
    assert_eq!(
        serde_json::to_string(&LimitsDocument::default()).unwrap(),
        r#"{"policies":{},"addresses":{}}"#
    );
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let errors = |text: &str| read(text, DocumentOwner::Operator).unwrap_err();
    assert_eq!(errors("[]"), ["#"]);
    assert_eq!(
        errors(
            r#"{"policies":{"players":{},"player":{"quota":0},"client":"on","key":{"window_s":1}},"limits":1}"#
        ),
        [
            "#/limits",
            "#/policies/players",
            "#/policies/player/quota",
            "#/policies/client",
            "#/policies/key/quota"
        ]
    );
    assert_eq!(
        errors(
            r#"{"policies":{"player":{"quota":1,"window_s":86400,"burst":8},"key":{"quota":1,"window_s":86401},"tenant":{"quota":1,"burst":1000001}}}"#
        ),
        [
            "#/policies/player",
            "#/policies/key/window_s",
            "#/policies/tenant/burst"
        ]
    );
    assert_eq!(
        errors(
            r#"{"bounds":{"player":"off"},"reads":{"limits":"no"},"addresses":{"deny":["192.0.2.1/24",7],"allow":"*"}}"#
        ),
        [
            "#/bounds/player",
            "#/reads/limits",
            "#/addresses/allow",
            "#/addresses/deny/0",
            "#/addresses/deny/1"
        ]
    );
}

#[test]
fn a_tenant_sets_less_than_the_operator() {
    let text = r#"{"policies":{"credentials":"off"},"bounds":{},"reads":{},"addresses":{"exempt":[]}}"#;
    assert_eq!(
        read(text, DocumentOwner::Tenant).unwrap_err(),
        [
            "#/bounds",
            "#/reads",
            "#/policies/credentials",
            "#/addresses/exempt"
        ]
    );
    assert!(read(text, DocumentOwner::Operator).is_ok());
}

#[test]
fn bounds_hold_for_rates_bursts_and_no_limit_at_all() {
    let operator = read(
        r#"{"bounds":{"player":{"quota":10,"burst":20}}}"#,
        DocumentOwner::Operator,
    )
    .unwrap();
    let within = |text: &str| {
        read(text, DocumentOwner::Tenant)
            .unwrap()
            .check_against(&operator)
            .is_ok()
    };
    assert!(within("{}") && within(r#"{"policies":{"player":{"quota":600,"window_s":60,"burst":20}}}"#));
    assert!(!within(r#"{"policies":{"player":"off"}}"#));
    assert!(!within(r#"{"policies":{"player":{"quota":11}}}"#));
    assert!(!within(r#"{"policies":{"player":{"quota":1,"burst":21}}}"#));
    assert!(within(r#"{"policies":{"client":"off"}}"#));
}

#[test]
fn what_cannot_be_read_sets_nothing() {
    for bytes in [&b"\xff"[..], b"{", br#"{"policies":{"future":{}}}"#] {
        assert_eq!(
            LimitsDocument::stored(bytes, DocumentOwner::Tenant),
            LimitsDocument::default()
        );
    }
}

#[test]
fn lists_are_bounded() {
    let list = vec!["\"192.0.2.1\""; MAX_RANGES + 1].join(",");
    let text = format!(r#"{{"addresses":{{"deny":[{list}]}}}}"#);
    assert_eq!(
        read(&text, DocumentOwner::Tenant).unwrap_err(),
        ["#/addresses/deny"]
    );
}
