//! Reads submissions.

use std::collections::BTreeSet;

use leaderboard_core::ports::MAX_CONFIGURATIONS_READ;
use leaderboard_core::{
    Invalid, LeaderboardId, MAX_COLUMN_NAME_BYTES, MAX_COLUMNS, Metadata, Operator, PlayerId, Submission,
    SubmissionId, SubmittedValues,
};

use crate::json::{Errors, Field, Fields, Json, Pointer, compact, parse};
use crate::problem::{ItemPlace, Problem};

/// The most submissions in one request.
pub const MAX_BATCH: usize = 1000;
/// The most leaderboards that one submission names. The store applies the submission to all of them in one step.
pub const MAX_LEADERBOARDS: usize = 16;

/// The most different leaderboards that one request names. One command reads all their configurations.
pub const MAX_REQUEST_LEADERBOARDS: usize = MAX_CONFIGURATIONS_READ;
/// The most submissions in one request with a player's token.
pub const MAX_PLAYER_BATCH: usize = 20;

/// The words for operators.
pub const OPERATORS: [(&str, Operator); 4] = [
    ("best", Operator::Best),
    ("set", Operator::Set),
    ("increment", Operator::Increment),
    ("decrement", Operator::Decrement),
];

words_schema!(
    OperatorWord,
    "Operator",
    "How a submission changes an entry. `best`: the better values stay. `set`: the submitted values replace the values of the entry. `increment` and `decrement`: the submitted value is added to the first column or subtracted from it, and the other columns are replaced.",
    OPERATORS
);

request_fields! {
    /// One submission. It has either `score` or `values`.
    FIELDS = "Submission" {
        /// The player that the score belongs to; at most 128 bytes of UTF-8.
        required player: text_within(leaderboard_core::MAX_PLAYER_BYTES),
        /// The score, for a leaderboard with one column.
        optional score: reference("Int64"),
        /// The values of the columns, by the names of the columns.
        optional values: reference("Values"),
        /// An object of the client, at most 1 KiB. The entry keeps the metadata of the submission that gave it its values.
        optional metadata: reference("Metadata"),
        /// When the score happened, which decides the period. Default: now.
        optional occurred_at: time(),
        /// An id of the submission. A second submission with the same id within 24 hours changes nothing and gets the outcome of
        /// the first one.
        optional id: text_within(leaderboard_core::MAX_SUBMISSION_ID_BYTES),
        /// Replaces the operator of the leaderboard for this submission. A server may send it if the leaderboard has
        /// `operator_override`. A server may always send `set`; if the leaderboard does not allow it otherwise, the audit log
        /// records the submission as a correction. A player's own token may never send it.
        optional operator: reference("Operator"),
    }
}

request_fields! {
    /// One submission to several leaderboards. It also has all fields of a submission, with either `score` or `values`.
    FIELDS_TO_SEVERAL = "SubmissionToSeveral" {
        /// The leaderboards. The submission is applied to all of them or to none of them.
        required leaderboards: list_within(1, MAX_LEADERBOARDS, text()),
    }
}

request_fields! {
    /// Several submissions.
    BATCH_FIELDS = "Batch" {
        /// The submissions, in the order in which they are applied.
        required scores: list_within(1, MAX_BATCH, reference("Submission")),
    }
}

request_fields! {
    /// Several submissions, each to several leaderboards.
    BATCH_FIELDS_TO_SEVERAL = "BatchToSeveral" {
        /// The submissions, in the order in which they are applied.
        required scores: list_within(1, MAX_BATCH, reference("SubmissionToSeveral")),
    }
}

/// Adds the schemas of submissions.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    use crate::schema::one_of;
    all.add::<OperatorWord>();
    all.add_requests(&[
        &FIELDS,
        &FIELDS_TO_SEVERAL,
        &BATCH_FIELDS,
        &BATCH_FIELDS_TO_SEVERAL,
    ]);
    all.add_fields_of("Submission", "SubmissionToSeveral");
    let scores = one_of(
        "One submission, or a batch of them.",
        [
            ("Submission", "One submission."),
            ("Batch", "A batch of submissions."),
        ],
    );
    all.insert("Scores", scores);
    let about = "One submission to several leaderboards, or a batch of them.";
    let scores = one_of(
        about,
        [
            ("SubmissionToSeveral", "One submission."),
            ("BatchToSeveral", "A batch of submissions."),
        ],
    );
    all.insert("ScoresToSeveral", scores);
}

