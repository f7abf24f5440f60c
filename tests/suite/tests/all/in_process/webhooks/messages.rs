//! Tests of messages: their bodies, signatures and headers, and what administrators do with webhooks.

use futures::executor::block_on;
use leaderboard_core::TenantId;
use leaderboard_core::ports::{DocumentKind, Documents};
use leaderboard_identity::webhook_secret::WebhookSecret;
use serde_json::{Value, json};

use super::{
    HOOK, MINUTE_MS, answer_with, create_service, create_webhook, deliver, deliver_events, list_messages,
    read_status, submit, tick,
};
use crate::in_process::environment::{Instance, Posted, Region};

/// Returns the secrets of `secrets` that signed a message, in the order of its signatures.
fn signers<'s>(posted: &Posted, secrets: &[&'s str]) -> Vec<&'s str> {
    let (id, body) = (&posted.headers["webhook-id"], posted.body.as_bytes());
    let timestamp_s: i64 = posted.headers["webhook-timestamp"].parse().unwrap();
    let signed_by = |signature: &str| {
        let signs = |secret: &&&str| {
            let secret = WebhookSecret::parse(secret).unwrap();
            secret.sign(id, timestamp_s, body) == signature
        };
        *secrets.iter().find(signs).unwrap()
    };
    posted.headers["webhook-signature"]
        .split(' ')
        .map(signed_by)
        .collect()
}

#[test]
fn an_accepted_score_is_sent_once_as_a_signed_cloud_event() {
    let (service, secret) = create_service(&["score.accepted"]);
    service
        .call(
            "POST",
            "/leaderboards/b/scores",
            json!({"player": "ann", "score": 7, "id": "run-1", "metadata": {"car": "red"}}),
        )
        .expect_status(200);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].url, "https://hook.example/");
    assert_eq!(
        posted[0].headers["content-type"],
        "application/cloudevents+json; charset=utf-8"
    );
    assert_eq!(signers(&posted[0], &[&secret]), [secret.as_str()]);
    let event: Value = serde_json::from_str(&posted[0].body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], posted[0].headers["webhook-id"].as_str());
    assert_eq!(event["type"], "edgeboard.score.accepted");
    assert_eq!(event["source"], "/tenants/default/leaderboards/b");
    assert_eq!(event["subject"], "ann");
    assert_eq!(
        event["data"],
        json!({"leaderboard": "b", "period": "all", "position": 2, "player": "ann", "operator": "best", "values": [7],
            "metadata": {"car": "red"}, "occurred_at": event["time"], "id": "run-1", "kept": false})
    );
    assert!(deliver(&service).is_empty());
}

#[test]
fn a_webhook_gets_only_its_events_of_its_leaderboards_after_its_creation() {
    let service = Instance::new();
    for board in ["a", "b"] {
        service
            .call("PUT", &format!("/leaderboards/{board}"), "{}")
            .expect_status(201);
    }
    submit(&service, "early", 1);
    service.pass_ms(1);
    let body = json!({"url": "https://hook.example/", "events": ["score.accepted"], "leaderboards": ["b"]});
    service.call("PUT", HOOK, body).expect_status(201);
    create_webhook(&service, "bans", &["player.banned"]);
    submit(&service, "late", 2);
    service
        .call(
            "POST",
            "/leaderboards/a/scores",
            json!({"player": "x", "score": 1}),
        )
        .expect_status(200);
    // A leaderboard that is created later is followed, too, if it is named.
    let events = deliver_events(&service);
    let players: Vec<_> = events
        .iter()
        .map(|(_, data)| data["player"].as_str().unwrap())
        .collect();
    assert_eq!(players, ["late"]);
}

#[test]
fn a_leaderboard_that_is_deleted_and_created_again_is_followed() {
    let (service, _) = create_service(&["score.accepted"]);
    for n in 0..3 {
        submit(&service, "old", n);
    }
    assert_eq!(deliver_events(&service).len(), 3);
    service.call("DELETE", "/leaderboards/b", "").expect_status(204);
    tick(&service);
    service.pass_ms(1);
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    submit(&service, "new", 1);
    let events = deliver_events(&service);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1["player"], "new");
}

