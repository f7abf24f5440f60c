//! Reads a message and splits it into its submissions.

use leaderboard_core::TenantId;
use leaderboard_core::access::Caller;

use leaderboard_api::json::{Errors, Field, Json};
use leaderboard_api::wire::submission::{Item, Sender, SubmissionTarget, batch_items, submission};
use leaderboard_api::{FieldError, Problem, ProblemType, json};
use leaderboard_pipeline::{MAX_BODY_BYTES, me};

/// The most bytes of a message whose submissions are told apart, so that each is kept on its own. One of more than
/// [`MAX_BODY_BYTES`] is not applied.
pub const MAX_SPLIT_BYTES: usize = 4 * MAX_BODY_BYTES;
/// The most submissions of a message that are told apart: half as many as there are dead letters of a tenant. Of more than one
/// request may hold none is applied.
pub const MAX_SPLIT_SCORES: usize = 5000;

/// A message that could be read, if not in all of its items.
pub(crate) struct ScoreMessage {
    /// Whose scores they are.
    pub tenant: TenantId,
    /// Submissions, each with its text.
    pub items: Vec<(Item, String)>,
    /// What is wrong with the others, each with its text.
    pub refused: Vec<(Problem, String)>,
}

/// A message that is refused as a whole.
pub(crate) struct Faulty {
    /// What is wrong with it as a whole.
    pub problem: Problem,
    /// Its submissions, where they can be told apart.
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

    /// Takes a message apart and notes what is wrong with it as a whole. `None` where its submissions cannot be told apart, are
    /// none, or are more than [`MAX_SPLIT_SCORES`].
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

/// One submission. Its letter holds it alone, so pointers begin at `#/scores/0`.
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
    if let Err(detail) = me::named(&Caller::Message, &item.submission.player) {
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