/// The leaderboards that submissions go to.
#[derive(Debug, Clone, Copy)]
pub enum SubmissionTarget<'d> {
    /// The leaderboard of the path.
    Path(&'d LeaderboardId),
    /// The leaderboards that each submission names in `leaderboards`.
    Body,
}

/// A submission, and its place in the body.
#[derive(Debug, Clone)]
pub struct Item {
    /// The submission.
    pub submission: Submission,
    /// Where the submission is in the body. The pointers of errors begin here.
    pub place: ItemPlace,
}

/// The sender of a body, who decides how many submissions the body may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A player's token: at most [`MAX_PLAYER_BATCH`] submissions.
    Player,
    /// A server: at most [`MAX_BATCH`] submissions.
    Server,
}

impl Sender {
    const fn max_batch(self) -> usize {
        match self {
            Self::Player => MAX_PLAYER_BATCH,
            Self::Server => MAX_BATCH,
        }
    }
}

/// The submissions of a body.
#[derive(Debug)]
pub struct SubmissionBody {
    /// The submissions, in order.
    pub items: Vec<Item>,
    /// Whether the body is a batch: `{"scores": […]}`.
    pub batch: bool,
}

/// Reads a body: one submission, or `{"scores": […]}` with as many submissions as the sender may send.
///
/// # Errors
/// A problem that lists what is wrong. No submission of such a body is applied.
pub fn scores(
    body: &[u8],
    destination: SubmissionTarget<'_>,
    sender: Sender,
) -> Result<SubmissionBody, Problem> {
    let tree = parse(body)?;
    let mut errors = Errors::default();
    let scores = read_scores(&tree, destination, sender, &mut errors);
    errors.check()?;
    scores.ok_or_else(|| Problem::internal("a body without errors was not understood"))
}

fn read_scores(
    tree: &Json<'_>,
    destination: SubmissionTarget<'_>,
    sender: Sender,
    errors: &mut Errors,
) -> Option<SubmissionBody> {
    let fields = Field::root(tree).object(errors)?;
    let Some(list) = fields.iter().find(|(name, _)| *name == "scores") else {
        let items = vec![submission(fields, destination, errors)?];
        return Some(SubmissionBody { items, batch: false });
    };
    let known = match destination {
        SubmissionTarget::Path(_) => &BATCH_FIELDS,
        SubmissionTarget::Body => &BATCH_FIELDS_TO_SEVERAL,
    };
    fields.only(known.names, errors);
    let batch = list.1;
    let values = batch_items(&batch, sender, errors)?;
    let mut items: Vec<Item> = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let fields = batch.item(at, value).object(errors);
        items.extend(fields.and_then(|fields| submission(fields, destination, errors)));
    }
    let named = items.iter().flat_map(|item| &item.submission.leaderboards);
    if named.collect::<BTreeSet<_>>().len() > MAX_REQUEST_LEADERBOARDS {
        errors.add(
            &batch.pointer,
            format!("must name at most {MAX_REQUEST_LEADERBOARDS} different leaderboards"),
        );
    }
    Some(SubmissionBody { items, batch: true })
}

/// Reads the items of a batch: at least one, and at most as many as the sender may submit.
pub fn batch_items<'f, 'a>(
    batch: &Field<'f, 'a>,
    sender: Sender,
    errors: &mut Errors,
) -> Option<&'f [Json<'a>]> {
    let values = batch.array(errors)?;
    let most = sender.max_batch();
    if values.is_empty() || values.len() > most {
        let why = match sender {
            Sender::Player => " with a player's token",
            Sender::Server => "",
        };
        errors.add(&batch.pointer, format!("must have 1 to {most} submissions{why}"));
        return None;
    }
    Some(values)
}

