//! Sends the messages of one webhook, and stores what came of them.

use futures::future::join_all;
use leaderboard_api::webhook_record::{DeliveryRecord, DeliveryState, WebhookRecord};
use leaderboard_core::ports::{Documents, Expected, ReadSource};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{StoreError, TenantId, Timestamp};
use leaderboard_pipeline::PipelineEnvironment;

use crate::attempt::{self, Outcome};
use crate::message::Message;
use crate::names::message_name;
use crate::retry::{BREAKER_FAILURES, choose_open_time, choose_wait};
use crate::state::{PendingMessage, StoredState, WebhookState};

/// How many messages are sent to one webhook at the same time.
const SENT_AT_ONCE: usize = 8;
/// The most messages of a webhook that wait for another attempt. Further events stay in the logs until there is room.
pub(crate) const MAX_PENDING: usize = 1_000;
/// The most messages of a webhook that were given up. The oldest are deleted first.
const MAX_DEAD: usize = 1_000;
/// How many messages whose next attempt is due one run reads.
const DUE_AT_ONCE: usize = 100;

/// A number of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub delivered: usize,
    pub failed: usize,
}

/// A run for one webhook.
pub(crate) struct Worker<'a, E> {
    pub env: &'a E,
    pub tenant: &'a TenantId,
    pub webhook: &'a str,
    pub record: &'a WebhookRecord,
    /// The version of the webhook's document.
    version: u64,
    pub stored: StoredState,
    /// After this instant, no further attempt begins, and no further log is read.
    deadline: Timestamp,
    counts: Counts,
}

impl<'a, E: PipelineEnvironment> Worker<'a, E> {
    pub(crate) fn new(
        env: &'a E,
        (tenant, webhook): (&'a TenantId, &'a str),
        (record, version): (&'a WebhookRecord, u64),
        stored: StoredState,
        deadline: Timestamp,
    ) -> Self {
        Self {
            env,
            tenant,
            webhook,
            record,
            version,
            stored,
            deadline,
            counts: Counts::default(),
        }
    }

    pub(crate) const fn state(&mut self) -> &mut WebhookState {
        &mut self.stored.state
    }

    /// Returns the ports that use cases need.
    pub(crate) fn deps(&self) -> Deps<'a, E::Store, E::Cache> {
        Deps {
            store: self.env.store(),
            cache: self.env.cache(),
            leaderboard_memory: self.env.leaderboard_memory(),
            tenant: self.tenant,
            now: self.env.clock(),
            source: ReadSource::Primary,
        }
    }

    /// Returns whether there is time for more, and room for messages that fail.
    pub(crate) fn has_room(&self) -> bool {
        self.may_send() && self.stored.state.pending.len() < MAX_PENDING
    }

    fn may_send(&self) -> bool {
        let (state, now) = (&self.stored.state, self.env.clock());
        !self.is_gone() && state.open_until_ms <= now.as_unix_ms() && now < self.deadline
    }

    /// Returns what was done.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns whether the receiver has ended this version of the webhook.
    pub(crate) fn is_gone(&self) -> bool {
        self.stored.state.gone_at_version == Some(self.version)
    }

