//! The documents of the API: reads the documents in requests, and writes the documents in responses.

pub mod ban;
pub mod comparison;
pub mod cursor;
pub mod entries;
pub mod event_projections;
pub mod events;
pub mod issuer;
pub mod issuer_body;
pub mod key;
pub mod leaderboard;
pub mod live;
mod names;
pub mod outcome;
pub mod ranks;
pub mod scopes;
pub mod shard;
pub mod standings;
pub mod submission;
pub mod tenant;
pub mod token;
pub mod transfer;
pub mod transfer_lines;
mod v2;
mod values;
mod versioned;
pub mod webhook;
pub mod webhook_delivery;
pub mod webhook_message;

pub use names::Names;
pub use values::NamedValues;
pub use versioned::{ListBody, VersionedPlayer};

use leaderboard_core::{LeaderboardId, Submission};

use crate::problem::Problem;

/// Adds the schemas of all documents here.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut crate::schema::Schemas) {
    ranks::add_schemas(all);
    leaderboard::add_schemas(all);
    comparison::add_schemas(all);
    transfer::add_schemas(all);
    shard::add_schemas(all);
    standings::add_schemas(all);
    events::add_schemas(all);
    event_projections::add_schemas(all);
    submission::add_schemas(all);
    outcome::add_schemas(all);
    ban::add_schemas(all);
    tenant::add_schemas(all);
    key::add_schemas(all);
    issuer::add_schemas(all);
    token::add_schemas(all);
    live::add_schemas(all);
    webhook::add_schemas(all);
    webhook_delivery::add_schemas(all);
}

/// Reads a body of scores for one leaderboard: one submission, or `{"scores": […]}`.
///
/// # Errors
/// A problem that lists the faults of the body.
pub fn read_scores(body: &[u8], leaderboard: &LeaderboardId) -> Result<Vec<Submission>, Problem> {
    let scores = submission::scores(
        body,
        submission::SubmissionTarget::Path(leaderboard),
        submission::Sender::Server,
    )?;
    Ok(scores.items.into_iter().map(|item| item.submission).collect())
}

/// Returns the word for a choice. Every table has a word for each choice.
fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], choice: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == choice)
        .map_or("", |(word, _)| word)
}