#[test]
fn a_rotated_secret_signs_beside_the_replaced_one_until_the_overlap_ends() {
    let (service, first) = create_service(&["score.accepted"]);
    let rotated = service.call("POST", "/webhooks/hook/rotate", json!({"overlap_s": 60}));
    let second = rotated.expect_status(200)["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    submit(&service, "p", 1);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(signers(&posted[0], &[&first, &second]), [second.as_str(), &first]);
    service.pass_ms(MINUTE_MS);
    submit(&service, "p", 2);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(signers(&posted[0], &[&first, &second]), [second.as_str()]);
    // Without an overlap, the replaced secret ends at once.
    let rotated = service.call("POST", "/webhooks/hook/rotate", json!({"overlap_s": 0}));
    let third = rotated.expect_status(200)["secret"].as_str().unwrap().to_owned();
    submit(&service, "p", 3);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(signers(&posted[0], &[&second, &third]), [third.as_str()]);
}

#[test]
fn the_secret_is_in_the_response_that_creates_the_webhook_alone() {
    let (service, secret) = create_service(&["score.accepted"]);
    let body = json!({"url": "https://other.example/", "events": ["score.accepted"]});
    let replaced = service.call("PUT", HOOK, body).expect_status(200);
    assert_eq!(replaced["secret"], Value::Null);
    let read = service.call("GET", HOOK, "").expect_status(200);
    assert_eq!(
        (&read["secret"], &read["url"]),
        (&Value::Null, &json!("https://other.example/"))
    );
    submit(&service, "p", 1);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(posted[0].url, "https://other.example/");
    assert_eq!(signers(&posted[0], &[&secret]), [secret.as_str()]);
}

#[test]
fn a_ping_is_sent_at_once_and_not_tried_again() {
    let (service, _) = create_service(&["score.accepted"]);
    answer_with(&service, &[500]);
    let attempt = service.call("POST", "/webhooks/hook/ping", "").expect_status(200);
    assert_eq!(
        (&attempt["delivered"], &attempt["status"], &attempt["event"]),
        (&json!(false), &json!(500), &json!("webhook.ping"))
    );
    let posted = service.web.posted.take();
    let event: Value = serde_json::from_str(&posted[0].body).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]),
        (&json!("edgeboard.webhook.ping"), &json!({"webhook": "hook"}))
    );
    service.pass_ms(MINUTE_MS);
    assert!(deliver(&service).is_empty());
    service
        .call("POST", "/webhooks/none/ping", "")
        .expect_problem(404, "webhook-not-found", "");
}

#[test]
fn a_paused_webhook_gets_what_happened_meanwhile_when_it_is_active_again() {
    let (service, _) = create_service(&["score.accepted"]);
    let document = |active: bool| json!({"url": "https://hook.example/", "events": ["score.accepted"], "active": active});
    service.call("PUT", HOOK, document(false)).expect_status(200);
    submit(&service, "p", 1);
    assert!(deliver(&service).is_empty());
    assert_eq!(read_status(&service)["state"], "paused");
    service.call("PUT", HOOK, document(true)).expect_status(200);
    assert_eq!(deliver_events(&service).len(), 1);
}

#[test]
fn a_deleted_webhook_leaves_nothing_to_one_that_is_created_with_its_id() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_with(&service, &[500]);
    deliver(&service);
    assert_eq!(list_messages(&service).len(), 1);
    service.call("DELETE", HOOK, "").expect_status(204);
    service
        .call("GET", HOOK, "")
        .expect_problem(404, "webhook-not-found", "");
    service.pass_ms(1);
    create_webhook(&service, "hook", &["score.accepted"]);
    service.pass_ms(MINUTE_MS);
    assert!(deliver(&service).is_empty());
    assert_eq!(list_messages(&service), [] as [Value; 0]);
    submit(&service, "q", 1);
    assert_eq!(deliver_events(&service).len(), 1);
}

