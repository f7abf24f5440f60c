//! Cached records of keys: clocks that run ahead, reads that began before a change, an unavailable store.

use std::task::{Context, Waker};

use futures::FutureExt;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, request};

fn admin_key(instance: &Instance) -> (String, String) {
    instance.make_key(&json!({"name": "n", "scopes": ["admin"]}))
}

fn works(instance: &Instance, key: &str) -> u16 {
    instance.with_key(key, "GET", "/keys", "").status
}

fn revoke(instance: &Instance, id: &str) {
    let revoked = instance.call("DELETE", &format!("/keys/{id}"), &Value::Null);
    assert_eq!(revoked.status, 204, "{revoked:?}");
}

#[test]
fn a_cached_record_from_the_future_is_not_used() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    let (id, key) = admin_key(&here);
    region.pass_ms(3_600_000);
    assert_eq!(works(&there, &key), 200);
    let ahead = region.key_value.entries.borrow().clone();
    region.pass_ms(-3_600_000);
    revoke(&here, &id);
    // In memory.
    assert_eq!(works(&there, &key), 401);
    // In the region: what the change has put there wins, and the old copy alone is not believed.
    assert_eq!(works(&region.instance(), &key), 401);
    region.key_value.entries.replace(ahead);
    assert_eq!(works(&region.instance(), &key), 401);
}

#[test]
fn a_read_that_began_before_a_change_does_not_undo_it() {
    for passed_ms in [0, 1] {
        let region = Region::of_acme();
        let (here, there) = (region.instance(), region.instance());
        let (id, key) = admin_key(&here);
        assert_eq!(works(&there, &key), 200);
        region.pass_ms(4_000);
        region.store.documents_take_time.set(true);
        let headers = [("x-api-key", key.as_str())];
        let mut request = Box::pin(there.respond(request("GET", "/keys", "", &headers)));
        let mut context = Context::from_waker(Waker::noop());
        let asked = region.store.document_reads.get();
        assert!(request.poll_unpin(&mut context).is_pending());
        assert_eq!(region.store.document_reads.get(), asked + 1);
        region.store.documents_take_time.set(false);
        region.pass_ms(passed_ms);
        revoke(&here, &id);
        // The request began before the change, so either response is right.
        assert!(matches!(block_on(request).status, 200 | 401));
        there.settle();
        let new = region.instance();
        let statuses = [&here, &there, &new].map(|instance| works(instance, &key));
        assert_eq!(statuses, [401; 3], "{passed_ms}");
    }
}

#[test]
fn an_outage_is_found_by_one_read() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["scores:read"]}));
    let read = || {
        let before = region.store.document_reads.get();
        let answer = instance.with_key(&key, "POST", "/ofrep/v1/evaluate/flags", r#"{"context":{}}"#);
        (answer.status, region.store.document_reads.get() - before)
    };
    assert_eq!(read().0, 200);
    region.store.down.set(true);
    region.pass_ms(60_000);
    assert_eq!([read(), read()], [(200, 1), (200, 0)]);
    region.pass_ms(60_000);
    assert_eq!(read(), (200, 0), "whoever can do without it does not ask");
    region.store.down.set(false);
    region.pass_ms(1_000);
    // The task after the first response probes the store and then reads each group of documents.
    assert_eq!([read(), read()], [(200, 3), (200, 0)]);
}