    /// Stores the state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn save(&mut self) -> Result<(), StoreError> {
        self.stored.save(self.env, self.tenant, self.webhook).await
    }

    /// Makes the messages due that an administrator has changed. Those that were deleted are forgotten when they are due.
    pub(crate) fn take_changed(&mut self) {
        for id in self.stored.changed_messages() {
            self.state().forget_message(&id);
            self.state().pending.push(PendingMessage { id, due_ms: 0 });
        }
    }

    /// Sends the messages whose next attempt is due, those that have waited longest first.
    pub(crate) async fn send_due(&mut self) -> Result<(), StoreError> {
        let now_ms = self.env.clock().as_unix_ms();
        let mut due = self.stored.state.pending.clone();
        due.retain(|pending| pending.due_ms <= now_ms);
        due.sort_by_key(|pending| pending.due_ms);
        due.truncate(DUE_AT_ONCE);
        if due.is_empty() || !self.may_send() {
            return Ok(());
        }
        let names: Vec<_> = due
            .iter()
            .map(|pending| message_name(self.tenant, self.webhook, &pending.id))
            .collect();
        let found = self.env.store().read_documents(&names).await?;
        let mut messages = Vec::new();
        for (pending, document) in due.into_iter().zip(found) {
            match document {
                Some(document) => match DeliveryRecord::decode(&document.value) {
                    Ok(record) => messages.push(Message::of_record(pending.id, document.version, record)),
                    // Perhaps a newer version stored it. It stays as it is, so that an administrator can replay it after an update.
                    Err(_) => self.set_aside(pending.id).await?,
                },
                // An administrator has deleted it.
                None => self.state().forget_message(&pending.id),
            }
        }
        self.send_all(messages).await
    }

    /// Sends messages. Those that are not sent now wait in the store, so that the caller may go on after them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn send_all(&mut self, messages: Vec<Message>) -> Result<(), StoreError> {
        let mut waiting = messages.into_iter().peekable();
        while waiting.peek().is_some() && self.may_send() {
            // After several failures, one message shows whether the receiver works again.
            let is_probe = self.stored.state.failures >= BREAKER_FAILURES;
            let at_once = if is_probe { 1 } else { SENT_AT_ONCE };
            let sent: Vec<Message> = waiting.by_ref().take(at_once).collect();
            let attempts = sent
                .iter()
                .map(|message| attempt::send(self.env, self.record, message));
            let outcomes = join_all(attempts).await;
            for (message, (attempt, outcome)) in sent.into_iter().zip(outcomes) {
                let text = attempt.outcome.clone();
                self.state().add_attempt(attempt);
                self.settle(message, outcome, &text, is_probe).await?;
            }
        }
        let now_ms = self.env.clock().as_unix_ms();
        for message in waiting.filter(|message| message.stored_version.is_none()) {
            self.keep(&message, now_ms, "").await?;
        }
        Ok(())
    }

    /// Stores what came of an attempt. Messages that fail together open the breaker for its first time; only a failed probe makes the time
    /// longer.
    async fn settle(
        &mut self,
        mut message: Message,
        outcome: Outcome,
        text: &str,
        is_probe: bool,
    ) -> Result<(), StoreError> {
        let now_ms = self.env.clock().as_unix_ms();
        match outcome {
            Outcome::Delivered => {
                self.counts.delivered += 1;
                // A pause that another message of the same batch asked for stays.
                self.state().failures = 0;
                self.state().forget_message(&message.id);
                if message.stored_version.is_some() {
                    let name = message_name(self.tenant, self.webhook, &message.id);
                    let _ = self.env.store().delete_document(&name, Expected::Any).await?;
                }
                Ok(())
            }
            Outcome::Gone => {
                self.counts.failed += 1;
                self.state().gone_at_version = Some(self.version);
                self.keep(&message, now_ms, text).await
            }
            Outcome::Failed {
                retry_after_ms,
                is_busy,
            } => {
                self.counts.failed += 1;
                message.attempts = message.attempts.saturating_add(1);
                let random = self.random()?;
                let most = if is_probe { u32::MAX } else { BREAKER_FAILURES };
                let failures = self.stored.state.failures.saturating_add(1).min(most);
                let asked_ms = retry_after_ms.unwrap_or(0);
                let open_ms = choose_open_time(failures, random).unwrap_or(0);
                let open_ms = open_ms.max(if is_busy { asked_ms } else { 0 });
                let open_until_ms = if open_ms > 0 { now_ms + open_ms } else { 0 };
                self.state().failures = failures;
                self.state().open_until_ms = self.stored.state.open_until_ms.max(open_until_ms);
                match choose_wait(message.attempts, random) {
                    Some(wait_ms) => self.keep(&message, now_ms + wait_ms.max(asked_ms), text).await,
                    None => self.give_up(&message, text).await,
                }
            }
        }
    }

    /// Stores a message that waits for its next attempt.
    async fn keep(&mut self, message: &Message, due_ms: i64, outcome: &str) -> Result<(), StoreError> {
        if self.put(message, DeliveryState::Pending, due_ms, outcome).await? {
            let id = message.id.clone();
            self.state().pending.push(PendingMessage { id, due_ms });
        }
        Ok(())
    }

    /// Stores a message that is not sent again.
    async fn give_up(&mut self, message: &Message, outcome: &str) -> Result<(), StoreError> {
        let now_ms = self.env.clock().as_unix_ms();
        if !self.put(message, DeliveryState::Dead, now_ms, outcome).await? {
            return Ok(());
        }
        self.set_aside(message.id.clone()).await
    }

    /// Adds a message to those that are not sent again, and deletes the oldest of them if there are too many.
    async fn set_aside(&mut self, message: String) -> Result<(), StoreError> {
        self.state().forget_message(&message);
        self.state().dead.push(message);
        while self.stored.state.dead.len() > MAX_DEAD {
            let oldest = self.state().dead.remove(0);
            let name = message_name(self.tenant, self.webhook, &oldest);
            let _ = self.env.store().delete_document(&name, Expected::Any).await?;
        }
        Ok(())
    }

    /// Stores the document of a message, and removes the message from its list. Returns `false` if an administrator changed or deleted the document during the attempt: the
    /// administrator's decision stays.
    async fn put(
        &mut self,
        message: &Message,
        state: DeliveryState,
        due_ms: i64,
        outcome: &str,
    ) -> Result<bool, StoreError> {
        let name = message_name(self.tenant, self.webhook, &message.id);
        let body = message.to_record(state, due_ms, outcome).encode();
        let expected = message.stored_version.map_or(Expected::Any, Expected::Version);
        let put = self.env.store().put_document(&name, &body, expected).await?;
        self.state().forget_message(&message.id);
        Ok(put.is_ok())
    }

    fn random(&self) -> Result<u32, StoreError> {
        let bytes = self.env.random()?;
        Ok(bytes
            .first_chunk()
            .copied()
            .map(u32::from_be_bytes)
            .unwrap_or_default())
    }
}
