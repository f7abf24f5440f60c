//! Which changes invalidate cached responses, and what a deleted leaderboard leaves in the cache.

use futures::executor::block_on;
use leaderboard_test_support::ADMIN_KEY;

use super::{TOP, about_goals, first, score, service, status, top, with_policy};
use crate::in_process::environment::{Instance, Region, SHOWS_AFTER_MS, request};

fn apply_message(service: &Instance, text: &str) -> bool {
    let apply_change_message = block_on(leaderboard_responses::apply_change_message(
        service,
        text.as_bytes(),
    ));
    service.settle();
    apply_change_message.is_ok()
}

const CHANGED: &str = r#"{"tenant":"default","leaderboards":["goals"]}"#;
const VOID: &str = r#"{"tenant":"default","leaderboards":["goals"],"void":true}"#;

#[test]
fn a_message_invalidates_all_its_leaderboards_even_if_the_first_fails() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    let far = service.elsewhere();
    service.store.down.set(true);
    assert!(!apply_message(
        &far,
        r#"{"tenant":"default","leaderboards":["goals","secret"]}"#
    ));
    assert_eq!(
        far.key_value.keys("changed:"),
        ["changed:default:goals", "changed:default:secret"]
    );
}

#[test]
fn a_message_is_applied_without_a_pause() {
    let service = with_policy(r#"{"strategy":"refresh_ahead"}"#);
    let far = service.elsewhere();
    far.pauses_take_time.set(true);
    let began = far.now_ms();
    assert!(apply_message(&far, CHANGED));
    // Taking a lease does not pause; the bound leaves room for the clock of the test.
    assert!(far.now_ms() - began <= 10, "{}", far.now_ms() - began);
    assert_eq!(service.store.reads.get(), 2);
}

#[test]
fn a_message_after_the_end_of_a_leaderboard_takes_away_what_there_was() {
    let service = service();
    let far = service.elsewhere();
    top(&far);
    assert!(!about_goals(&far).is_empty());
    service.call("DELETE", "/leaderboards/goals", "");
    for _ in 0..2 {
        assert!(apply_message(&far, VOID));
        assert_eq!(about_goals(&far), [""; 0]);
        far.pass_ms(SHOWS_AFTER_MS);
        assert_eq!(far.anonymous(TOP).problem().1, "leaderboard-not-found");
        assert_eq!(about_goals(&far), [""; 0]);
    }
    // A region that has not read the leaderboard yet.
    let other = service.elsewhere();
    assert!(apply_message(&other, CHANGED));
    assert_eq!(about_goals(&other), [""; 0]);
}

#[test]
fn an_answer_that_is_kept_after_the_end_of_its_leaderboard_does_not_stay() {
    let service = service();
    // It is made, and the leaderboard ends before it is kept.
    let answer = block_on(service.respond(request("GET", TOP, "", &[])));
    assert_eq!(answer.status, 200);
    let other = service.beside();
    assert_eq!(other.call("DELETE", "/leaderboards/goals", "").status, 204);
    service.settle();
    assert_eq!(about_goals(&service), [""; 0]);
}

#[test]
fn documents_are_no_change_of_leaderboards() {
    let far = service().elsewhere();
    let is_hit_after = |message: &str| {
        top(&far);
        assert!(apply_message(&far, message));
        far.pass_ms(30);
        status(&top(&far)).contains("hit")
    };
    assert!(is_hit_after(
        r#"{"tenant":"default","leaderboards":[],"documents":true}"#
    ));
    assert!(!is_hit_after(r#"{"tenant":"default","leaderboards":[]}"#));
}

#[test]
fn a_change_whose_result_gets_lost_shows_as_well() {
    let service = service();
    let lost = |method: &str, path: &str, body: &str| {
        top(&service);
        service.store.answers_get_lost.set(true);
        assert_eq!(service.call(method, path, body).status, 503, "{method} {path}");
        service.store.answers_get_lost.set(false);
        // The outage is over, but no instance knows until a read has shown it.
        service.pass_ms(1_000);
        service.anonymous(TOP);
        service.settle();
    };
    let scores = "/leaderboards/goals/scores";
    lost("POST", scores, r#"{"player":"new","score":99}"#);
    assert_eq!(first(&top(&service)), "new");
    lost("DELETE", &format!("{scores}/new"), "");
    assert_eq!(first(&top(&service)), "p25");
    lost("PUT", "/players/p25/ban", "");
    assert_eq!(first(&top(&service)), "p24");
    lost("PATCH", "/leaderboards/goals", r#"{"access":{"read":"private"}}"#);
    assert_eq!(service.anonymous(TOP).problem().1, "leaderboard-not-found");
    service.call("PATCH", "/leaderboards/goals", r#"{"access":{"read":"public"}}"#);
    lost("DELETE", "/leaderboards/goals", "");
    assert_eq!(service.anonymous(TOP).problem().1, "leaderboard-not-found");
    assert_eq!(about_goals(&service), [""; 0]);
}

#[test]
fn a_repeated_change_invalidates_in_its_own_region() {
    let service = service();
    let once = r#"{"player":"new","score":99,"id":"1"}"#;
    let far = service.elsewhere();
    far.call("POST", "/leaderboards/goals/scores", once);
    top(&service);
    far.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"newer","score":100,"id":"2"}"#,
    );
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player":"newer","score":100,"id":"2"}"#,
    );
    assert_eq!(first(&top(&service)), "newer");
    far.call("DELETE", "/leaderboards/goals/scores/newer", "");
    service.call("DELETE", "/leaderboards/goals/scores/newer", "");
    assert_eq!(first(&top(&service)), "new");
}

#[test]
fn a_damaged_tombstone_does_not_last() {
    let service = service();
    let put = |bytes: &[u8]| {
        let mut kept = service.key_value.entries.borrow_mut();
        kept.insert("changed:default:goals".to_owned(), bytes.to_vec());
    };
    top(&service);
    // What has another form tells nothing: it may have changed just now.
    put(b"x");
    service.pass_ms(100);
    assert_eq!(status(&top(&service)), "fwd=stale; stored");
    // One of a clock that runs ahead is replaced by the next.
    put(&i64::MAX.to_be_bytes());
    score(&service, "new", 99);
    service.pass_ms(1_000);
    assert_eq!(first(&top(&service)), "new");
    service.pass_ms(1_000);
    assert!(
        status(&top(&service)).starts_with("hit"),
        "{}",
        status(&top(&service))
    );
}

#[test]
fn a_tombstone_is_not_replaced_by_an_earlier_one() {
    let service = service();
    let until = (service.now_ms() + 1_500).to_be_bytes().to_vec();
    let key = "changed:default:goals".to_owned();
    service
        .key_value
        .entries
        .borrow_mut()
        .insert(key.clone(), until.clone());
    score(&service, "new", 99);
    assert_eq!(service.key_value.entries.borrow()[&key], until);
}

#[test]
fn a_tombstone_that_was_not_put_is_put_by_the_next_write() {
    let service = service();
    top(&service);
    service.key_value.down.set(true);
    score(&service, "new", 99);
    service.key_value.down.set(false);
    assert_eq!(first(&top(&service)), "p25");
    score(&service, "newer", 100);
    assert_eq!(first(&top(&service)), "newer");
}

/// The cache of the region answers with public responses until the change invalidates them.
#[test]
fn a_change_to_private_succeeds_when_it_is_invalidated_and_not_before() {
    let service = service();
    top(&service);
    let private = r#"{"access":{"read":"private"}}"#;
    service.key_value.down.set(true);
    let failed = service.call("PATCH", "/leaderboards/goals", private);
    assert_eq!(failed.problem().1, "unavailable");
    assert!(failed.log.cause.unwrap().contains("invalidation"));
    service.key_value.down.set(false);
    // The same again invalidates it, though there is nothing left to change.
    let done = block_on(service.respond(request(
        "PATCH",
        "/leaderboards/goals",
        private,
        &[("x-api-key", ADMIN_KEY)],
    )));
    assert_eq!(done.status, 200, "{done:?}");
    // Nothing that is left until after the response is needed for that.
    service.drop_later_work();
    service.pass_ms(SHOWS_AFTER_MS);
    for reader in [&service, &service.beside()] {
        assert_eq!(reader.anonymous(TOP).problem().1, "leaderboard-not-found");
    }
}

/// Other regions answer with public responses until the change is announced.
#[test]
fn a_change_to_private_succeeds_when_it_is_announced_and_not_before() {
    let service = Region::with_options().announcing().instance();
    let private = r#"{"access":{"read":"private"}}"#;
    assert_eq!(service.call("PUT", "/leaderboards/goals", "{}").status, 201);
    service.store.refuses_announcements.set(true);
    // Every other change is made without its announcement.
    let titled = service.call("PATCH", "/leaderboards/goals", r#"{"title":"Goals"}"#);
    assert_eq!(titled.status, 200);
    for _ in 0..2 {
        let failed = service.call("PATCH", "/leaderboards/goals", private);
        assert_eq!(failed.problem(), (503, "unavailable".into(), String::new()));
        assert!(failed.log.cause.unwrap().contains("announce"));
    }
    service.store.refuses_announcements.set(false);
    let announced = service.store.announcements.get();
    // The same again announces it, though there is nothing left to change.
    let done = service.call("PATCH", "/leaderboards/goals", private);
    assert_eq!(done.status, 200, "{done:?}");
    assert!(service.store.announcements.get() > announced);
}
