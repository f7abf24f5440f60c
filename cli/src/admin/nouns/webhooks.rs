//! The commands about webhooks.

use crate::admin::operation::OptionKind::{Integer, Many, One, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, options,
};

const WEBHOOK: &str = "/webhooks/{webhook}";
/// The events that a webhook can get.
const EVENTS: &[&str] = &[
    "score.accepted",
    "ranks.changed",
    "leader.changed",
    "period.ended",
    "prizes.claimable",
    "player.banned",
    "quota.nearly_used",
];
const WEBHOOK_FIELDS: &[CommandOption] = options! {
    "url" => "url": Text, "The address that gets the messages";
    "title" => "title": Text, "The title of the webhook, for people";
    "events" => "events": Many(EVENTS), "The events that the webhook gets";
    "leaderboards" => "leaderboards": Many(&[]), "The leaderboards whose events the webhook gets [default: all]";
    "top" => "top": Integer, "How many ranks from the top ranks.changed is about [default: 10]";
    "active" => "active": One(&["true", "false"]), "Whether messages are sent [default: true]";
};
const ROTATION_FIELDS: &[CommandOption] = options! {
    "overlap-s" => "overlap_s": Integer, "How long messages are signed with the replaced secret, too, in seconds [default: 86400]";
};
pub(super) const WEBHOOKS: Noun = Noun {
    name: "webhooks",
    about: "Webhooks: messages about events to other systems",
    operations: &[
        AdminOperation::get("list", "/webhooks", "List the webhooks")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "webhooks",
                "id url events leaderboards active created_at",
            )),
        AdminOperation::get("get", WEBHOOK, "Show a webhook, without its secret").conditional(),
        AdminOperation::put(
            WEBHOOK,
            "Create or replace a webhook; only the command that creates it shows its secret",
            BodyRule::Required(WEBHOOK_FIELDS),
        )
        .conditional(),
        AdminOperation::delete("delete", WEBHOOK, "Delete a webhook and its messages", "deleted")
            .conditional(),
        AdminOperation::post(
            "rotate",
            "/webhooks/{webhook}/rotate",
            "Give a webhook a new secret; only this command shows it",
            BodyRule::Optional(ROTATION_FIELDS),
        )
        .conditional()
        .view(AnswerFormat::Secret("secret")),
        AdminOperation::post(
            "ping",
            "/webhooks/{webhook}/ping",
            "Send a test message now, and show what came of it",
            BodyRule::None,
        ),
        AdminOperation::get(
            "status",
            "/webhooks/{webhook}/status",
            "Show whether a webhook gets its messages, and the last attempts",
        ),
        AdminOperation::get(
            "deliveries",
            "/webhooks/{webhook}/deliveries",
            "List the messages that were not delivered, oldest first",
        )
        .paged(DOCUMENTS)
        .view(AnswerFormat::Rows(
            "deliveries",
            "id state event attempts next_attempt_at outcome",
        )),
        AdminOperation::post(
            "replay",
            "/webhooks/{webhook}/deliveries/{message}/replay",
            "Send a message again",
            BodyRule::None,
        ),
        AdminOperation::delete(
            "drop",
            "/webhooks/{webhook}/deliveries/{message}",
            "Delete a message that was not delivered",
            "dropped",
        ),
    ],
};
