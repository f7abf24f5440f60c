//! Reads requests about webhooks, and writes webhooks.

use leaderboard_core::{Invalid, LeaderboardId};
use leaderboard_identity::token::{Hosts, checked_url};
use leaderboard_identity::webhook_secret::WebhookSecret;
use serde::Serialize;

use crate::json::{Errors, Field, Json, read_document};
use crate::problem::Problem;
use crate::webhook_record::{WEBHOOK_EVENTS, WebhookEvent, WebhookRecord, WebhookSettings};

/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 200;
/// The most leaderboards that a webhook can name. A delivery run reads the log of each of them.
pub const MAX_NAMED_LEADERBOARDS: usize = 100;
/// The most ranks that `ranks.changed` can be about, as for a stream of live updates.
pub const MAX_TOP: u32 = 100;
/// How many ranks `ranks.changed` is about when the request does not say it.
const DEFAULT_TOP: u32 = 10;
/// How long a replaced secret signs messages when the request does not say it, in seconds: a day.
const DEFAULT_OVERLAP_S: u32 = 24 * 60 * 60;
/// The longest time for which a replaced secret signs messages, in seconds: 30 days.
const MAX_OVERLAP_S: u32 = 30 * 24 * 60 * 60;

words_schema!(
    EventWord,
    "WebhookEvent",
    "An event that a webhook can get. `score.accepted`: a submission was accepted. `ranks.changed`: the first ranks of a leaderboard changed. `leader.changed`: another player is first. `period.ended`: a period has ended and its standings are final. `prizes.claimable`: players can claim prizes. `player.banned`: a player was banned. `quota.nearly_used`: the tenant has used 90 % of a quota.",
    WEBHOOK_EVENTS
);

request_fields! {
    /// A request that creates or replaces a webhook.
    FIELDS = "WebhookWritten" {
        /// The id of the webhook. It may be left out; otherwise it must be the id in the path.
        optional id: slug(),
        /// The address that gets the messages: `https`, and a public host, unless the operator allows private ones.
        required url: text(),
        /// The title of the webhook, for people.
        optional title: text_up_to(MAX_TITLE_CHARS),
        /// The events that the webhook gets; at least one.
        required events: list_from(1, reference("WebhookEvent")),
        /// The ids of the leaderboards whose events the webhook gets, at most 100. Default: an empty list, which is all of them.
        optional leaderboards: list_up_to(MAX_NAMED_LEADERBOARDS, slug()),
        /// How many ranks from the top `ranks.changed` is about. Default: 10.
        optional top: integer_within(1, MAX_TOP),
        /// Whether messages are sent. Default: `true`.
        optional active: boolean(),
    }
}

request_fields! {
    /// A request for a new secret of a webhook.
    ROTATION_FIELDS = "WebhookRotation" {
        /// How long messages are signed with the replaced secret, too, in seconds. Default: 86400, a day.
        optional overlap_s: integer_within(0, MAX_OVERLAP_S),
    }
}

/// Reads a webhook's document. `hosts` are the hosts that it may name.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read(tree: &Json<'_>, id: &str, hosts: Hosts) -> Result<WebhookSettings, Problem> {
    read_document(tree, &FIELDS, |fields, errors| {
        fields.match_path(id, errors);
        let url = fields.read_required("url", |field, errors| url(field, hosts, errors), errors);
        let title = fields.read("title", title, errors);
        let events = fields.read_required("events", events, errors);
        let leaderboards = fields.read("leaderboards", leaderboards, errors);
        let top = fields.read(
            "top",
            |field, errors| integer_within(field, 1, MAX_TOP, errors),
            errors,
        );
        let active = fields.read("active", Field::boolean, errors);
        Some(WebhookSettings {
            url: url?,
            title: title.unwrap_or_default(),
            events: events?,
            leaderboards: leaderboards.unwrap_or_default(),
            top: top.unwrap_or(DEFAULT_TOP),
            active: active.unwrap_or(true),
        })
    })
}

fn url(field: Field<'_, '_>, hosts: Hosts, errors: &mut Errors) -> Option<String> {
    let check =
        |text: &'_ str| checked_url(text, hosts).map_err(|problem| Invalid::new("", problem.to_string()));
    field.parsed(check, errors)?;
    field.text(errors).map(str::to_owned)
}

