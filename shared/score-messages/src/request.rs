//! Requests in the queue, as bytes.

use leaderboard_api::wire::submission::{Item, Sender, SubmissionTarget, scores};
use leaderboard_api::{FieldError, Problem, ProblemType};
use leaderboard_core::access::Caller;
use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::{LeaderboardId, PlayerId, SubmissionId};
use leaderboard_pipeline::{idempotency, me};

use crate::read::submission_text;

/// The first byte of an encoded request. The payload of an item can also be a message, which is JSON and does not begin with it.
const REQUEST_V1: u8 = 1;

/// The largest first byte of a request of another version. Greater bytes begin a message: JSON begins with a brace, or with a tab or
/// another space before it.
const LAST_REQUEST: u8 = 8;

/// A valid request with submissions, as the API accepted it.
#[derive(Debug, Clone, Copy)]
pub struct AcceptedRequest<'a> {
    /// The leaderboard of the path; `None` if each submission names its leaderboards.
    pub leaderboard: Option<&'a LeaderboardId>,
    /// The player whose token sent the request; `None` for a server.
    pub player: Option<&'a PlayerId>,
    /// What the ids of the submissions depend on, if the request has an idempotency key ([`idempotency::read_id_seed`]).
    pub id_seed: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

impl AcceptedRequest<'_> {
    /// Returns the request as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(REQUEST_V1);
        w.option(self.leaderboard, |w, id| w.text(id.as_str()));
        w.option(self.player, |w, player| w.text(player.as_str()));
        w.option(self.id_seed, Writer::bytes);
        w.bytes(self.body);
        w.finish()
    }
}

/// The submissions of a request in the queue.
#[derive(Debug)]
pub(crate) struct ReadRequest {
    pub player: Option<PlayerId>,
    /// Whether the path named the leaderboard.
    pub has_path: bool,
    /// The submissions; each has an id.
    pub items: Vec<Item>,
}

/// Returns whether the payload of an item is a request of the API. Otherwise, it is a message.
pub(crate) fn is_request(payload: &[u8]) -> bool {
    payload.first() == Some(&REQUEST_V1)
}

/// Returns whether the payload of an item is a request in the format of a newer version.
pub(crate) fn is_newer_request(payload: &[u8]) -> bool {
    let codes = REQUEST_V1 + 1..=LAST_REQUEST;
    payload.first().is_some_and(|code| codes.contains(code))
}

impl ReadRequest {
    /// Reads the request with this id. A submission without an id gets one that depends on the request's id and its position, so that
    /// it counts once if the request is applied twice.
    ///
    /// # Errors
    /// The bytes are not a request that the API accepted.
    pub(crate) fn decode(payload: &[u8], id: &str) -> Result<Self, Problem> {
        let malformed = |error: Malformed| Problem::internal(error.to_string());
        let mut r = Reader::new(payload);
        let code = r.byte().map_err(malformed)?;
        let leaderboard = r.option(Reader::text).map_err(malformed)?;
        let player = r.option(Reader::player).map_err(malformed)?;
        let id_seed = r.option(Reader::bytes).map_err(malformed)?;
        let body = r.bytes().map_err(malformed)?;
        r.end().map_err(malformed)?;
        if code != REQUEST_V1 {
            return Err(malformed(Malformed("request code")));
        }
        let leaderboard = leaderboard.map(LeaderboardId::new).transpose();
        let leaderboard = leaderboard.map_err(|_| malformed(Malformed("leaderboard")))?;
        let target = leaderboard
            .as_ref()
            .map_or(SubmissionTarget::Body, SubmissionTarget::Path);
        let sender = if player.is_some() {
            Sender::Player
        } else {
            Sender::Server
        };
        let mut items = scores(body, target, sender)?.items;
        let caller = player
            .as_ref()
            .map_or(Caller::Message, |player| Caller::Player(player.clone()));
        replace_me(&caller, &mut items)?;
        if let Some(seed) = id_seed {
            idempotency::apply_id_seed(seed, body, &mut items);
        }
        for (at, item) in items.iter_mut().enumerate() {
            if item.submission.id.is_none() {
                item.submission.id = SubmissionId::new(format!("queued-{id}-{at}")).ok();
            }
        }
        Ok(Self {
            player,
            has_path: leaderboard.is_some(),
            items,
        })
    }
}

/// Returns the submissions of a request in the queue as a message has them, as JSON texts.
///
/// # Errors
/// The bytes are not a request that the API accepted.
pub fn read_submissions(payload: &[u8], id: &str) -> Result<Vec<String>, Problem> {
    let request = ReadRequest::decode(payload, id)?;
    let items = request.items.iter();
    Ok(items.map(|item| submission_text(&item.submission)).collect())
}

/// Replaces the player `me` by the player of the caller's token.
///
/// # Errors
/// The items whose player is `me` although the caller has no player's token.
pub fn replace_me(caller: &Caller, items: &mut [Item]) -> Result<(), Problem> {
    let mut refused: Option<Problem> = None;
    for item in items {
        match me::resolve_me(caller, &item.submission.player) {
            Ok(player) => item.submission.player = player,
            Err(detail) => {
                let problem = refused.unwrap_or_else(|| Problem::new(ProblemType::Validation));
                let pointer = format!("{}/player", item.place.item);
                refused = Some(problem.with_error(FieldError::body(pointer, detail)));
            }
        }
    }
    refused.map_or(Ok(()), Err)
}
