//! The documents: kept with versions, read strictly.

use crate::in_process::environment::{Instance, Region, request};
use leaderboard_test_support::ADMIN_KEY;

fn service() -> Instance {
    Region::with_still_clock(false).instance()
}

#[test]
fn a_document_is_kept_with_a_version() {
    for path in ["/limits", "/operator/limits"] {
        let service = service();
        assert_eq!(service.call("GET", path, "").problem().1, "document-not-found");
        let body = r#"{"policies":{"player":{"quota":10,"window_s":1,"burst":10}},"addresses":{"deny":["192.0.2.0/24"]}}"#;
        let made = service.call("PUT", path, body);
        made.expect_status(201);
        let tag = made.header("etag");
        assert_eq!(made.text, body);
        let same = service.call("PUT", path, body);
        assert_eq!((same.status, same.header("etag")), (200, tag));
        let found = service.call("GET", path, "");
        assert_eq!((found.status, found.text.as_str()), (200, body));
        let with = |method: &str, name: &str, value: &str| {
            let request = request(method, path, "{}", &[("x-api-key", ADMIN_KEY), (name, value)]);
            service.answer(request)
        };
        with("GET", "if-none-match", tag).expect_status(304);
        assert_eq!(
            with("PUT", "if-match", "\"7\"").problem().1,
            "precondition-failed"
        );
        assert_eq!(
            with("PUT", "if-none-match", "*").problem().1,
            "precondition-failed"
        );
        let changed = with("PUT", "if-match", tag);
        changed.expect_status(200);
        assert_ne!(changed.header("etag"), tag);
        assert_eq!(with("DELETE", "if-match", tag).problem().1, "precondition-failed");
        service.call("DELETE", path, "").expect_status(204);
        assert_eq!(service.call("DELETE", path, "").problem().0, 404);
    }
}

#[test]
fn faults_are_answered_with_their_pointers() {
    let service = service();
    let place = |path: &str, body: &str| service.call("PUT", path, body).problem();
    let invalid = |pointer: &str| (422, "validation".to_owned(), pointer.to_owned());
    assert_eq!(
        place("/limits", r#"{"policies":{"player":{"quota":-1}}}"#),
        invalid("#/policies/player/quota")
    );
    assert_eq!(
        place("/limits", r#"{"policies":{"family:nothing":"off"}}"#),
        invalid("#/policies/family:nothing")
    );
    assert_eq!(
        place("/limits", r#"{"reads":{"limits":"off"}}"#),
        invalid("#/reads")
    );
    assert_eq!(place("/operator/limits", "[]"), invalid("#"));
    assert_eq!(
        place("/operator/limits", r#"{"addresses":{"allow":["10.0.0.0/99"]}}"#),
        invalid("#/addresses/allow/0")
    );
    assert_eq!(place("/limits", "{").0, 400);
}

#[test]
fn a_tenant_stays_within_the_operators_bounds() {
    let service = service();
    service.call("PUT", "/operator/limits", r#"{"bounds":{"player":{"quota":50}}}"#);
    let put = |body: &str| service.call("PUT", "/limits", body);
    assert_eq!(
        put(r#"{"policies":{"player":{"quota":51}}}"#).problem().2,
        "#/policies/player"
    );
    assert_eq!(put(r#"{"policies":{"player":"off"}}"#).problem().0, 422);
    put(r#"{"policies":{"player":{"quota":50}}}"#).expect_status(201);
}

#[test]
fn limits_need_a_credential() {
    let service = service();
    for path in ["/limits", "/operator/limits"] {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = service.answer(request(method, path, "{}", &[]));
            assert_eq!(answer.problem().1, "unauthenticated", "{method} {path}");
        }
    }
}