fn title(field: Field<'_, '_>, errors: &mut Errors) -> Option<String> {
    let text = field.text(errors)?;
    if text.chars().count() > MAX_TITLE_CHARS {
        errors.add(
            &field.pointer,
            format!("must be at most {MAX_TITLE_CHARS} characters"),
        );
    }
    if text.chars().any(char::is_control) {
        errors.add(&field.pointer, "must not contain control characters");
    }
    Some(text.to_owned())
}

/// Reads the list of events, without repetitions.
fn events(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<WebhookEvent>> {
    let list = field.list(|item, errors| item.choice(&WEBHOOK_EVENTS, errors), errors)?;
    if list.is_empty() {
        errors.add(&field.pointer, "must have at least one event");
    }
    let mut events: Vec<WebhookEvent> = list.into_iter().flatten().collect();
    events.sort_unstable();
    events.dedup();
    Some(events)
}

fn leaderboards(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<String>> {
    if field.array(errors)?.len() > MAX_NAMED_LEADERBOARDS {
        errors.add(
            &field.pointer,
            format!("must be at most {MAX_NAMED_LEADERBOARDS} leaderboards"),
        );
        return None;
    }
    let list = field.list(|item, errors| item.parsed(LeaderboardId::new, errors), errors)?;
    let mut ids: Vec<String> = list
        .into_iter()
        .flatten()
        .map(|id| id.as_str().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

fn integer_within(field: Field<'_, '_>, least: u32, most: u32, errors: &mut Errors) -> Option<u32> {
    let number: u32 = field.integer(errors)?;
    if !(least..=most).contains(&number) {
        errors.add(
            &field.pointer,
            format!("must be an integer from {least} to {most}"),
        );
    }
    Some(number)
}

/// Reads the body of a rotation: for how many seconds the replaced secret signs messages, too.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read_overlap(tree: &Json<'_>) -> Result<u32, Problem> {
    read_document(tree, &ROTATION_FIELDS, |fields, errors| {
        let overlap_s = fields.read(
            "overlap_s",
            |field, errors| integer_within(field, 0, MAX_OVERLAP_S, errors),
            errors,
        );
        Some(overlap_s.unwrap_or(DEFAULT_OVERLAP_S))
    })
}

/// A webhook.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Webhook))]
pub struct WebhookBody<'a> {
    /// The id of the webhook.
    id: &'a str,
    /// The address that gets the messages.
    url: &'a str,
    /// The title of the webhook, for people.
    title: &'a str,
    /// The events that the webhook gets.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<EventWord>))]
    events: Vec<&'static str>,
    /// The ids of the leaderboards whose events the webhook gets. An empty list is all of them.
    leaderboards: &'a [String],
    /// How many ranks from the top `ranks.changed` is about.
    top: u32,
    /// Whether messages are sent.
    active: bool,
    /// When the webhook was created. It gets events that happened after this.
    created_at: String,
    /// Until when messages are also signed with the replaced secret; `null` if there was none.
    replaced_secret_until: Option<String>,
    /// The secret that signs the messages. Only the response that creates the webhook or rotates the secret has this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    secret: Option<String>,
}

impl<'a> WebhookBody<'a> {
    /// Returns a webhook without its secret.
    pub fn new(id: &'a str, record: &'a WebhookRecord) -> Self {
        let settings = &record.settings;
        Self {
            id,
            url: &settings.url,
            title: &settings.title,
            events: settings.events.iter().map(|event| event.as_str()).collect(),
            leaderboards: &settings.leaderboards,
            top: settings.top,
            active: settings.active,
            created_at: record.created_at().to_string(),
            replaced_secret_until: record.former_secret_until().map(|until| until.to_string()),
            secret: None,
        }
    }

    /// Returns the document with the secret.
    pub fn with_secret(mut self, secret: &WebhookSecret) -> Self {
        self.secret = Some(secret.reveal());
        self
    }
}

/// Adds the schemas of webhooks.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add_list::<WebhookBody<'_>>(
        "Webhooks",
        "webhooks",
        ["A page of webhooks.", "The webhooks, in the order of their ids."],
    );
    all.add_requests(&[&FIELDS, &ROTATION_FIELDS]);
}
