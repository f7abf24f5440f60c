//! Tests of the events that are found by comparing: ranks, leaders, ends of periods, prizes, bans, quotas.

use serde_json::{Value, json};

use super::{HOUR_MS, MINUTE_MS, SECOND_MS, create_service, create_webhook, deliver_events, submit, tick};
use crate::in_process::environment::Instance;

/// Returns the data of the messages of a type.
fn of_type(events: Vec<(String, Value)>, event: &str) -> Vec<Value> {
    let wanted = format!("edgeboard.{event}");
    events
        .into_iter()
        .filter(|(found, _)| *found == wanted)
        .map(|(_, data)| data)
        .collect()
}

/// Returns each changed player with the rank now and before.
fn changes(data: &Value) -> Vec<(&str, Option<u64>, Option<u64>)> {
    let changes = data["changes"].as_array().unwrap().iter();
    changes
        .map(|change| {
            (
                change["player"].as_str().unwrap(),
                change["rank"].as_u64(),
                change["previous_rank"].as_u64(),
            )
        })
        .collect()
}

#[test]
fn a_new_leader_is_told_with_the_one_before() {
    let (service, _) = create_service(&["leader.changed"]);
    submit(&service, "ann", 5);
    let events = of_type(deliver_events(&service), "leader.changed");
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["entry"]["player"], &events[0]["previous"]),
        (&json!("ann"), &Value::Null)
    );
    submit(&service, "bob", 3);
    submit(&service, "ann", 6);
    assert!(deliver_events(&service).is_empty());
    submit(&service, "bob", 9);
    let events = of_type(deliver_events(&service), "leader.changed");
    assert_eq!(events.len(), 1);
    assert_eq!(
        (
            &events[0]["entry"]["player"],
            &events[0]["entry"]["rank"],
            &events[0]["previous"]
        ),
        (&json!("bob"), &json!(1), &json!("ann"))
    );
    // A ban makes the next player the leader.
    service.call("PUT", "/players/bob/ban", "{}").expect_status(204);
    service
        .call("GET", "/leaderboards/b/entries", "")
        .expect_status(200);
    let events = of_type(deliver_events(&service), "leader.changed");
    assert_eq!(events[0]["entry"]["player"], "ann");
}

#[test]
fn changed_ranks_of_the_top_come_in_one_message() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    let body = json!({"url": "https://hook.example/", "events": ["ranks.changed"], "top": 2});
    service.call("PUT", super::HOOK, body).expect_status(201);
    for (player, score) in [("a", 1), ("b", 2), ("c", 3)] {
        submit(&service, player, score);
    }
    let events = of_type(deliver_events(&service), "ranks.changed");
    assert_eq!(events.len(), 1);
    assert_eq!(changes(&events[0]), [("c", Some(1), None), ("b", Some(2), None)]);
    submit(&service, "a", 9);
    let events = of_type(deliver_events(&service), "ranks.changed");
    assert_eq!(
        changes(&events[0]),
        [
            ("a", Some(1), None),
            ("c", Some(2), Some(1)),
            ("b", None, Some(2))
        ]
    );
    assert_eq!(events[0]["changes"][0]["values"], json!({"score": 9}));
    // An erased player leaves the top under the pseudonym.
    service.call("DELETE", "/players/c", "").expect_status(204);
    let events = of_type(deliver_events(&service), "ranks.changed");
    assert!(!events[0].to_string().contains("\"c\""), "{}", events[0]);
    let changed = changes(&events[0]);
    assert!(
        changed
            .iter()
            .any(|(player, rank, _)| player.starts_with("erased-") && rank.is_none()),
        "{changed:?}"
    );
    submit(&service, "c", 3);
    deliver_events(&service);
    // Below the top, nothing changed.
    submit(&service, "d", 0);
    assert!(deliver_events(&service).is_empty());
}

#[test]
fn a_webhook_of_an_existing_leaderboard_begins_with_its_top() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/b", "{}").expect_status(201);
    submit(&service, "ann", 5);
    service.pass_ms(1);
    create_webhook(&service, "hook", &["leader.changed", "ranks.changed"]);
    submit(&service, "bob", 6);
    let events = deliver_events(&service);
    let leaders = of_type(events.clone(), "leader.changed");
    assert_eq!(leaders[0]["previous"], "ann");
    let ranks = of_type(events, "ranks.changed");
    assert_eq!(
        changes(&ranks[0]),
        [("bob", Some(1), None), ("ann", Some(2), Some(1))]
    );
}

