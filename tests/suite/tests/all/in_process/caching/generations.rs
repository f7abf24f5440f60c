//! A change of a tenant's configuration holds in the whole region once its response is sent.

use futures::executor::block_on;
use leaderboard_responses::apply_change_message;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, request};

fn region() -> [Instance; 3] {
    let service = Instance::new();
    // Those who change something wait until it shows.
    service.pauses_take_time.set(true);
    let put = service.call("PUT", "/leaderboards/goals", "{}");
    assert_eq!(put.status, 201);
    [service.beside(), service.beside(), service]
}

fn flags(value: i64) -> String {
    let flag = json!({"state": "ENABLED", "variants": {"now": value}, "defaultVariant": "now"});
    json!({"flags": {"number": flag}}).to_string()
}

/// As it goes out, before anything else has happened.
fn ask(service: &Instance, method: &str, path: &str, body: &str) -> Answer {
    let answer = service.answer(request(method, path, body, &[("x-api-key", ADMIN_KEY)]));
    service.settle();
    answer
}

fn value(service: &Instance) -> Value {
    let answer = ask(
        service,
        "POST",
        "/ofrep/v1/evaluate/flags/number",
        r#"{"context":{}}"#,
    );
    answer.json()["value"].take()
}

fn put(service: &Instance, path: &str, body: &str) {
    let answer = ask(service, "PUT", path, body);
    assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
}

#[test]
fn a_first_document_and_every_later_one_shows_at_once_in_every_instance() {
    for path in ["/api/v1/flags", "/api/v1/operator/flags"] {
        let region = region();
        for instance in &region {
            assert_eq!(value(instance), Value::Null);
        }
        for n in 0..20 {
            put(&region[n % 3], path, &flags(n.try_into().unwrap()));
            for instance in region.iter().cycle().take(7) {
                assert_eq!(value(instance), json!(n), "{path}");
            }
            assert_eq!(value(&region[0].beside()), json!(n), "a new instance");
        }
        let gone = ask(&region[1], "DELETE", path, "");
        assert_eq!(gone.status, 204);
        for instance in &region {
            assert_eq!(value(instance), Value::Null);
        }
    }
}

#[test]
fn limits_and_records_of_tenants_show_at_once() {
    let [one, two, three] = region();
    let score = r#"{"player":"p","score":1}"#;
    let submit =
        |instance: &Instance| ask(instance, "POST", "/api/v1/leaderboards/goals/scores", score).status;
    let read = |instance: &Instance| instance.anonymous("/leaderboards/goals/entries").status;
    for instance in [&one, &two, &three] {
        assert_eq!((submit(instance), read(instance)), (200, 200));
    }
    for (suspended, status) in [("suspended", 403), ("active", 200)] {
        put(
            &one,
            "/api/v1/tenants/default",
            &json!({"state": suspended}).to_string(),
        );
        for instance in [&two, &three, &one] {
            assert_eq!(read(instance), status, "{suspended}");
        }
    }
    let deny = json!({"addresses": {"deny": ["0.0.0.0/0", "::/0"]}});
    put(&two, "/api/v1/limits", &deny.to_string());
    for instance in [&one, &three, &two] {
        let asked = [("spin-client-addr", "192.0.2.1:5000")];
        let answer = instance.send("GET", "/leaderboards/goals/entries", "", &asked);
        assert_eq!(answer.problem().1, "address-denied");
    }
}

#[test]
fn a_late_write_of_an_old_document_is_not_used() {
    let [one, two, three] = region();
    put(&one, "/api/v1/flags", &flags(1));
    assert_eq!((value(&two), value(&three)), (json!(1), json!(1)));
    // An instance that read the slot before the change puts it after the change.
    let entries = one.key_value.entries.borrow().clone();
    let mut slots = entries
        .into_iter()
        .filter(|(key, _)| key.starts_with("documents:tenant:"));
    *one.key_value.overwrites.borrow_mut() = slots.next();
    put(&one, "/api/v1/flags", &flags(2));
    assert_eq!(*one.key_value.overwrites.borrow(), None);
    for instance in [&one, &two, &three, &one.beside()] {
        assert_eq!(value(instance), json!(2));
    }
}

#[test]
fn a_change_message_shows_in_every_instance_of_another_region() {
    let [one, ..] = region();
    put(&one, "/api/v1/flags", &flags(1));
    let far = one.elsewhere();
    let far = [far.beside(), far];
    for instance in &far {
        assert_eq!(value(instance), json!(1));
    }
    put(&one, "/api/v1/flags", &flags(2));
    let message = r#"{"tenant":"default","leaderboards":[],"documents":true}"#;
    block_on(apply_change_message(&far[0], message.as_bytes())).unwrap();
    far[0].pass_ms(50);
    for instance in &far {
        assert_eq!(value(instance), json!(2));
    }
}

#[test]
fn a_check_for_changes_reads_the_key_value_store_once_in_20_ms_and_the_store_never() {
    let [one, ..] = region();
    one.pauses_take_time.set(false);
    value(&one);
    let (looks, asked) = (one.key_value.slot_reads.get(), one.store.document_reads.get());
    for _ in 0..100 {
        value(&one);
    }
    assert_eq!(one.key_value.slot_reads.get(), looks, "within 20 ms");
    for _ in 0..10 {
        one.pass_ms(20);
        value(&one);
    }
    assert_eq!(
        one.key_value.slot_reads.get(),
        looks + 10,
        "one slot has the operator's and the tenant's"
    );
    assert_eq!(one.store.document_reads.get(), asked);
}

#[test]
fn a_new_instance_reads_three_keys_for_a_cached_response_and_one_more_for_limits() {
    let [one, ..] = region();
    let top = |instance: &Instance| instance.answer(request("GET", "/leaderboards/goals/entries", "", &[]));
    let gets = |instance: &Instance| {
        let (gets, reads) = (one.key_value.gets.get(), one.store.reads.get());
        let answer = top(instance);
        let status = answer.header("cache-status");
        assert!(status.contains("detail=region"), "{status}");
        assert_eq!(one.store.reads.get(), reads);
        one.key_value.gets.get() - gets
    };
    let fill = || {
        // The last change is over.
        one.pass_ms(2_000);
        top(&one).expect_status(200);
        one.settle();
    };
    fill();
    assert_eq!(gets(&one.beside()), 4, "the caller's limits");
    put(&one, "/api/v1/operator/limits", r#"{"reads":{"limits":"off"}}"#);
    fill();
    assert_eq!(gets(&one.beside()), 3);
}
