//! Configurations over HTTP.

use crate::service::Service;

const GOALS: &str = "/leaderboards/goals";

#[test]
fn a_leaderboard_is_created_replaced_read_and_deleted() {
    let service = Service::new();
    let created = service.call("PUT", GOALS, r#"{"title":"Goals","operator":"increment"}"#);
    assert_eq!(
        (created.status, created.header("location")),
        (201, "/api/v1/leaderboards/goals")
    );
    assert_eq!(
        created.text,
        r#"{"id":"goals","title":"Goals","columns":[{"name":"score","order":"desc"}],"operator":"increment","operator_override":false,"ties":"earliest","reset":null,"keep_periods":12,"starts_at":null,"ends_at":null,"limits":{"min":null,"max":null,"max_change":null,"max_attempts":null,"max_entries":null},"access":{"read":"public","write":"server"},"cache":{"lifetime_ms":5000,"stale_ms":5000,"stale_if_error_ms":300000,"strategy":"aside","warm":[{"view":"entries","limit":10}]}}"#
    );
    let read = service.call("GET", GOALS, "");
    assert_eq!(
        (&read.text, read.header("etag")),
        (&created.text, created.header("etag"))
    );
    let same = service.call("PUT", GOALS, &read.text);
    assert_eq!((same.status, same.header("etag")), (200, read.header("etag")));
    let replaced = service.call("PUT", GOALS, "{}");
    assert_eq!(
        (replaced.status, replaced.json()["title"].as_str()),
        (200, Some(""))
    );
    assert_ne!(replaced.header("etag"), read.header("etag"));
    let deleted = service.call("DELETE", GOALS, "");
    assert_eq!(
        (deleted.status, deleted.headers.contains_key("content-length")),
        (204, false)
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(
            service.call(method, GOALS, "").problem().1,
            "leaderboard-not-found"
        );
    }
}

#[test]
fn preconditions_hold_or_nothing_is_changed() {
    let service = Service::new();
    let put = |headers: &[(&str, &str)]| service.with("PUT", GOALS, "{}", headers);
    assert_eq!(put(&[("if-match", "*")]).problem().1, "precondition-failed");
    let created = put(&[("if-none-match", "*")]);
    assert_eq!(created.status, 201);
    let tag = created.header("etag").to_owned();
    assert_eq!(put(&[("if-none-match", "*")]).status, 412);
    assert_eq!(put(&[("if-match", "\"999\"")]).status, 412);
    assert_eq!(put(&[("if-match", "nonsense")]).problem().2, "If-Match");
    assert_eq!(put(&[("if-match", &format!("\"999\", {tag}"))]).status, 200);
    let get = |headers: &[(&str, &str)]| service.with("GET", GOALS, "", headers);
    let unchanged = get(&[("if-none-match", &format!("W/{tag}"))]);
    assert_eq!(
        (
            unchanged.status,
            unchanged.header("etag"),
            unchanged.text.as_str()
        ),
        (304, tag.as_str(), "")
    );
    assert_eq!(get(&[("if-none-match", "\"999\"")]).status, 200);
    assert_eq!(get(&[("if-match", "\"999\"")]).status, 412);
    assert_eq!(
        service
            .with("DELETE", GOALS, "", &[("if-match", "\"999\"")])
            .status,
        412
    );
    assert_eq!(
        service
            .with("PATCH", GOALS, "{}", &[("if-match", "\"999\"")])
            .status,
        412
    );
    assert_eq!(
        service.with("DELETE", GOALS, "", &[("if-match", &tag)]).status,
        204
    );
}

#[test]
fn a_merge_patch_changes_what_it_names() {
    let service = Service::new();
    service.call("PUT", GOALS, r#"{"title":"Goals","limits":{"min":0,"max":10}}"#);
    let patch = |body: &str| {
        let headers = [
            ("x-api-key", crate::service::KEY),
            ("content-type", "application/merge-patch+json"),
        ];
        service.raw("PATCH", GOALS, body, &headers)
    };
    let patched = patch(r#"{"title":null,"limits":{"max":20,"min":null},"ties":"shared"}"#).json();
    assert_eq!(patched["title"], "");
    assert_eq!(patched["limits"]["max"], 20);
    assert!(patched["limits"]["min"].is_null());
    assert_eq!(patched["ties"], "shared");
    assert_eq!(patch(r#"{"limits":{"min":30}}"#).problem().2, "#/limits/min");
    assert_eq!(patch(r#"{"id":"other"}"#).problem().2, "#/id");
    assert_eq!(patch("[]").problem().2, "#");
    assert_eq!(service.call("GET", GOALS, "").json(), patched);
}

#[test]
fn an_order_with_entries_changes_by_a_rebuild_alone() {
    let service = Service::new();
    service.call("PUT", GOALS, "{}");
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"p","score":1}"#,
    );
    let body = r#"{"columns":[{"name":"score","order":"asc"}]}"#;
    let refused = service.call("PUT", GOALS, body);
    assert_eq!(
        refused.problem(),
        (409, "rebuild-needed".to_owned(), "#/columns".to_owned())
    );
    assert_eq!(refused.json()["errors"][1]["pointer"], "#/ties");
    assert_eq!(
        service
            .call("PUT", "/leaderboards/goals?rebuild=true", body)
            .status,
        200
    );
    assert_eq!(
        service
            .call("PUT", "/leaderboards/goals?rebuild=1", body)
            .problem()
            .2,
        "rebuild"
    );
}

#[test]
fn leaderboards_are_listed_page_by_page() {
    let service = Service::new();
    for id in ["c", "a", "b"] {
        service.call("PUT", &format!("/leaderboards/{id}"), "{}");
    }
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let list = page["leaderboards"].as_array().unwrap();
        list.iter()
            .map(|board| board["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = service.call("GET", "/leaderboards?limit=2", "").json();
    assert_eq!(ids(&first), ["a", "b"]);
    let next = first["next"].as_str().unwrap();
    let second = service
        .call("GET", &format!("/leaderboards?limit=2&cursor={next}"), "")
        .json();
    assert_eq!(ids(&second), ["c"]);
    assert!(second["next"].is_null());
    assert!(service.call("GET", "/leaderboards?limit=3", "").json()["next"].is_null());
    assert_eq!(
        service.call("GET", "/leaderboards?cursor=%2A", "").problem().1,
        "invalid-cursor"
    );
}

#[test]
fn tenants_do_not_see_each_other() {
    let service = Service::new();
    service.with("PUT", GOALS, "{}", &[("x-tenant-id", "acme")]);
    assert_eq!(service.call("GET", GOALS, "").status, 404);
    let theirs = service.with("GET", GOALS, "", &[("x-tenant-id", "acme")]);
    assert_eq!((theirs.status, theirs.log.tenant.as_deref()), (200, Some("acme")));
    assert_eq!(
        service
            .with("GET", GOALS, "", &[("x-tenant-id", "A B")])
            .problem()
            .2,
        "X-Tenant-ID"
    );
}

#[test]
fn what_is_no_id_is_named() {
    let service = Service::new();
    let answer = service.call("PUT", "/leaderboards/Goals", "{}");
    assert_eq!(
        answer.problem(),
        (400, "invalid-parameter".to_owned(), "leaderboard".to_owned())
    );
}
