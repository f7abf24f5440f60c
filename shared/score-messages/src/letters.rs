//! Makes dead letters, and stores them.

use leaderboard_core::ports::{DeadLetter, DeadLetters};
use leaderboard_core::{Fingerprint, StoreError, TenantId, Timestamp};
use leaderboard_responses::ResponseEnvironment;

use crate::MessageReport;
use crate::read::{Faulty, MessageItem, ScoreMessage};

/// The most bytes of a message that a dead letter keeps. Every valid submission is much shorter.
pub const MAX_LETTER_BYTES: usize = 16 * 1024;
/// The most bytes of a dead letter's reason. A reason can contain text that a client sent.
const MAX_REASON_BYTES: usize = 2 * 1024;
/// How many dead letters one command adds to the store.
const LETTERS_AT_ONCE: usize = 1000;

/// Returns whether the payload of a dead letter is the whole message. A message that is too long is cut.
pub fn is_complete(letter: &DeadLetter) -> bool {
    letter.payload.len() < MAX_LETTER_BYTES
}

impl ScoreMessage {
    /// Returns a dead letter for each submission that could not be read, with its own reason.
    pub(crate) fn refused_letters(&self, at: Timestamp) -> Vec<DeadLetter> {
        self.refused
            .iter()
            .map(|(problem, text)| self.letter(at, &problem.one_line(), text, self.request_digest.as_ref()))
            .collect()
    }

    /// Returns a dead letter with one submission.
    pub(crate) fn item_letter(&self, at: Timestamp, reason: &str, item: &MessageItem) -> DeadLetter {
        let digest = item.item.submission.request.as_ref();
        self.letter(at, reason, &item.text(), digest)
    }

    /// Returns a dead letter with one submission, in the form of a message that can be sent again. A submission that is longer than
    /// every valid one is cut.
    fn letter(
        &self,
        at: Timestamp,
        reason: &str,
        text: &str,
        request_digest: Option<&Fingerprint>,
    ) -> DeadLetter {
        cut_letter(at, reason, self.text_of(request_digest, [text]).into_bytes())
    }

    /// Stores every submission as a dead letter. Those that could be read get this reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn push_all<E: ResponseEnvironment>(
        &self,
        env: &E,
        at: Timestamp,
        reason: &str,
    ) -> Result<MessageReport, StoreError> {
        let mut letters = self.refused_letters(at);
        letters.extend(self.items.iter().map(|item| self.item_letter(at, reason, item)));
        push(env, Some(&self.tenant), &letters).await?;
        Ok(report_letters(letters.len()))
    }
}

fn report_letters(dead_letters: usize) -> MessageReport {
    MessageReport {
        dead_letters,
        ..MessageReport::default()
    }
}

/// Returns a dead letter, with its payload and reason cut to the most bytes that a dead letter keeps.
fn cut_letter(at: Timestamp, reason: &str, mut payload: Vec<u8>) -> DeadLetter {
    payload.truncate(MAX_LETTER_BYTES);
    let whole = |end: &usize| reason.is_char_boundary(*end);
    let end = (0..=MAX_REASON_BYTES.min(reason.len())).rev().find(whole);
    let reason = reason.get(..end.unwrap_or(0)).unwrap_or_default().to_owned();
    DeadLetter { at, reason, payload }
}

impl Faulty {
    /// Stores the message as dead letters: one for each submission, or one with the whole message, cut to [`MAX_LETTER_BYTES`],
    /// if its submissions cannot be separated. `tenant` is the tenant of an item of the queue. A whole letter is then the tenant's own,
    /// so that the tenant can replay it and an erasure finds it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn push_all<E: ResponseEnvironment>(
        &self,
        env: &E,
        tenant: Option<&TenantId>,
        at: Timestamp,
        payload: &[u8],
        reason: &str,
    ) -> Result<MessageReport, StoreError> {
        match &self.parts {
            Some(message) => message.push_all(env, at, reason).await,
            None => push_unreadable(env, tenant, at, payload, reason).await,
        }
    }
}

/// Stores a message that the caller could not apply as dead letters: one for each submission, or one with the whole message, cut
/// to [`MAX_LETTER_BYTES`], if its submissions cannot be separated.
///
/// # Errors
/// [`StoreError`].
pub async fn push_as_dead_letters<E: ResponseEnvironment>(
    env: &E,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    match ScoreMessage::parse(payload) {
        Ok(message) => message.push_all(env, env.now(), reason).await,
        Err(faulty) => faulty.push_all(env, None, env.now(), payload, reason).await,
    }
}

/// Stores a message that could not be read as one dead letter.
///
/// # Errors
/// [`StoreError`].
async fn push_unreadable<E: ResponseEnvironment>(
    env: &E,
    tenant: Option<&TenantId>,
    at: Timestamp,
    payload: &[u8],
    reason: &str,
) -> Result<MessageReport, StoreError> {
    let kept = payload.get(..MAX_LETTER_BYTES).unwrap_or(payload);
    push(env, tenant, &[cut_letter(at, reason, kept.to_vec())]).await?;
    Ok(report_letters(1))
}

/// Adds dead letters to the store. One command adds at most [`LETTERS_AT_ONCE`], because the store does nothing else during a
/// command.
pub(crate) async fn push<E: ResponseEnvironment>(
    env: &E,
    tenant: Option<&TenantId>,
    letters: &[DeadLetter],
) -> Result<(), StoreError> {
    for some in letters.chunks(LETTERS_AT_ONCE) {
        env.store().push_dead_letters(tenant, some).await?;
    }
    Ok(())
}
