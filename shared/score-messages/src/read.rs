//! Reads a message and splits it into its submissions.

use leaderboard_core::TenantId;
use leaderboard_core::access::Caller;

use leaderboard_api::json::{Errors, Field, Json};
use leaderboard_api::wire::submission::{Item, Sender, SubmissionTarget, batch_items, submission};
use leaderboard_api::{FieldError, Problem, ProblemType, json};
use leaderboard_pipeline::{MAX_BODY_BYTES, me};

/// The most bytes of a message that is split into its submissions, so that each becomes its own dead letter. A message of more
/// than [`MAX_BODY_BYTES`] is not applied.
pub const MAX_SPLIT_BYTES: usize = 4 * MAX_BODY_BYTES;
/// The most submissions of a message that is split: half of the dead letters that a tenant can have. A message with more
/// submissions than a request may have is not applied.
pub const MAX_SPLIT_SCORES: usize = 5000;

/// A message that could be read, at least in part.
pub(crate) struct ScoreMessage {
    /// The tenant of the scores.
    pub tenant: TenantId,
    /// The submissions that could be read, each with its text.
    pub items: Vec<(Item, String)>,
    /// The submissions that could not be read: what is wrong with each, and its text.
    pub refused: Vec<(Problem, String)>,
}

/// A message that is refused as a whole.
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
        let tree = json::parse(payload)?;
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
        fields.only(&["tenant", "scores"], errors);
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
            items: Vec::with_capacity(values.len()),
            refused: Vec::new(),
        };
        for value in values {
            match read_item(value) {
                Ok(item) => message.items.push((item, value.to_text())),
                Err(problem) => message.refused.push((problem, value.to_text())),
            }
        }
        Some(message)
    }
}

/// Reads one submission. Its dead letter has only this submission, so the pointers in the problem begin with `#/scores/0`.
fn read_item(value: &Json<'_>) -> Result<Item, Problem> {
    let mut errors = Errors::default();
    let root = Field::root(value);
    let scores = json::Pointer::Key(&root.pointer, "scores");
    let field = Field {
        value,
        pointer: json::Pointer::Index(&scores, 0),
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
