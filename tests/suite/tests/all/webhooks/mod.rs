//! Tests of webhooks with real receivers: what arrives, and receivers that fail.

mod networks;
mod receiver;

use leaderboard_identity::webhook_secret::WebhookSecret;
use leaderboard_test_support::{ApiClient, wait_until};
use serde_json::{Value, json};

use crate::cases::http_cases;
use receiver::{FLOOD_BYTES, Reaction, Received, Receiver};

/// What is said of all receivers that do not answer.
pub(crate) const NO_RESPONSE: &str = "no response: the receiver cannot be reached, answers too late, or is in a network that the operator blocks";
/// The path of a tick of deliveries.
const TICK: &str = "/internal/webhooks/tick";

/// Creates the leaderboard `b` and a webhook that gets its scores. Returns the secret of the webhook.
async fn create_webhook(api: &ApiClient, receiver: &Receiver) -> WebhookSecret {
    api.create_leaderboard("b", &json!({})).await;
    let body = json!({"url": receiver.url, "events": ["score.accepted"]});
    let made = api.put("/webhooks/hook", &body).await.expect_status(201);
    WebhookSecret::parse(made["secret"].as_str().unwrap()).unwrap()
}

/// Runs deliveries until the receiver has this number of requests, and returns them.
async fn deliver(api: &ApiClient, receiver: &Receiver, count: usize) -> Vec<Received> {
    let read = async || {
        api.request_at("POST", TICK).send().await.expect_status(200);
        receiver.received()
    };
    wait_until(read, |received| received.len() >= count).await
}

/// Runs deliveries until an attempt was made, and returns it.
async fn fail(api: &ApiClient) -> Value {
    let read = async || {
        api.request_at("POST", TICK).send().await.expect_status(200);
        let mut status = api.get("/webhooks/hook/status").await.expect_status(200);
        // A tick does nothing while another one delivers.
        status["attempts"].get_mut(0).map_or(Value::Null, Value::take)
    };
    wait_until(read, |attempt| !attempt.is_null()).await
}

http_cases! {
    async fn a_receiver_gets_a_signed_message_for_each_score(api) {
        let receiver = Receiver::start(&[]);
        let secret = create_webhook(api, &receiver).await;
        for (player, score) in [("ann", 1), ("José", 2)] {
            api.submit_score("b", player, score).await;
        }
        let received = deliver(api, &receiver, 2).await;
        let mut players: Vec<String> = received.iter().map(|one| one.event()["data"]["player"].as_str().unwrap().to_owned()).collect();
        players.sort_unstable();
        assert_eq!(players, ["José", "ann"]);
        for one in &received {
            let (id, timestamp) = (&one.headers["webhook-id"], one.headers["webhook-timestamp"].parse().unwrap());
            assert_eq!(one.headers["webhook-signature"], secret.sign(id, timestamp, &one.body));
            assert_eq!(one.headers["content-type"], "application/cloudevents+json; charset=utf-8");
            assert_eq!(one.event()["id"], id.as_str());
        }
        // Further runs send nothing again.
        for _ in 0..3 {
            api.request_at("POST", TICK).send().await.expect_status(200);
        }
        assert_eq!(receiver.received().len(), 2);
    }

    async fn a_receiver_that_answers_500_gets_the_message_again(api) {
        let receiver = Receiver::start(&[Reaction::Answer(500)]);
        create_webhook(api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        let received = deliver(api, &receiver, 2).await;
        assert_eq!(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
        assert_eq!(received[0].body, received[1].body);
        let is_settled = |status: &Value| status["pending"] == 0;
        let status = wait_until(async || api.get("/webhooks/hook/status").await.expect_status(200), is_settled).await;
        assert_eq!(status["consecutive_failures"], 0);
    }

    async fn a_receiver_that_hangs_holds_no_other_webhook(api) {
        let hanging = Receiver::start(&[Reaction::Hang]);
        create_webhook(api, &hanging).await;
        let other = Receiver::start(&[]);
        let body = json!({"url": other.url, "events": ["score.accepted"]});
        api.put("/webhooks/other", &body).await.expect_status(201);
        api.submit_score("b", "p", 1).await;
        let attempt = fail(api).await;
        assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!(NO_RESPONSE), &Value::Null));
        assert_eq!(attempt["duration_ms"], Value::Null);
        let others = wait_until(async || other.received().len(), |count| *count > 0).await;
        assert_eq!(others, 1);
        // The next attempt succeeds.
        deliver(api, &hanging, 2).await;
    }

    async fn a_receiver_that_resets_the_connection_gets_the_message_again(api) {
        let receiver = Receiver::start(&[Reaction::Reset]);
        create_webhook(api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        let attempt = fail(api).await;
        assert_eq!((&attempt["outcome"], &attempt["delivered"]), (&json!(NO_RESPONSE), &json!(false)));
        deliver(api, &receiver, 1).await;
    }

    async fn a_redirect_is_not_followed(api) {
        let inside = Receiver::start(&[]);
        let receiver = Receiver::start(&[Reaction::Redirect(inside.url.clone())]);
        create_webhook(api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        let attempt = fail(api).await;
        assert_eq!(attempt["outcome"], "answered 302: redirects are not followed");
        assert!(inside.received().is_empty());
    }

    async fn a_huge_response_is_cut_off(api) {
        let receiver = Receiver::start(&[Reaction::Flood]);
        create_webhook(api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        let attempt = fail(api).await;
        assert_eq!((&attempt["delivered"], &attempt["status"]), (&json!(true), &json!(200)));
        // What was sent beyond the 4 KiB that are read was on its way when the connection was closed.
        assert!(receiver.flooded() < FLOOD_BYTES / 5, "{}", receiver.flooded());
        assert!(attempt["duration_ms"].as_i64().unwrap() < 5_000, "{attempt}");
    }

    async fn a_receiver_that_answers_410_ends_the_webhook(api) {
        let receiver = Receiver::start(&[Reaction::Answer(410)]);
        create_webhook(api, &receiver).await;
        api.submit_score("b", "p", 1).await;
        fail(api).await;
        api.submit_score("b", "q", 1).await;
        api.request_at("POST", TICK).send().await.expect_status(200);
        assert_eq!(api.get("/webhooks/hook/status").await.expect_status(200)["state"], "gone");
        assert_eq!(receiver.received().len(), 1);
    }

    async fn two_runs_at_once_deliver_each_message_once(api) {
        let receiver = Receiver::start(&[]);
        create_webhook(api, &receiver).await;
        for n in 0..20 {
            api.submit_score("b", &format!("p{n}"), n).await;
        }
        let run = || api.request_at("POST", TICK).send();
        tokio::join!(run(), run(), run(), run());
        deliver(api, &receiver, 20).await;
        let mut ids: Vec<String> = receiver.received().iter().map(|one| one.headers["webhook-id"].clone()).collect();
        assert_eq!(ids.len(), 20);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 20);
    }

    async fn only_the_operator_runs_deliveries(api) {
        let key = api.make_key(json!(["admin"])).await.1;
        api.request_at("POST", TICK).replace_header("x-api-key", &key).send().await.expect_problem(403, "forbidden");
        api.request_at("POST", TICK).without_header("x-api-key").send().await.expect_problem(401, "unauthenticated");
        let server = api.make_key(json!(["scores:write"])).await.1;
        api.with_key(&server, "GET", "/webhooks").send().await.expect_problem(403, "forbidden");
    }
}
