//! The documents: kept with versions, read strictly.

use crate::limits::world::{Instance, Region};
use crate::service::KEY;

fn service() -> Instance {
    Region::new(false).instance("")
}

#[test]
fn a_document_is_kept_with_a_version() {
    for path in ["/limits", "/operator/limits"] {
        let service = service();
        assert_eq!(
            service.operator("GET", path, "").problem().1,
            "document-not-found"
        );
        let body = r#"{"policies":{"player":{"quota":10,"window_s":1,"burst":10}},"addresses":{"deny":["192.0.2.0/24"]}}"#;
        let made = service.operator("PUT", path, body);
        assert_eq!(made.status, 201);
        let tag = made.header("etag");
        assert_eq!(made.text, body);
        let same = service.operator("PUT", path, body);
        assert_eq!((same.status, same.header("etag")), (200, tag));
        let found = service.operator("GET", path, "");
        assert_eq!((found.status, found.text.as_str()), (200, body));
        let with = |method: &str, name: &str, value: &str| {
            let request = Instance::request(method, path, "{}", &[("x-api-key", KEY), (name, value)]);
            service.answer(request)
        };
        assert_eq!(with("GET", "if-none-match", tag).status, 304);
        assert_eq!(
            with("PUT", "if-match", "\"7\"").problem().1,
            "precondition-failed"
        );
        assert_eq!(
            with("PUT", "if-none-match", "*").problem().1,
            "precondition-failed"
        );
        let changed = with("PUT", "if-match", tag);
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), tag);
        assert_eq!(with("DELETE", "if-match", tag).problem().1, "precondition-failed");
        assert_eq!(service.operator("DELETE", path, "").status, 204);
        assert_eq!(service.operator("DELETE", path, "").problem().0, 404);
    }
}

#[test]
fn what_is_wrong_is_answered_with_its_place() {
    let service = service();
    let place = |path: &str, body: &str| service.operator("PUT", path, body).problem();
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
    service.operator("PUT", "/operator/limits", r#"{"bounds":{"player":{"quota":50}}}"#);
    let put = |body: &str| service.operator("PUT", "/limits", body);
    assert_eq!(
        put(r#"{"policies":{"player":{"quota":51}}}"#).problem().2,
        "#/policies/player"
    );
    assert_eq!(put(r#"{"policies":{"player":"off"}}"#).problem().0, 422);
    assert_eq!(put(r#"{"policies":{"player":{"quota":50}}}"#).status, 201);
}

#[test]
fn nobody_else_reads_or_sets_them() {
    let service = service();
    for path in ["/limits", "/operator/limits"] {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = service.answer(Instance::request(method, path, "{}", &[]));
            assert_eq!(answer.problem().1, "unauthenticated", "{method} {path}");
        }
    }
}
