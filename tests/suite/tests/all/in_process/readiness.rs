//! Readiness: how often the store is checked, and by which instance.

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use leaderboard_core::ports::SettingCheck;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, request};

const PATH: &str = "/health/ready";

fn ready(service: &Instance) -> Answer {
    service.anonymous(PATH)
}

/// When the store was checked for this response.
fn checked_at(answer: &Answer) -> Value {
    answer.json()["components"]["store"]["last_checked"].take()
}

#[test]
fn readiness_checks_the_store_once_in_a_second() {
    let service = Instance::new();
    for (down, status) in [(false, 200), (true, 503), (false, 200)] {
        service.store.down.set(down);
        service.store.probes.set(0);
        let mut told = Vec::new();
        for _ in 0..10 {
            let answer = ready(&service);
            assert_eq!(answer.status, status);
            assert_eq!(answer.headers.contains_key("retry-after"), down);
            told.push(checked_at(&answer));
            service.pass_ms(99);
        }
        assert_eq!(service.store.probes.get(), 1);
        assert!(told.iter().all(|at| *at == told[0]), "{told:?}");
        service.pass_ms(10);
    }
}

#[test]
fn requests_for_readiness_that_come_together_share_one_probe() {
    let service = Instance::new();
    let requests = (0..10).map(|_| service.respond(request("GET", PATH, "", &[])));
    let answers = block_on(join_all(requests));
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(service.store.probes.get(), 1);
}

#[test]
fn a_cancelled_request_for_readiness_blocks_no_other() {
    let service = Instance::new();
    let mut gone = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut gone).now_or_never().is_none());
    drop(gone);
    ready(&service).expect_status(200);
    assert_eq!(service.store.probes.get(), 2);
}

#[test]
fn the_instances_of_a_region_ask_the_store_once_in_a_second_together() {
    let first = Instance::new();
    for (down, status) in [(false, 200), (true, 503), (false, 200)] {
        first.store.down.set(down);
        first.store.probes.set(0);
        let mut told = Vec::new();
        for _ in 0..10 {
            // As a host does that ends instances after some requests.
            let answer = ready(&first.beside());
            assert_eq!(answer.status, status);
            assert_eq!(answer.log.cause.is_some(), down);
            told.push(checked_at(&answer));
            first.pass_ms(99);
        }
        assert_eq!(first.store.probes.get(), 1);
        assert!(told.iter().all(|at| *at == told[0]), "{told:?}");
        first.pass_ms(10);
    }
    // Another region finds out by itself.
    first.store.probes.set(0);
    let elsewhere = first.elsewhere();
    assert_eq!(
        (ready(&elsewhere).status, ready(&elsewhere.beside()).status),
        (200, 200)
    );
    assert_eq!(first.store.probes.get(), 1);
}

#[test]
fn the_settings_are_checked_once_in_a_minute() {
    let first = Instance::new();
    let policy = |found: &str| SettingCheck {
        setting: "maxmemory-policy",
        wanted: "noeviction",
        found: Some(found.to_owned()),
    };
    let status = || ready(&first.beside()).json()["status"].take();
    *first.store.settings.borrow_mut() = vec![policy("allkeys-lru")];
    for _ in 0..60 {
        assert_eq!(status(), json!("warn"));
        first.pass_ms(1_000);
        *first.store.settings.borrow_mut() = vec![policy("noeviction")];
    }
    assert_eq!(first.store.probes.get(), 60);
    assert_eq!(first.store.settings_checks.get(), 1);
    // What is known outlives a failure of the store, and ends after its minute.
    first.store.down.set(true);
    assert_eq!(status(), json!("fail"));
    first.store.down.set(false);
    first.pass_ms(1_000);
    assert_eq!(status(), json!("pass"));
    assert_eq!(first.store.settings_checks.get(), 2);
}

#[test]
fn while_one_instance_checks_the_others_answer_with_the_last_result() {
    let service = Instance::new();
    let before = checked_at(&ready(&service));
    service.pass_ms(1_000);
    let mut asking = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut asking).now_or_never().is_none());
    assert_eq!(service.store.probes.get(), 2);
    for _ in 0..10 {
        let answer = ready(&service.beside());
        assert_eq!((answer.status, checked_at(&answer)), (200, before.clone()));
    }
    assert_eq!(service.store.probes.get(), 2);
    let asked = block_on(asking);
    assert_ne!(checked_at(&asked), before);
    assert_eq!(checked_at(&ready(&service.beside())), checked_at(&asked));
    assert_eq!(service.store.probes.get(), 2);
}

#[test]
fn an_instance_that_ends_during_a_check_blocks_others_for_a_second_at_most() {
    let service = Instance::new();
    ready(&service);
    service.pass_ms(1_000);
    let mut gone = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut gone).now_or_never().is_none());
    drop(gone);
    service.pass_ms(999);
    let beside = service.beside();
    ready(&beside);
    assert_eq!(service.store.probes.get(), 2);
    service.pass_ms(1);
    ready(&beside);
    assert_eq!(service.store.probes.get(), 3);
}

#[test]
fn instances_that_begin_together_wait_for_one_probe() {
    let service = Instance::new();
    let instances: Vec<_> = (0..5).map(|_| service.beside()).collect();
    let requests = instances
        .iter()
        .map(|instance| instance.respond(request("GET", PATH, "", &[])));
    let answers = block_on(join_all(requests));
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(service.store.probes.get(), 1);
}

#[test]
fn without_the_regions_store_each_instance_asks_for_itself() {
    let service = Instance::new();
    service.key_value.down.set(true);
    let instances = [service.beside(), service.beside()];
    for instance in instances.iter().chain(&instances) {
        ready(instance).expect_status(200);
    }
    assert_eq!(service.store.probes.get(), 2);
    // What it has found of the settings it knows, too.
    service.pass_ms(1_000);
    ready(&instances[0]).expect_status(200);
    assert_eq!(
        (service.store.probes.get(), service.store.settings_checks.get()),
        (3, 2)
    );
}
