//! An item of the queue that is being applied.

use leaderboard_api::{ItemPlace, Problem, ProblemType};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{ClaimedItem, DeadLetter, FinishedItem, IDEMPOTENCY_MS, SubmissionResult};
use leaderboard_core::usecase::SentSubmission;
use leaderboard_core::{MAX_CLOCK_SKEW_MS, Refusal, StoreError, TenantId, Timestamp};

use crate::is_rebuilding;
use crate::read::{Faulty, MessageItem, ScoreMessage};
use crate::request::{ReadRequest, is_newer_request, is_request};
use crate::result::RequestResult;

/// How old an item is, in milliseconds, when the ids of submissions that were applied in an earlier attempt may have expired. The clocks
/// of the store and of the regions differ.
const DOUBTFUL_AFTER_MS: i64 = IDEMPOTENCY_MS - MAX_CLOCK_SKEW_MS;

/// How long a request in the format of a newer version waits for an instance that can read it, in milliseconds: a day, longer than a
/// rolling upgrade. Then it becomes a dead letter, which such an instance can replay.
const NEWER_WAITS_MS: i64 = 24 * 60 * 60 * 1000;

/// An item, its submissions, and the answers to those that were applied or refused.
#[derive(Debug)]
pub(crate) struct Job {
    pub item: ClaimedItem,
    /// When the item was appended. Its scores and its dead letters have this instant, so that a replay counts in the period of the
    /// request.
    received_at: Timestamp,
    /// The caller whose permissions the submissions have.
    caller: Caller,
    /// The submissions in the form of a message, for dead letters. Those that could not be read are already dead.
    message: ScoreMessage,
    /// Whether the item is a request of the API. Only its sender learns of its refusals; those of a message become dead letters.
    is_request: bool,
    has_path: bool,
    answers: Vec<Option<SubmissionResult>>,
    /// Why submissions have no answer.
    pub failure: Option<StoreError>,
}

/// An item that cannot be read.
#[derive(Debug)]
pub(crate) struct UnreadableItem {
    pub item: ClaimedItem,
    pub received_at: Timestamp,
    pub faulty: Faulty,
    /// Whether the item waits for an instance of a newer version, which can read it.
    pub waits: bool,
}

impl Job {
    /// Reads an item. A score without a time happened when the item was appended.
    pub(crate) fn read(item: ClaimedItem, now: Timestamp) -> Result<Self, Box<UnreadableItem>> {
        let request = item.request.as_ref().filter(|_| is_request(&item.payload));
        let (is_request, mut has_path) = (request.is_some(), false);
        let received_at = item.enqueued_at.min(now);
        let read = match request {
            Some((tenant, id)) => ReadRequest::decode(&item.payload, id)
                .map(|request| {
                    has_path = request.has_path;
                    message_of(tenant, request)
                })
                .map_err(Faulty::from),
            None => ScoreMessage::parse(&item.payload),
        };
        let is_newer = item.request.is_some() && is_newer_request(&item.payload);
        let mut message = match read {
            Ok(message) => message,
            Err(faulty) => {
                return Err(Box::new(UnreadableItem {
                    waits: is_newer && now < item.enqueued_at.saturating_add_ms(NEWER_WAITS_MS),
                    item,
                    received_at,
                    faulty: if is_newer { newer_version() } else { faulty },
                }));
            }
        };
        for one in &mut message.items {
            one.item.submission.received_at = Some(received_at);
        }
        Ok(Self {
            answers: message.items.iter().map(|_| None).collect(),
            item,
            received_at,
            caller: message.caller(),
            message,
            is_request,
            has_path,
            failure: None,
        })
    }

    pub(crate) const fn tenant(&self) -> &TenantId {
        &self.message.tenant
    }

