//! Tests of readiness: how often the store is checked, and by which instance.

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::join_all;
use leaderboard_core::ports::SettingCheck;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, request};

const PATH: &str = "/health/ready";

fn get_readiness(service: &Instance) -> Answer {
    service.anonymous(PATH)
}

/// Returns when the store was checked for this response.
fn checked_at(answer: &Answer) -> Value {
    answer.json()["components"]["store"]["last_checked"].take()
}

#[test]
fn an_instance_and_a_region_check_the_store_once_in_a_second() {
    // A host ends instances after some requests, so that new instances answer the next ones.
    for is_new_each_time in [false, true] {
        let first = Instance::new();
        for (down, status) in [(false, 200), (true, 503), (false, 200)] {
            first.store.down.set(down);
            first.store.probes.set(0);
            let mut instants = Vec::new();
            for _ in 0..10 {
                let instance = if is_new_each_time {
                    first.beside()
                } else {
                    first.clone()
                };
                let answer = get_readiness(&instance);
                assert_eq!(answer.status, status);
                assert_eq!(answer.headers.contains_key("retry-after"), down);
                assert_eq!(answer.log.cause.is_some(), down);
                instants.push(checked_at(&answer));
                first.pass_ms(99);
            }
            assert_eq!(first.store.probes.get(), 1);
            assert!(instants.iter().all(|at| *at == instants[0]), "{instants:?}");
            first.pass_ms(10);
        }
    }
}

#[test]
fn a_region_checks_the_store_apart_from_other_regions() {
    let first = Instance::new();
    get_readiness(&first).expect_status(200);
    let elsewhere = first.elsewhere();
    for instance in [&elsewhere, &elsewhere.beside()] {
        get_readiness(instance).expect_status(200);
    }
    assert_eq!(first.store.probes.get(), 2);
}

#[test]
fn concurrent_requests_for_readiness_share_one_probe() {
    let service = Instance::new();
    for instances in [
        vec![service.clone(); 5],
        (0..5).map(|_| service.beside()).collect(),
    ] {
        service.pass_ms(1_000);
        service.store.probes.set(0);
        let requests = instances
            .iter()
            .map(|instance| instance.respond(request("GET", PATH, "", &[])));
        let answers = block_on(join_all(requests));
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!(service.store.probes.get(), 1);
    }
}

#[test]
fn a_cancelled_request_for_readiness_does_not_block_other_requests() {
    let service = Instance::new();
    let mut cancelled = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut cancelled).now_or_never().is_none());
    drop(cancelled);
    get_readiness(&service).expect_status(200);
    assert_eq!(service.store.probes.get(), 2);
}

#[test]
fn the_settings_of_the_stores_server_are_checked_once_in_a_minute() {
    let first = Instance::new();
    let policy = |found: &str| SettingCheck {
        setting: "maxmemory-policy",
        wanted: "noeviction",
        found: Some(found.to_owned()),
    };
    let status = || get_readiness(&first.beside()).json()["status"].take();
    *first.store.settings.borrow_mut() = vec![policy("allkeys-lru")];
    for _ in 0..60 {
        assert_eq!(status(), json!("warn"));
        first.pass_ms(1_000);
        *first.store.settings.borrow_mut() = vec![policy("noeviction")];
    }
    assert_eq!(first.store.probes.get(), 60);
    assert_eq!(first.store.settings_checks.get(), 1);
    // The result of the check outlives a failure of the store, and is used for a minute.
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
    let before = checked_at(&get_readiness(&service));
    service.pass_ms(1_000);
    let mut probing = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut probing).now_or_never().is_none());
    assert_eq!(service.store.probes.get(), 2);
    for _ in 0..10 {
        let answer = get_readiness(&service.beside());
        assert_eq!((answer.status, checked_at(&answer)), (200, before.clone()));
    }
    assert_eq!(service.store.probes.get(), 2);
    let probed = block_on(probing);
    assert_ne!(checked_at(&probed), before);
    assert_eq!(checked_at(&get_readiness(&service.beside())), checked_at(&probed));
    assert_eq!(service.store.probes.get(), 2);
}

#[test]
fn an_instance_that_ends_during_a_check_blocks_others_for_one_second() {
    let service = Instance::new();
    get_readiness(&service);
    service.pass_ms(1_000);
    let mut cancelled = Box::pin(service.respond(request("GET", PATH, "", &[])));
    assert!((&mut cancelled).now_or_never().is_none());
    drop(cancelled);
    service.pass_ms(999);
    let beside = service.beside();
    get_readiness(&beside);
    assert_eq!(service.store.probes.get(), 2);
    service.pass_ms(1);
    get_readiness(&beside);
    assert_eq!(service.store.probes.get(), 3);
}

#[test]
fn without_the_key_value_store_each_instance_checks_the_store_itself() {
    let service = Instance::new();
    service.key_value.down.set(true);
    let instances = [service.beside(), service.beside()];
    for instance in instances.iter().chain(&instances) {
        get_readiness(instance).expect_status(200);
    }
    assert_eq!(service.store.probes.get(), 2);
    // The instance also reuses its own check of the settings.
    service.pass_ms(1_000);
    get_readiness(&instances[0]).expect_status(200);
    assert_eq!(
        (service.store.probes.get(), service.store.settings_checks.get()),
        (3, 2)
    );
}
