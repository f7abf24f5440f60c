//! Tests of stored messages that cannot be read, and of lists that are full.

use futures::executor::block_on;
use leaderboard_core::TenantId;
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use serde_json::{Value, json};

use super::{
    HOOK, MINUTE_MS, answer_with, create_service, deliver, list_messages, read_status, submit, tick,
};
use crate::in_process::environment::Instance;

/// Changes the stored document of a webhook, or of one of its messages.
fn change_document(service: &Instance, kind: DocumentKind, id: &str, change: impl FnOnce(&mut Value)) {
    let name = DocumentName {
        tenant: Some(TenantId::new("default").unwrap()),
        kind,
        id: id.into(),
    };
    let stored = block_on(service.store.read_document(&name)).unwrap().unwrap();
    let mut document = serde_json::from_slice(&stored.value).unwrap();
    change(&mut document);
    let body = document.to_string();
    let put = service.store.put_document(&name, body.as_bytes(), Expected::Any);
    block_on(put).unwrap().unwrap();
}

/// Lets two messages wait for their second attempt. Returns their ids.
fn fail_twice(service: &Instance) -> [String; 2] {
    submit(service, "ann", 1);
    submit(service, "bob", 2);
    answer_with(service, &[500, 500]);
    tick(service);
    let listed = list_messages(service);
    [0, 1].map(|at| listed[at]["id"].as_str().unwrap().to_owned())
}

fn rename_event(service: &Instance, message: &str, event: &str) {
    let id = format!("hook/{message}");
    change_document(service, DocumentKind::WebhookDelivery, &id, |document| {
        document["event"] = json!(event);
    });
}

#[test]
fn a_message_that_cannot_be_read_is_set_aside_and_replayed_after_an_update() {
    let (service, _) = create_service(&["score.accepted"]);
    let [unreadable, other] = fail_twice(&service);
    rename_event(&service, &unreadable, "event.of.the.future");
    service.pass_ms(MINUTE_MS);
    answer_with(&service, &[200]);
    let posted = deliver(&service);
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].headers["webhook-id"], other);
    let status = read_status(&service);
    assert_eq!((&status["pending"], &status["dead"]), (&json!(0), &json!(1)));
    let listed = list_messages(&service);
    let fields = ["id", "state", "event", "body"].map(|field| listed[0][field].clone());
    assert_eq!(
        fields,
        [json!(unreadable), json!("dead"), json!(null), json!(null)]
    );
    let replay = format!("{HOOK}/deliveries/{unreadable}/replay");
    let refused = service.call("POST", &replay, "");
    refused.expect_problem(409, "not-replayable", "");
    // An instance of the newer version can read it.
    rename_event(&service, &unreadable, "score.accepted");
    service.call("POST", &replay, "").expect_status(202);
    answer_with(&service, &[200]);
    assert_eq!(deliver(&service)[0].headers["webhook-id"], unreadable);
    assert_eq!(read_status(&service)["dead"], 0);
}

#[test]
fn an_erasure_deletes_a_message_that_cannot_be_read_and_names_the_player() {
    let (service, _) = create_service(&["score.accepted"]);
    for message in fail_twice(&service) {
        rename_event(&service, &message, "event.of.the.future");
    }
    service.call("DELETE", "/players/ann", "").expect_status(204);
    assert_eq!(list_messages(&service).len(), 1);
    service.call("DELETE", "/players/bob", "").expect_status(204);
    assert_eq!(list_messages(&service).len(), 0);
}

#[test]
fn a_replay_that_finds_no_room_changes_nothing() {
    let (service, _) = create_service(&["score.accepted"]);
    let [message, _] = fail_twice(&service);
    change_document(&service, DocumentKind::WebhookState, "hook", |state| {
        state["changed"] = (0..1_000).map(|n| json!(n.to_string())).collect();
    });
    let before = list_messages(&service);
    let full = service.call("POST", &format!("{HOOK}/deliveries/{message}/replay"), "");
    full.expect_problem(503, "queue-full", "");
    assert_eq!(list_messages(&service), before);
}

#[test]
fn a_place_without_a_webhook_is_free_after_a_minute() {
    let service = Instance::new();
    let create = |id: &str| {
        let body = json!({"url": "https://hook.example/", "events": ["score.accepted"]});
        service.call("PUT", &format!("/webhooks/{id}"), body)
    };
    for n in 0..20 {
        create(&format!("hook-{n}")).expect_status(201);
    }
    create("more").expect_problem(409, "quota-reached", "");
    service.call("DELETE", "/webhooks/hook-7", "").expect_status(204);
    service.pass_ms(MINUTE_MS);
    create("more").expect_status(201);
    create("hook-7").expect_problem(409, "quota-reached", "");
}

#[test]
fn a_run_continues_after_the_turns_that_the_last_one_looked_at() {
    let (service, _) = create_service(&["score.accepted"]);
    submit(&service, "ann", 1);
    // Their tenants come before the tenant `default` in the list of turns, and they are due in the far future.
    let not_due = json!({"next_ms": i64::MAX}).to_string();
    for n in 0..10_000 {
        let name = DocumentName {
            tenant: None,
            kind: DocumentKind::WebhookTurn,
            id: format!("acme-{n}/hook").into(),
        };
        let put = service
            .store
            .put_document(&name, not_due.as_bytes(), Expected::Absent);
        block_on(put).unwrap().unwrap();
    }
    let delivered = [0, 1, 2, 3].map(|n| {
        submit(&service, "bob", n);
        answer_with(&service, &[200, 200]);
        deliver(&service).len()
    });
    assert_eq!(delivered, [0, 3, 0, 2]);
}