    /// Returns the submissions, and the caller whose permissions they have.
    pub(crate) fn sent(&self) -> impl Iterator<Item = SentSubmission<'_>> {
        let items = self.message.items.iter();
        items.map(|one| (&self.caller, &one.item.submission))
    }

    /// Returns how many leaderboards the submissions name together, each counted as often as it is named.
    pub(crate) fn count_targets(&self) -> usize {
        let items = self.message.items.iter();
        items.map(|one| one.item.submission.leaderboards.len()).sum()
    }

    /// Returns whether submissions may have been applied in an earlier attempt although the store no longer knows their ids, so that
    /// they would count twice.
    pub(crate) fn is_doubtful(&self, now: Timestamp) -> bool {
        self.item.attempts > 1 && now >= self.item.enqueued_at.saturating_add_ms(DOUBTFUL_AFTER_MS)
    }

    /// Stores the answers to the submissions, from a list that begins with them.
    pub(crate) fn take_answers(&mut self, answers: &mut impl Iterator<Item = Option<SubmissionResult>>) {
        for slot in &mut self.answers {
            *slot = answers.next().flatten();
        }
    }

    /// Returns why the item has to be tried again; `None` if each submission was applied or refused for good.
    pub(crate) fn why_waiting(&self) -> Option<String> {
        let rebuilding = self
            .answers
            .iter()
            .zip(&self.message.items)
            .find_map(|(answer, one)| {
                let refusal = answer.as_ref()?.as_ref().err()?;
                is_rebuilding(refusal).then(|| Problem::lasting_reason(refusal, &one.item.place))
            });
        let unanswered = self.answers.iter().any(Option::is_none);
        let failure = || unanswered.then(|| self.failure.as_ref().map(reason_of).unwrap_or_default());
        rebuilding.or_else(failure)
    }

    /// Returns how many submissions of a message were applied now. Those of a request were counted when it was accepted.
    pub(crate) fn count_applied(&self) -> usize {
        let outcomes = self.answers.iter().flatten().flatten();
        let applied = outcomes.filter(|outcomes| !outcomes.iter().all(|outcome| outcome.replayed));
        if self.is_request { 0 } else { applied.count() }
    }

    /// Returns the dead letters of a finished item: the submissions of a message that were refused.
    pub(crate) fn refused_letters(&self) -> Vec<DeadLetter> {
        let mut letters = self.message.refused_letters(self.received_at);
        if !self.is_request {
            letters.extend(
                self.letters(|refusal, place| refusal.map(|refusal| Problem::lasting_reason(refusal, place))),
            );
        }
        letters
    }

    /// Returns the dead letters of an item that is given up: what was neither applied nor refused for good, and of a message also what
    /// was refused.
    pub(crate) fn given_up_letters(&self, reason: &str) -> Vec<DeadLetter> {
        let mut letters = self.message.refused_letters(self.received_at);
        letters.extend(self.letters(|refusal, place| match refusal {
            None => Some(reason.to_owned()),
            Some(refusal) if is_rebuilding(refusal) => Some(reason.to_owned()),
            Some(refusal) => (!self.is_request).then(|| Problem::lasting_reason(refusal, place)),
        }));
        letters
    }

    /// Returns a dead letter for each submission that was not applied, if it has a reason.
    fn letters(&self, reason_of: impl Fn(Option<&Refusal>, &ItemPlace) -> Option<String>) -> Vec<DeadLetter> {
        let answers = self.answers.iter().zip(&self.message.items);
        let refused = answers.filter(|(answer, _)| !matches!(answer, Some(Ok(_))));
        let letters = refused.filter_map(|(answer, one)| {
            let refusal = answer.as_ref().and_then(|answer| answer.as_ref().err());
            let reason = reason_of(refusal, &one.item.place)?;
            Some(self.message.item_letter(self.received_at, &reason, one))
        });
        letters.collect()
    }

    /// Returns the finished item with the answers as its result.
    pub(crate) fn finish(self) -> FinishedItem {
        let answers = self.answers.into_iter().zip(self.message.items);
        let answers = answers.filter_map(|(answer, one)| {
            Some(answer?.map_err(|refusal| Problem::of_refusal(&refusal, &one.item.place)))
        });
        let result = RequestResult::Done {
            has_path: self.has_path,
            answers: answers.collect(),
        };
        finish_item(self.item, &result)
    }

    /// Returns the finished item, which is given up.
    pub(crate) fn give_up(self, reason: String) -> FinishedItem {
        finish_item(self.item, &RequestResult::Dead { reason })
    }
}

pub(crate) fn finish_item(item: ClaimedItem, result: &RequestResult) -> FinishedItem {
    // Nobody can read the result of a message that a backend appended.
    let result = item.request.as_ref().map(|_| result.encode()).unwrap_or_default();
    FinishedItem { item, result }
}

/// Returns what is wrong with a request in the format of a newer version.
fn newer_version() -> Faulty {
    let problem = Problem::new(ProblemType::NotReplayable);
    Faulty::from(problem.with_detail(
        "The request has the format of a newer version of Edgeboard. Replay this dead letter after an update.",
    ))
}

/// Returns the reason of a dead letter that the store could not apply. It does not show the cause.
fn reason_of(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(_) | StoreError::TenantUnavailable(_) => "the store was unavailable",
        StoreError::OutOfMemory(_) => "the store had no memory for it",
        StoreError::Corrupt(_) | StoreError::Rejected(_) => "the store could not apply it",
    }
    .to_owned()
}

/// Returns the submissions of a request in the form of a message.
pub(crate) fn message_of(tenant: &TenantId, request: ReadRequest) -> ScoreMessage {
    let items = request.items.into_iter();
    ScoreMessage {
        tenant: tenant.clone(),
        sender: request.player,
        request_digest: None,
        items: items.map(|item| MessageItem { item, text: None }).collect(),
        refused: Vec::new(),
    }
}
