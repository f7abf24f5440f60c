//! Tests of what streams send, on the real components.

use serde_json::{Value, json};

use super::event_stream::{Event, EventStream};
use super::{open, open_with};
use crate::api::snapshots::compare_text;
use crate::cases::http_cases;

/// Returns the places of a change, and the players that it names, with their ranks.
fn list_places(change: &Event) -> Vec<(u64, Value, Value)> {
    let places = change.data["places"].as_array().unwrap().iter();
    places
        .map(|place| {
            let entry = &place["entry"];
            let rank = if entry.is_null() {
                &place["rank"]
            } else {
                &entry["rank"]
            };
            let from = if entry.is_null() {
                &place["from"]
            } else {
                &entry["player"]
            };
            (place["at"].as_u64().unwrap(), from.clone(), rank.clone())
        })
        .collect()
}

http_cases! {
    async fn a_stream_has_the_state_and_then_each_change(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 5).await;
        let mut stream = open(api, "&top=2&player=bob").await;
        assert_eq!(stream.status, 200);
        for line in ["content-type: text/event-stream\r\n", "cache-control: no-store\r\n", "x-accel-buffering: no\r\n"] {
            assert!(stream.head.contains(line), "{}", stream.head);
        }
        assert!(!stream.head.contains("content-length"), "{}", stream.head);
        let first = stream.expect("snapshot").await;
        let page = api.page("b", "").await;
        assert_eq!((&first.data["entries"], &first.data["period"], &first.data["count"]), (&page["entries"], &page["period"], &json!(1)));
        assert_eq!(first.data["own"], json!({"version": page["version"], "entry": null}));
        api.submit_score("b", "bob", 9).await;
        let change = stream.expect("change").await;
        assert_eq!(list_places(&change), [(0, json!("bob"), json!(1)), (1, json!(0), json!(2))]);
        assert_eq!((&change.data["size"], &change.data["count"], &change.data["own"]["entry"]["rank"]), (&json!(2), &json!(2), &json!(1)));
        // The list has two places, so an entry leaves it. The player's entry is shown also below the top.
        api.submit_all("b", &[json!({"player": "cat", "score": 10}), json!({"player": "dan", "score": 11})]).await;
        let mut last = stream.next().await.unwrap();
        while last.data["count"] != 4 {
            last = stream.next().await.unwrap();
        }
        assert_eq!(last.data["own"]["entry"]["rank"], 3);
        // What does not change the list, the count or the player's entry is no event.
        api.submit_score("b", "ann", 6).await;
        api.submit_score("b", "bob", 10).await;
        let change = stream.expect("change").await;
        assert_eq!((change.data["places"].clone(), &change.data["own"]["entry"]["values"]["score"]), (json!([]), &json!(10)));
    }

    async fn the_first_event_is_as_the_description_shows_it(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (player, score) in [("ann", 5), ("bob", 9)] {
            api.submit("b", &json!({"player": player, "score": score, "occurred_at": "2026-11-21T10:00:00Z"})).await;
        }
        let mut stream = open(api, "&top=1&player=ann").await;
        let block = stream.next_block().await.unwrap();
        compare_text("live-stream", &format!("200\ncontent-type: text/event-stream\n\n{block}"));
    }

    async fn a_client_resumes_without_a_repetition_and_without_a_gap(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 5).await;
        let id = open(api, "").await.expect("snapshot").await.id;
        for (query, headers) in [(String::new(), vec![("last-event-id", id.as_str())]), (format!("&last_event_id={id}"), vec![])] {
            let mut resumed = open_with(api, &query, &headers).await;
            assert_eq!(resumed.next_block().await.unwrap(), "retry: 1000\n: resumed\n\n");
            api.submit_score("b", "bob", 1).await;
            assert_eq!(resumed.expect("change").await.data["count"], 2);
            api.delete("/leaderboards/b/scores/bob").await.expect_status(204);
            assert_eq!(resumed.next().await.unwrap().data["count"], 1);
        }
        // Something happened in the meantime, so the client gets all of the state.
        api.submit_score("b", "cat", 1).await;
        let mut late = open_with(api, "", &[("last-event-id", &id)]).await;
        assert_eq!(late.expect("snapshot").await.data["count"], 2);
    }

    async fn version_2_writes_its_own_entries(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 5).await;
        let path = format!("/api/v2/leaderboards/b/live?tenant={}", api.tenant);
        let mut stream = EventStream::open(api.url(), &path, &[("api-integers", "string")]).await;
        let first = stream.expect("snapshot").await;
        let entry = &first.data["entries"][0];
        assert_eq!((&entry["player"]["id"], &entry["values"]["score"]), (&json!("ann"), &json!("5")));
    }

    async fn a_ticket_opens_a_stream_of_a_private_leaderboard(api) {
        api.create_leaderboard("b", &json!({"access": {"read": "private"}})).await;
        api.submit_score("b", "p", 5).await;
        let server = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&server, "p").await;
        let issued = api.with_token(&token, "POST", "/leaderboards/b/live-tickets").send().await.expect_status(201);
        let mut stream = open(api, &format!("&ticket={}", issued["ticket"].as_str().unwrap())).await;
        assert_eq!(stream.expect("snapshot").await.data["own"]["entry"]["rank"], 1);
        // With a token in a header, the stream shows the entry of the token's player, too.
        let mut stream = open_with(api, "", &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(stream.expect("snapshot").await.data["own"]["entry"]["rank"], 1);
    }

    async fn a_banned_player_notices_nothing_and_the_others_see_the_ban(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "bad", 9).await;
        api.submit_score("b", "ann", 5).await;
        let server = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let header = format!("Bearer {}", api.issue_token(&server, "bad").await);
        let mut own = open_with(api, "", &[("authorization", &header)]).await;
        let mut others = open(api, "&player=bad").await;
        for stream in [&mut own, &mut others] {
            assert_eq!(stream.expect("snapshot").await.data["own"]["entry"]["rank"], 1);
        }
        api.request("PUT", "/players/bad/ban").send().await.expect_status(204);
        let seen = others.next().await.unwrap();
        assert_eq!((&seen.data["count"], &seen.data["own"]["entry"]), (&json!(1), &Value::Null));
        // The next event of the banned player is about another player.
        api.submit_score("b", "cat", 7).await;
        let seen = own.expect("change").await;
        assert_eq!((&seen.data["count"], &seen.data.get("own")), (&json!(3), &None), "{seen:?}");
        // The same holds for a stream that begins after the ban.
        let mut later = open_with(api, "", &[("authorization", &header)]).await;
        let first = later.expect("snapshot").await;
        assert_eq!((&first.data["count"], &first.data["own"]["entry"]["rank"]), (&json!(3), &json!(1)));
    }

    async fn a_stream_ends_when_its_leaderboard_may_not_be_read_any_more(api) {
        api.create_leaderboard("b", &json!({})).await;
        let server = api.make_key(json!(["scores:read"])).await.1;
        let mut anonymous = open(api, "").await;
        let mut credentialed = open_with(api, "", &[("x-api-key", &server)]).await;
        for stream in [&mut anonymous, &mut credentialed] {
            stream.expect("snapshot").await;
        }
        api.patch("/leaderboards/b", &json!({"access": {"read": "private"}})).await.expect_status(200);
        assert!(anonymous.next().await.is_none());
        api.submit_score("b", "ann", 5).await;
        credentialed.next().await.unwrap();
        api.delete("/leaderboards/b").await.expect_status(204);
        assert!(credentialed.next().await.is_none());
    }
}
