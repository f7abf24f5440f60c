//! Tests of reading and writing the documents of rate limits.

use super::*;
use crate::problem::Location;

/// Reads a document. Returns the locations of its errors if it is refused.
fn read_document(text: &str, scope: DocumentOwner) -> Result<LimitsDocument, Vec<String>> {
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
fn a_document_is_read_and_written_unchanged() {
    let text = r#"{"policies":{"player":{"quota":10,"window_s":60,"burst":20},"tenant":"off","family:ranks":{"quota":5,"window_s":1,"burst":5}},"bounds":{"player":{"quota":50,"window_s":1,"burst":99}},"reads":{"limits":"off"},"addresses":{"allow":["192.0.2.0/24"],"deny":["2001:db8::/32"],"exempt":["10.0.0.1/32"]}}"#;
    let document = read_document(text, DocumentOwner::Operator).unwrap();
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
fn each_error_has_its_location() {
    let errors = |text: &str| read_document(text, DocumentOwner::Operator).unwrap_err();
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
fn a_tenant_may_set_fewer_fields_than_the_operator() {
    let text = r#"{"policies":{"credentials":"off"},"bounds":{},"reads":{},"addresses":{"exempt":[]}}"#;
    assert_eq!(
        read_document(text, DocumentOwner::Tenant).unwrap_err(),
        [
            "#/bounds",
            "#/reads",
            "#/policies/credentials",
            "#/addresses/exempt"
        ]
    );
    assert!(read_document(text, DocumentOwner::Operator).is_ok());
}

#[test]
fn bounds_apply_to_rates_bursts_and_switched_off_limits() {
    let operator = read_document(
        r#"{"bounds":{"player":{"quota":10,"burst":20}}}"#,
        DocumentOwner::Operator,
    )
    .unwrap();
    let within = |text: &str| {
        read_document(text, DocumentOwner::Tenant)
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
fn an_unreadable_stored_document_sets_no_limits() {
    for bytes in [&b"\xff"[..], b"{", br#"{"policies":{"future":{}}}"#] {
        assert_eq!(
            LimitsDocument::stored(bytes, DocumentOwner::Tenant),
            LimitsDocument::default()
        );
    }
}

#[test]
fn the_length_of_an_address_list_is_limited() {
    let list = vec!["\"192.0.2.1\""; MAX_RANGES + 1].join(",");
    let text = format!(r#"{{"addresses":{{"deny":[{list}]}}}}"#);
    assert_eq!(
        read_document(&text, DocumentOwner::Tenant).unwrap_err(),
        ["#/addresses/deny"]
    );
}
