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
        r#"{"id":"goals","title":"Goals","columns":[{"name":"score","order":"desc"}],"operator":"increment","operator_override":false,"ties":"earliest","reset":null,"reset_takes_effect_at":null,"keep_periods":12,"starts_at":null,"ends_at":null,"limits":{"min":null,"max":null,"max_change":null,"max_attempts":null,"max_entries":null},"access":{"read":"public","write":"server"},"cache":{"lifetime_ms":5000,"stale_ms":5000,"stale_if_error_ms":300000,"strategy":"aside","warm":[{"view":"entries","limit":10}]},"log":{"keep_events":100000,"keep_days":30}}"#
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

#[test]
fn deleting_what_is_not_there_touches_no_key_and_is_not_announced() {
    let service = Service::announcing();
    let costs = || {
        (
            service.region.deletes.get(),
            service.region.puts.get(),
            service.store.announcements.get(),
        )
    };
    let before = costs();
    for n in 0..20 {
        let answer = service.call("DELETE", &format!("/leaderboards/none{n}"), "");
        assert_eq!(answer.problem().1, "leaderboard-not-found");
        let guarded = service.with("DELETE", GOALS, "", &[("if-match", "*")]);
        assert_eq!(guarded.problem().1, "leaderboard-not-found");
    }
    assert_eq!(costs(), before);
    service.call("PUT", GOALS, "{}");
    let before = costs();
    assert_eq!(service.call("DELETE", GOALS, "").status, 204);
    let after = costs();
    assert!(after.0 > before.0, "{before:?} {after:?}");
    assert_eq!(after.2, before.2 + 1);
}

#[test]
fn a_rebuild_goes_on_step_by_step_within_its_request() {
    let service = Service::new();
    service.call("PUT", GOALS, "{}");
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"p","score":1}"#,
    );
    let body = r#"{"ties":"dense"}"#;
    // As many steps as the largest rebuild has.
    service.store.rebuild_steps.set(100);
    let rebuilt = service.call("PUT", "/leaderboards/goals?rebuild=true", body);
    assert_eq!((rebuilt.status, service.store.rebuild_steps.get()), (200, 0));
    // One that does not come to its end, because it is made to begin again and again.
    service.store.rebuild_steps.set(1_000);
    for (method, body) in [("PUT", r#"{"ties":"latest"}"#), ("PATCH", r#"{"ties":"latest"}"#)] {
        let before = service.store.rebuild_steps.get();
        let refused = service.call(method, "/leaderboards/goals?rebuild=true", body);
        assert_eq!(refused.problem(), (503, "rebuilding".into(), String::new()));
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(before - service.store.rebuild_steps.get(), 400);
    }
    assert_eq!(service.call("GET", GOALS, "").json()["ties"], "dense");
}

