//! The operations of webhooks.

use crate::operation::{DescribedResponse, Operation, Shape};

const WEBHOOK: &str = "/webhooks/:webhook";
const BODY: Shape = Shape::Json("Webhook");
const TAGGED: &[&str] = &["ETag"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/webhooks", "listWebhooks", "List the webhooks")
        .about("Secrets are not included.")
        .lists_by_id()
        .gives(&[DescribedResponse::new(200, "A page of webhooks.", Shape::Json("Webhooks"))
            .like(&["webhooks-listed"])]),
    Operation::new("GET", WEBHOOK, "readWebhook", "Read a webhook")
        .about("The response does not have the secret of the webhook.")
        .checks_version()
        .gives(&[
            DescribedResponse::new(200, "The webhook.", BODY)
                .with(TAGGED)
                .like(&["webhook-read"]),
            DescribedResponse::unchanged(),
        ]),
    Operation::new("PUT", WEBHOOK, "putWebhook", "Create or replace a webhook")
        .about("A webhook gets messages about events that happen after it was created; `docs/guide/webhooks.md` describes them. The response to the request that creates a webhook has the secret that signs its messages. The secret stays the same when the webhook is replaced. A webhook whose receiver answered 410 is tried again after each `PUT`.")
        .checks_version()
        .reads("WebhookWritten")
        .gives(&[
            DescribedResponse::new(200, "The webhook was replaced.", BODY)
                .with(TAGGED)
                .like(&["webhook-replaced"]),
            DescribedResponse::new(201, "The webhook was created.", BODY)
                .with(&["ETag", "Location"])
                .like(&["webhook-created"]),
        ])
        .refuses(&[409, 412]),
    Operation::new("DELETE", WEBHOOK, "deleteWebhook", "Delete a webhook")
        .checks_version()
        .gives(&[DescribedResponse::done("The webhook is deleted, and its messages are not sent any more.")])
        .refuses(&[409, 412]),
    Operation::new("POST", "/webhooks/:webhook/rotate", "rotateWebhook", "Give a webhook a new secret")
        .about("Only this response shows the new secret. For `overlap_s` seconds, each message has two signatures: of the new secret and of the replaced one.")
        .checks_version()
        .reads("WebhookRotation")
        .gives(&[DescribedResponse::new(200, "The webhook with its new secret.", BODY)
            .with(TAGGED)
            .like(&["webhook-rotated"])])
        .refuses(&[409, 412]),
    Operation::new("POST", "/webhooks/:webhook/ping", "pingWebhook", "Send a test message")
        .about("The service sends a message of the type `edgeboard.webhook.ping` at once, and the response says what came of it. The message is not tried again.")
        .gives(&[DescribedResponse::new(200, "The attempt.", Shape::Json("WebhookAttempt")).like(&["webhook-pinged"])]),
    Operation::new("GET", "/webhooks/:webhook/status", "readWebhookStatus", "Show whether a webhook gets its messages")
        .about("The response has the last 100 attempts.")
        .gives(&[DescribedResponse::new(200, "The state of the webhook.", Shape::Json("WebhookStatus"))
            .like(&["webhook-status"])]),
    Operation::new("GET", "/webhooks/:webhook/deliveries", "listWebhookDeliveries", "List the messages that were not delivered")
        .about("A message waits for its next attempt (`pending`), or was given up after ten attempts (`dead`).")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(200, "A page of messages.", Shape::Json("WebhookDeliveries"))
            .like(&["webhook-deliveries"])]),
    Operation::new("POST", "/webhooks/:webhook/deliveries/:message/replay", "replayWebhookDelivery", "Send a message again")
        .about("The next delivery run sends the message, and tries it as often as a new one.")
        .gives(&[DescribedResponse::new(202, "The message.", Shape::Json("WebhookDelivery"))
            .like(&["webhook-delivery-replayed"])])
        .refuses(&[409]),
    Operation::new("DELETE", "/webhooks/:webhook/deliveries/:message", "deleteWebhookDelivery", "Delete a message that was not delivered")
        .gives(&[DescribedResponse::done("The message is deleted.")]),
    Operation::new("POST", "/internal/webhooks/tick", "deliverWebhooks", "Deliver messages to webhooks")
        .about("A scheduler sends this request, for example once per second. It delivers new messages and those whose next attempt is due, of all tenants, for about five seconds.")
        .gives(&[DescribedResponse::new(200, "What was delivered.", Shape::Json("DeliveryRun")).like(&["webhooks-delivered"])]),
];
