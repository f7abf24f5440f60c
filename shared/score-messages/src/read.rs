//! Reads a message and splits it into its submissions.

use std::borrow::Cow;

use leaderboard_core::access::Caller;
use leaderboard_core::{
    Fingerprint, Invalid, LeaderboardId, PlayerId, Submission, SubmittedValues, TenantId,
};

use leaderboard_api::json::{Errors, Field, Json, Pointer, parse};
use leaderboard_api::wire::submission::{Item, OPERATORS, Sender, SubmissionTarget, batch_items, submission};
use leaderboard_api::{FieldError, Problem, ProblemType};
use leaderboard_identity::hex;
use leaderboard_pipeline::{MAX_BODY_BYTES, me};
use serde_json::json;

/// The most bytes of a message that is split into its submissions, so that each becomes its own dead letter. A message of more
/// than [`MAX_BODY_BYTES`] is not applied.
pub const MAX_SPLIT_BYTES: usize = 4 * MAX_BODY_BYTES;
/// The most submissions of a message that is split: half of the dead letters that a tenant can have. A message with more
/// submissions than a request may have is not applied.
pub const MAX_SPLIT_SCORES: usize = 5000;

/// The longest wake-up, in bytes: room for spaces.
const MAX_WAKE_UP_BYTES: usize = 64;

/// Returns whether a message is a wake-up, `{"wake": true}`: it has no scores, and says that the queue has some.
pub fn is_wake_up(payload: &[u8]) -> bool {
    payload.len() <= MAX_WAKE_UP_BYTES
        && serde_json::from_slice(payload)
            .is_ok_and(|value: serde_json::Value| value == json!({"wake": true}))
}

/// A message that could be read, at least in part.
#[derive(Debug)]
pub(crate) struct ScoreMessage {
    /// The tenant of the scores.
    pub tenant: TenantId,
    /// The player whose permissions the submissions have, instead of a message's. Dead letters of requests with a player's token
    /// name the player.
    pub sender: Option<PlayerId>,
    /// The digest of the request that the submissions came in ([`Submission::request`]). Dead letters of requests with an idempotency
    /// key have it, so that a replay has the same fingerprint as the request.
    pub request_digest: Option<Fingerprint>,
    /// The submissions that could be read.
    pub items: Vec<MessageItem>,
    /// The submissions that could not be read: what is wrong with each, and its text.
    pub refused: Vec<(Problem, String)>,
}

/// A submission of a message.
#[derive(Debug)]
pub(crate) struct MessageItem {
    pub item: Item,
    /// The submission as the message has it; `None` if it came in a request, and so has no such text yet.
    pub text: Option<String>,
}

impl MessageItem {
    /// Returns the submission as a message has it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match &self.text {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(submission_text(&self.item.submission)),
        }
    }
}

/// A message that is refused as a whole.
#[derive(Debug)]
pub(crate) struct Faulty {
    /// What is wrong with the whole message.
    pub problem: Problem,
    /// The message's submissions; `None` if they cannot be separated.
    pub parts: Option<ScoreMessage>,
}

impl From<Problem> for Faulty {
    fn from(problem: Problem) -> Self {
        Self { problem, parts: None }
    }
}