#[test]
fn the_end_of_a_period_is_told_once_with_its_standings_and_prizes() {
    // Tests begin on Sunday, 2026-07-19T21:04:00Z, about three hours before a reset.
    let service = Instance::new();
    let document = json!({
        "reset": {"cron": "0 0 * * 1", "time_zone": "UTC"},
        "prizes": [{"name": "Gold", "from_rank": 1, "to_rank": 1}], "claim_days": 7,
    });
    service
        .call("PUT", "/leaderboards/b", document)
        .expect_status(201);
    create_webhook(&service, "hook", &["period.ended", "prizes.claimable"]);
    submit(&service, "ann", 2);
    submit(&service, "bob", 1);
    assert!(deliver_events(&service).is_empty());
    service.pass_ms(3 * HOUR_MS);
    let events = deliver_events(&service);
    let ended = of_type(events.clone(), "period.ended");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["period"]["ends_at"], "2026-07-20T00:00:00.000Z");
    assert_eq!(
        (&ended[0]["final"]["count"], &ended[0]["entries"][0]["player"]),
        (&json!(2), &json!("ann"))
    );
    let prizes = of_type(events, "prizes.claimable");
    assert_eq!(prizes.len(), 1);
    assert_eq!(prizes[0]["prizes"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &prizes[0]["prizes"][0]["player"],
            &prizes[0]["prizes"][0]["prize"]
        ),
        (&json!("ann"), &json!("Gold"))
    );
    assert!(deliver_events(&service).is_empty());
    // The run has made the standings final.
    let late = json!({"player": "cat", "score": 3, "occurred_at": "2026-07-19T23:00:00Z"});
    service
        .call("POST", "/leaderboards/b/scores", late)
        .expect_problem(409, "standings-final", "");
    // A week without entries ends without a message, and the one after it with one.
    service.pass_ms(7 * 24 * HOUR_MS);
    assert!(deliver_events(&service).is_empty());
    submit(&service, "ann", 2);
    service.pass_ms(7 * 24 * HOUR_MS);
    assert_eq!(of_type(deliver_events(&service), "period.ended").len(), 1);
}

#[test]
fn a_ban_is_told_once_for_all_leaderboards() {
    let (service, _) = create_service(&["player.banned", "score.accepted"]);
    service
        .call("PUT", "/leaderboards/other", "{}")
        .expect_status(201);
    let ban = json!({"reason": "speed hack"});
    service.call("PUT", "/players/cheat/ban", ban).expect_status(204);
    service.pass_ms(3 * SECOND_MS);
    let events = deliver_events(&service);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "edgeboard.player.banned");
    assert_eq!(
        (&events[0].1["player"], &events[0].1["reason"]),
        (&json!("cheat"), &json!("speed hack"))
    );
    // The scores of a banned player are not told: everyone else sees them as if they did not exist.
    submit(&service, "cheat", 100);
    assert!(deliver_events(&service).is_empty());
    service
        .call("DELETE", "/players/cheat/ban", "")
        .expect_status(204);
    service.pass_ms(MINUTE_MS);
    assert!(deliver_events(&service).is_empty());
    service.call("PUT", "/players/cheat/ban", "{}").expect_status(204);
    service.pass_ms(3 * SECOND_MS);
    assert_eq!(deliver_events(&service).len(), 1);
}

#[test]
fn a_quota_is_told_once_while_it_is_nearly_used() {
    let (service, _) = create_service(&["quota.nearly_used"]);
    let quotas = |entries: u64| json!({"quotas": {"entries": entries}});
    service
        .call("PUT", "/tenants/default", quotas(10))
        .expect_status(201);
    for n in 0..8 {
        submit(&service, &format!("p{n}"), n);
    }
    assert!(deliver_events(&service).is_empty());
    submit(&service, "p8", 8);
    service.pass_ms(MINUTE_MS);
    let events = deliver_events(&service);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1, json!({"quota": "entries", "used": 9, "limit": 10}));
    service.pass_ms(MINUTE_MS);
    assert!(deliver_events(&service).is_empty());
    service
        .call("PUT", "/tenants/default", quotas(100))
        .expect_status(200);
    service.pass_ms(MINUTE_MS);
    tick(&service);
    service
        .call("PUT", "/tenants/default", quotas(10))
        .expect_status(200);
    service.pass_ms(MINUTE_MS);
    assert_eq!(deliver_events(&service).len(), 1);
}
