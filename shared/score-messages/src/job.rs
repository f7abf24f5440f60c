//! An item of the queue that is being applied.

use leaderboard_api::wire::submission::Item;
use leaderboard_api::{ItemPlace, Problem};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{ClaimedItem, DeadLetter, FinishedItem, SubmissionResult};
use leaderboard_core::usecase::SentSubmission;
use leaderboard_core::{Refusal, TenantId, Timestamp};

use crate::is_rebuilding;
use crate::read::{Faulty, ScoreMessage, submission_text};
use crate::request::{ReadRequest, is_request};
use crate::result::RequestResult;

/// An item, its submissions, and the answers to those that were applied or refused.
#[derive(Debug)]
pub(crate) struct Job {
    pub item: ClaimedItem,
    /// The caller whose permissions the submissions have.
    caller: Caller,
    /// The submissions in the form of a message, for dead letters. Those that could not be read are already dead.
    message: ScoreMessage,
    /// Whether the item is a request of the API. Only its sender learns of its refusals; those of a message become dead letters.
    is_request: bool,
    has_path: bool,
    answers: Vec<Option<SubmissionResult>>,
    /// Why submissions have no answer.
    pub failure: Option<String>,
}

/// An item that cannot be read.
#[derive(Debug)]
pub(crate) struct UnreadableItem {
    pub item: ClaimedItem,
    pub faulty: Faulty,
}

impl Job {
    /// Reads an item. A score without a time happened when the item was appended.
    pub(crate) fn read(item: ClaimedItem, now: Timestamp) -> Result<Self, Box<UnreadableItem>> {
        let request = item.request.as_ref().filter(|_| is_request(&item.payload));
        let (is_request, mut has_path) = (request.is_some(), false);
        let read = match request {
            Some((tenant, id)) => ReadRequest::decode(&item.payload, id)
                .map(|request| {
                    has_path = request.has_path;
                    message_of(tenant, request)
                })
                .map_err(Faulty::from),
            None => ScoreMessage::parse(&item.payload),
        };
        let mut message = match read {
            Ok(message) => message,
            Err(faulty) => return Err(Box::new(UnreadableItem { item, faulty })),
        };
        for (sent, _) in &mut message.items {
            sent.submission.received_at = Some(item.enqueued_at.min(now));
        }
        Ok(Self {
            answers: message.items.iter().map(|_| None).collect(),
            item,
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
        items.map(|(item, _)| (&self.caller, &item.submission))
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
            .find_map(|(answer, (item, _))| {
                let refusal = answer.as_ref()?.as_ref().err()?;
                is_rebuilding(refusal).then(|| Problem::lasting_reason(refusal, &item.place))
            });
        let unanswered = self.answers.iter().any(Option::is_none);
        let failure = || unanswered.then(|| self.failure.clone().unwrap_or_default());
        rebuilding.or_else(failure)
    }

    /// Returns how many submissions of a message were applied now. Those of a request were counted when it was accepted.
    pub(crate) fn count_applied(&self) -> usize {
        let outcomes = self.answers.iter().flatten().flatten();
        let applied = outcomes.filter(|outcomes| !outcomes.iter().all(|outcome| outcome.replayed));
        if self.is_request { 0 } else { applied.count() }
    }

    /// Returns the dead letters of a finished item: the submissions of a message that were refused.
    pub(crate) fn refused_letters(&self, at: Timestamp) -> Vec<DeadLetter> {
        let mut letters = self.message.refused_letters(at);
        if !self.is_request {
            letters.extend(self.letters(at, |refusal, place| {
                refusal.map(|refusal| Problem::lasting_reason(refusal, place))
            }));
        }
        letters
    }

    /// Returns the dead letters of an item that is given up: what was neither applied nor refused for good, and of a message also what
    /// was refused.
    pub(crate) fn buried_letters(&self, at: Timestamp, reason: &str) -> Vec<DeadLetter> {
        let mut letters = self.message.refused_letters(at);
        letters.extend(self.letters(at, |refusal, place| match refusal {
            None => Some(reason.to_owned()),
            Some(refusal) if is_rebuilding(refusal) => Some(reason.to_owned()),
            Some(refusal) => (!self.is_request).then(|| Problem::lasting_reason(refusal, place)),
        }));
        letters
    }

    /// Returns a dead letter for each submission that was not applied, if it has a reason.
    fn letters(
        &self,
        at: Timestamp,
        reason_of: impl Fn(Option<&Refusal>, &ItemPlace) -> Option<String>,
    ) -> Vec<DeadLetter> {
        let answers = self.answers.iter().zip(&self.message.items);
        let refused = answers.filter(|(answer, _)| !matches!(answer, Some(Ok(_))));
        let letters = refused.filter_map(|(answer, (item, text))| {
            let refusal = answer.as_ref().and_then(|answer| answer.as_ref().err());
            let reason = reason_of(refusal, &item.place)?;
            Some(self.message.letter(at, &reason, text))
        });
        letters.collect()
    }

    /// Returns the finished item with the answers as its result.
    pub(crate) fn finish(self) -> FinishedItem {
        let answers = self.answers.into_iter().zip(self.message.items);
        let answers = answers.filter_map(|(answer, (item, _))| {
            Some(answer?.map_err(|refusal| Problem::of_refusal(&refusal, &item.place)))
        });
        let result = RequestResult::Done {
            has_path: self.has_path,
            answers: answers.collect(),
        };
        finish_item(self.item, &result)
    }

    /// Returns the finished item, which is given up.
    pub(crate) fn bury(self, reason: String) -> FinishedItem {
        finish_item(self.item, &RequestResult::Dead { reason })
    }
}

pub(crate) fn finish_item(item: ClaimedItem, result: &RequestResult) -> FinishedItem {
    // Nobody can read the result of a message that a backend appended.
    let result = item.request.as_ref().map(|_| result.encode()).unwrap_or_default();
    FinishedItem { item, result }
}

/// Returns the submissions of a request in the form of a message.
fn message_of(tenant: &TenantId, request: ReadRequest) -> ScoreMessage {
    let with_text = |item: Item| {
        let text = submission_text(&item.submission);
        (item, text)
    };
    ScoreMessage {
        tenant: tenant.clone(),
        sender: request.player,
        items: request.items.into_iter().map(with_text).collect(),
        refused: Vec::new(),
    }
}