/// Reads one submission.
pub fn submission(
    fields: Fields<'_, '_>,
    destination: SubmissionTarget<'_>,
    errors: &mut Errors,
) -> Option<Item> {
    match destination {
        SubmissionTarget::Path(_) => fields.only(FIELDS.names, errors),
        SubmissionTarget::Body => fields.only(&[FIELDS.names, FIELDS_TO_SEVERAL.names].concat(), errors),
    }
    let leaderboards = match destination {
        SubmissionTarget::Path(id) => Some(vec![id.clone()]),
        SubmissionTarget::Body => fields.read_required("leaderboards", leaderboards, errors),
    };
    let player = fields.read_required(
        "player",
        |field, errors| field.parsed(PlayerId::new, errors),
        errors,
    );
    let numbers = numbers(&fields, errors);
    // An optional field with an error reads as `None`; the error is in `errors`, so the submission is not used.
    let operator = fields.choice("operator", &OPERATORS, errors);
    let metadata = fields.read("metadata", metadata, errors);
    let occurred_at = fields.read("occurred_at", Field::time, errors);
    let id = fields.read(
        "id",
        |field, errors| field.parsed(SubmissionId::new, errors),
        errors,
    );
    let (values, numbers) = numbers?;
    let submission = Submission {
        leaderboards: leaderboards?,
        player: player?,
        values,
        operator,
        metadata,
        occurred_at,
        id,
        request: None,
        received_at: None,
    };
    let place = ItemPlace {
        item: fields.pointer.to_string(),
        numbers,
        keyed: false,
    };
    Some(Item { submission, place })
}

fn leaderboards(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<LeaderboardId>> {
    let values = field.array(errors)?;
    if values.is_empty() || values.len() > MAX_LEADERBOARDS {
        errors.add(
            &field.pointer,
            format!("must name 1 to {MAX_LEADERBOARDS} leaderboards"),
        );
        return None;
    }
    let mut ids: Vec<LeaderboardId> = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let item = field.item(at, value);
        let unique = |text: &str| {
            let id = LeaderboardId::new(text)?;
            if ids.contains(&id) {
                return Err(Invalid::new("", "is named twice"));
            }
            Ok(id)
        };
        let id = item.parsed(unique, errors);
        ids.extend(id);
    }
    (ids.len() == values.len()).then_some(ids)
}

/// Reads `score` or `values`. Returns the numbers and the name of the field.
fn numbers(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<(SubmittedValues, &'static str)> {
    match (fields.optional("score"), fields.optional("values")) {
        (Some(score), None) => Some((SubmittedValues::Score(score.integer(errors)?), "score")),
        (None, Some(values)) => Some((SubmittedValues::Named(named(values, errors)?), "values")),
        (Some(_), Some(values)) => {
            errors.add(&values.pointer, "must not be sent together with score");
            None
        }
        (None, None) => {
            errors.add(&Pointer::Key(&fields.pointer, "score"), "is required (or values)");
            None
        }
    }
}

fn named(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<(String, i64)>> {
    let fields = field.object(errors)?;
    let count = fields.iter().count();
    if count == 0 || count > MAX_COLUMNS {
        errors.add(&fields.pointer, format!("must have 1 to {MAX_COLUMNS} columns"));
        return None;
    }
    let mut values = Vec::with_capacity(count);
    for (name, field) in fields.iter() {
        if name.len() > MAX_COLUMN_NAME_BYTES {
            errors.add(&field.pointer, "is not the name of a column");
        } else if let Some(value) = field.integer(errors) {
            values.push((name.to_owned(), value));
        }
    }
    (values.len() == count).then_some(values)
}

fn metadata(field: Field<'_, '_>, errors: &mut Errors) -> Option<Metadata> {
    let fields = field.object(errors)?;
    match Metadata::from_json_text(compact(fields.raw())) {
        Ok(metadata) => Some(metadata),
        Err(invalid) => {
            errors.add_invalid(&fields.pointer, &invalid);
            None
        }
    }
}

#[cfg(test)]
mod tests;