#[test]
fn what_a_deleted_webhook_leaves_in_the_store_is_removed() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "p", 1);
    answer_with(&service, &[500]);
    deliver(&service);
    service.call("DELETE", HOOK, "").expect_status(204);
    let tenant = TenantId::new("default").unwrap();
    for _ in 0..3 {
        service.pass_ms(MINUTE_MS);
        tick(&service);
    }
    for (owner, kind) in [
        (None, DocumentKind::WebhookTurn),
        (Some(&tenant), DocumentKind::WebhookState),
        (Some(&tenant), DocumentKind::WebhookDelivery),
    ] {
        let mut left = block_on(service.store.list_documents(owner, kind, None, 10)).unwrap();
        // The tenant has one document with the places of its webhooks.
        left.retain(|(id, _)| &**id != "/places");
        assert!(left.is_empty(), "{kind:?} {left:?}");
    }
}

#[test]
fn private_hosts_and_plain_http_are_refused_unless_the_operator_allows_them() {
    let create = |allowed: bool, url: &str| {
        let options = Region::with_options().settings(|settings| settings.private_webhook_hosts = allowed);
        let body = json!({"url": url, "events": ["score.accepted"]});
        options.instance().call("PUT", HOOK, body)
    };
    for url in [
        "https://127.0.0.1/",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://ops.spin.internal/",
        "https://2130706433/",
        "http://hooks.example.com/",
        "http://127.0.0.1:8787/",
    ] {
        create(false, url).expect_problem(422, "validation", "#/url");
    }
    create(false, "https://hooks.example.com/x?y=1").expect_status(201);
    create(true, "http://127.0.0.1:8787/").expect_status(201);
    create(true, "https://10.0.0.1/x").expect_status(201);
    // Plain HTTP leaves this machine in no case.
    create(true, "http://hooks.example.com/").expect_problem(422, "validation", "#/url");
}

#[test]
fn a_private_host_gets_nothing_after_the_operator_has_forbidden_it() {
    let region = Region::with_options().region();
    let service = region.instance();
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    let body = json!({"url": "https://10.0.0.1/", "events": ["score.accepted"]});
    service.call("PUT", HOOK, body).expect_status(201);
    submit(&service, "p", 1);
    let strict =
        region.instance_with(|options| options.settings(|settings| settings.private_webhook_hosts = false));
    answer_with(&strict, &[200]);
    assert!(deliver(&strict).is_empty());
    assert_eq!(read_status(&strict)["consecutive_failures"], 1);
}

#[test]
fn bad_documents_are_refused_with_their_fields() {
    let service = Instance::new();
    let put = |body: Value| service.call("PUT", HOOK, body);
    let event = json!(["score.accepted"]);
    for (body, pointer) in [
        (json!({"events": event}), "#/url"),
        (json!({"url": "x", "events": event}), "#/url"),
        (json!({"url": "https://a.example/", "events": []}), "#/events"),
        (
            json!({"url": "https://a.example/", "events": ["score.lost"]}),
            "#/events/0",
        ),
        (
            json!({"url": "https://a.example/", "events": event, "top": 0}),
            "#/top",
        ),
        (
            json!({"url": "https://a.example/", "events": event, "top": 101}),
            "#/top",
        ),
        (
            json!({"url": "https://a.example/", "events": event, "leaderboards": ["A"]}),
            "#/leaderboards/0",
        ),
        (
            json!({"url": "https://a.example/", "events": event, "secret": "x"}),
            "#/secret",
        ),
    ] {
        put(body).expect_problem(422, "validation", pointer);
    }
    let long = "a".repeat(33);
    let body = json!({"url": "https://a.example/", "events": event});
    service
        .call("PUT", &format!("/webhooks/{long}"), &body)
        .expect_problem(400, "invalid-parameter", "webhook");
    for n in 0..20 {
        service
            .call("PUT", &format!("/webhooks/w{n}"), &body)
            .expect_status(201);
    }
    service
        .call("PUT", "/webhooks/w20", &body)
        .expect_problem(409, "quota-reached", "");
    service.call("PUT", "/webhooks/w0", &body).expect_status(200);
}