#[test]
fn a_score_that_meets_a_rebuild_is_to_be_sent_again() {
    let service = Service::new();
    service.call("PUT", GOALS, "{}");
    service.store.is_rebuilding.set(true);
    let score = r#"{"player":"p","score":1}"#;
    let refused = service.call("POST", "/leaderboards/goals/scores", score);
    assert_eq!(refused.problem(), (503, "rebuilding".into(), String::new()));
    assert_eq!(refused.header("retry-after"), "1");
    let batch = format!(r#"{{"scores":[{score}]}}"#);
    let answer = service.call("POST", "/leaderboards/goals/scores", &batch);
    let result = &answer.json()["results"][0];
    assert_eq!((answer.status, result["status_code"].as_u64()), (207, Some(503)));
    service.store.is_rebuilding.set(false);
    assert_eq!(
        service.call("POST", "/leaderboards/goals/scores", score).status,
        200
    );
}

#[test]
fn what_a_deleted_leaderboard_leaves_is_swept_after_the_response() {
    let service = Service::new();
    for (left, swept) in [(0, 1), (7, 8), (5_000, 1_000)] {
        service.call("PUT", GOALS, "{}");
        service.store.sweeps.set(0);
        service.store.sweeps_left.set(left);
        assert_eq!(service.call("DELETE", GOALS, "").status, 204);
        assert_eq!(service.store.sweeps.get(), swept);
    }
    service.store.sweeps.set(0);
    assert_eq!(service.call("DELETE", GOALS, "").status, 404);
    assert_eq!(service.store.sweeps.get(), 0);
}

#[test]
fn readers_know_of_a_public_leaderboard_what_they_need_and_no_more() {
    let service = Service::new();
    let document = r#"{"title":"Goals","ties":"shared","reset":{"cron":"0 0 * * 1","time_zone":"UTC"},"limits":{"max":7}}"#;
    assert_eq!(service.call("PUT", GOALS, document).status, 201);
    let known = r#"{"id":"goals","title":"Goals","columns":[{"name":"score","order":"desc"}],"ties":"shared","current_period":{"id":"2026-07-13T00:00:00Z","starts_at":"2026-07-13T00:00:00.000Z","ends_at":"2026-07-20T00:00:00.000Z"},"next_reset":"2026-07-20T00:00:00.000Z"}"#;
    let read = service.anonymous("GET", GOALS);
    assert_eq!((read.status, read.text.as_str()), (200, known));
    let list = service.anonymous("GET", "/leaderboards");
    assert_eq!(list.text, format!(r#"{{"leaderboards":[{known}],"next":null}}"#));
    let second = service.at("GET", "/api/v2/leaderboards/goals", "", &[]);
    assert_eq!((second.status, second.text.as_str()), (200, known));
    // An administrator is told all of it, under another tag, and no shared cache keeps either.
    let whole = service.call("GET", GOALS, "");
    assert_eq!(whole.json()["limits"]["max"], 7);
    assert_ne!(whole.header("etag"), read.header("etag"));
    for answer in [&read, &list, &whole, &service.call("GET", "/leaderboards", "")] {
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert_eq!(answer.header("cdn-cache-control"), "");
    }
    let tag = read.header("etag");
    let again = service.raw("GET", GOALS, "", &[("if-none-match", tag)]);
    assert_eq!((again.status, again.header("etag")), (304, tag));
    assert_eq!(
        service.with("GET", GOALS, "", &[("if-none-match", tag)]).status,
        200
    );
    let unchanged = service.with("GET", GOALS, "", &[("if-none-match", whole.header("etag"))]);
    assert_eq!(unchanged.status, 304);
}

#[test]
fn what_is_known_of_a_leaderboard_changes_with_its_period() {
    let service = Service::new();
    let daily = r#"{"reset":{"cron":"0 0 * * *","time_zone":"UTC"}}"#;
    assert_eq!(service.call("PUT", GOALS, daily).status, 201);
    service.settle();
    service.pass_ms(2_000);
    let before = service.anonymous("GET", GOALS);
    service.settle();
    service.pass_ms(500);
    assert!(
        service
            .anonymous("GET", GOALS)
            .header("cache-status")
            .contains("hit")
    );
    // It is three hours before midnight.
    service.pass_ms(3 * 3_600_000);
    let after = service.anonymous("GET", GOALS);
    assert_eq!(after.json()["current_period"]["id"], "2026-07-20T00:00:00Z");
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(service.call("PATCH", GOALS, r#"{"title":"Now"}"#).status, 200);
    assert_eq!(service.anonymous("GET", GOALS).json()["title"], "Now");
}

#[test]
fn without_a_credential_a_private_leaderboard_is_none() {
    let service = Service::new();
    for (id, read) in [
        ("a", "private"),
        ("b", "public"),
        ("c", "private"),
        ("d", "public"),
        ("e", "private"),
    ] {
        let document = format!(r#"{{"access":{{"read":"{read}"}}}}"#);
        assert_eq!(
            service
                .call("PUT", &format!("/leaderboards/{id}"), &document)
                .status,
            201
        );
    }
    let shut = r#"{"access":{"read":"private"}}"#;
    assert_eq!(service.call("PUT", "/leaderboards/shut.tight", shut).status, 201);
    let ids = |answer: &crate::service::Answer| {
        let list = answer.json();
        let listed = list["leaderboards"].as_array().unwrap().iter();
        let ids: Vec<String> = listed.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (ids.concat(), list["next"].as_str().map(str::to_owned))
    };
    assert_eq!(
        ids(&service.anonymous("GET", "/leaderboards")),
        ("bd".to_owned(), None)
    );
    assert_eq!(
        ids(&service.call("GET", "/leaderboards", "")).0,
        "abcdeshut.tight"
    );
    let (first, next) = ids(&service.anonymous("GET", "/leaderboards?limit=1"));
    assert_eq!(first, "b");
    let second = service.anonymous("GET", &format!("/leaderboards?limit=1&cursor={}", next.unwrap()));
    assert_eq!(ids(&second), ("d".to_owned(), None));
    let told = |id: &str| {
        let answer = service.anonymous("GET", &format!("/leaderboards/{id}"));
        let mut problem = answer.json();
        problem["instance"] = serde_json::Value::Null;
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (answer.status, problem.to_string().replace(id, ""), names)
    };
    assert_eq!(told("shut.tight"), told("not.there"));
    assert_eq!(told("shut.tight"), told("not.there"), "asked again, too");
    assert_eq!(told("b").0, 200);
}

#[test]
fn no_cursor_names_a_leaderboard_that_its_reader_may_not_read() {
    let service = Service::new();
    for id in ["a", "z"] {
        let open = r#"{"access":{"read":"public"}}"#;
        assert_eq!(
            service.call("PUT", &format!("/leaderboards/{id}"), open).status,
            201
        );
    }
    let shut = r#"{"access":{"read":"private"}}"#;
    for n in 0..40 {
        let path = format!("/leaderboards/secret{n}");
        assert_eq!(service.call("PUT", &path, shut).status, 201);
    }
    let first = service.anonymous("GET", "/leaderboards?limit=1").json();
    assert_eq!(first["leaderboards"][0]["id"], "a");
    let next = format!("/leaderboards?limit=1&cursor={}", first["next"].as_str().unwrap());
    let second = service.anonymous("GET", &next).json();
    assert_eq!(second["leaderboards"][0]["id"], "z");
    assert_eq!(second["next"], serde_json::Value::Null);
}