impl ScoreMessage {
    /// Reads the bytes of a message.
    ///
    /// # Errors
    /// What is wrong with the message as a whole, and what could be read of it.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Faulty> {
        let too_large = || Problem::new(ProblemType::BodyTooLarge);
        if payload.len() > MAX_SPLIT_BYTES {
            return Err(too_large().into());
        }
        let tree = parse(payload)?;
        let mut errors = Errors::default();
        let parts = Self::read(&tree, &mut errors);
        let checked = if payload.len() > MAX_BODY_BYTES {
            Err(too_large())
        } else {
            errors.check()
        };
        match (checked, parts) {
            (Ok(()), Some(message)) => Ok(message),
            (Ok(()), None) => Err(Problem::internal("a message without errors was not understood").into()),
            (Err(problem), parts) => Err(Faulty { problem, parts }),
        }
    }

    /// Splits a message into its submissions, and adds what is wrong with the whole message to `errors`. Returns `None` if the
    /// submissions cannot be separated, if there are none, or if there are more than [`MAX_SPLIT_SCORES`].
    fn read(tree: &Json<'_>, errors: &mut Errors) -> Option<Self> {
        let fields = Field::root(tree).object(errors)?;
        fields.only(&["tenant", "sender", "request_digest", "scores"], errors);
        let sender = fields.read(
            "sender",
            |field, errors| field.parsed(PlayerId::new, errors),
            errors,
        );
        let request_digest = fields.read(
            "request_digest",
            |field, errors| field.parsed(parse_digest, errors),
            errors,
        );
        let tenant = fields
            .required("tenant", errors)
            .and_then(|field| field.parsed(TenantId::new, errors));
        let batch = fields.required("scores", errors)?;
        let values = batch.array(errors)?;
        // It notes that there are none or too many; the latter are read all the same.
        batch_items(&batch, Sender::Server, errors);
        if values.is_empty() || values.len() > MAX_SPLIT_SCORES {
            return None;
        }
        let mut message = Self {
            tenant: tenant?,
            sender,
            request_digest,
            items: Vec::with_capacity(values.len()),
            refused: Vec::new(),
        };
        for value in values {
            match read_item(value) {
                Ok(mut item) => {
                    item.submission.request = request_digest;
                    let text = Some(value.to_text());
                    message.items.push(MessageItem { item, text });
                }
                Err(problem) => message.refused.push((problem, value.to_text())),
            }
        }
        Some(message)
    }

    /// Returns the caller whose permissions the submissions have.
    pub(crate) fn caller(&self) -> Caller {
        let player = self.sender.clone();
        player.map_or(Caller::Message, Caller::Player)
    }

    /// Returns the text of a message with these submissions, which came in a request with this digest. It has the tenant and the sender
    /// of this message.
    pub(crate) fn text_of<'t>(
        &self,
        request_digest: Option<&Fingerprint>,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> String {
        let sender = self
            .sender
            .as_ref()
            .map(|player| format!(",\"sender\":{}", json!(player.as_str())));
        let digest = request_digest.map(|digest| format!(",\"request_digest\":\"{}\"", hex::encode(digest)));
        let scores: Vec<&str> = texts.into_iter().collect();
        format!(
            "{{\"tenant\":\"{}\"{}{},\"scores\":[{}]}}",
            self.tenant,
            sender.unwrap_or_default(),
            digest.unwrap_or_default(),
            scores.join(",")
        )
    }
}

fn parse_digest(text: &str) -> Result<Fingerprint, Invalid> {
    hex::decode(text).ok_or_else(|| Invalid::new("", "must be 32 lower-case hexadecimal digits"))
}

/// Returns a submission as a message has it.
pub(crate) fn submission_text(submission: &Submission) -> String {
    let mut fields = json!({
        "leaderboards": submission.leaderboards.iter().map(LeaderboardId::as_str).collect::<Vec<_>>(),
        "player": submission.player.as_str(),
    });
    let mut add = |name: &str, value: serde_json::Value| {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    match &submission.values {
        SubmittedValues::Score(score) => add("score", json!(score)),
        SubmittedValues::Named(named) => {
            let named: serde_json::Map<_, _> = named
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            add("values", named.into());
        }
    }
    if let Some(operator) = submission.operator
        && let Some((word, _)) = OPERATORS.iter().find(|(_, known)| *known == operator)
    {
        add("operator", json!(word));
    }
    if let Some(at) = submission.occurred_at {
        add("occurred_at", json!(at.to_string()));
    }
    if let Some(id) = &submission.id {
        add("id", json!(id.as_str()));
    }
    let text = fields.to_string();
    // Metadata is the client's own text: its numbers would not survive a conversion.
    match (&submission.metadata, text.strip_suffix('}')) {
        (Some(metadata), Some(begin)) => format!("{begin},\"metadata\":{}}}", metadata.as_json_text()),
        _ => text,
    }
}

/// Reads one submission. Its dead letter has only this submission, so the pointers in the problem begin with `#/scores/0`.
fn read_item(value: &Json<'_>) -> Result<Item, Problem> {
    let mut errors = Errors::default();
    let root = Field::root(value);
    let scores = Pointer::Key(&root.pointer, "scores");
    let field = Field {
        value,
        pointer: Pointer::Index(&scores, 0),
    };
    let item = field
        .object(&mut errors)
        .and_then(|fields| submission(fields, SubmissionTarget::Body, &mut errors));
    errors.check()?;
    let item = item.ok_or_else(|| Problem::internal("an item without errors was not understood"))?;
    if let Err(detail) = me::resolve_me(&Caller::Message, &item.submission.player) {
        return Err(
            Problem::new(ProblemType::Validation).with_error(FieldError::body("#/scores/0/player", detail))
        );
    }
    if item.submission.id.is_none() {
        return Err(Problem::new(ProblemType::Validation).with_error(FieldError::body(
            "#/scores/0/id",
            "is required in a message: every region receives it",
        )));
    }
    Ok(item)
}
