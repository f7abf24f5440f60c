//! Erases a player from the data of a tenant.
//!
//! The document of an erasure has its pseudonym and how far it is, so that a request that was stopped is continued by the next one.
//! Its id is a digest of the player.

mod state;

use leaderboard_core::ports::{
    DeadLetters, DocumentKind, DocumentName, Documents, Erasures, Expected, Leaderboards, MoveProgress,
    Queue, Shards, Snapshots,
};
use leaderboard_core::{LeaderboardId, PlayerErasure, PlayerId, StoreError, Timestamp, Versioned, usecase};
use leaderboard_identity::hex::encode as hex;
use sha2::{Digest, Sha256};

use leaderboard_api::{Problem, ProblemType, Query, Response};
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_score_messages::{MAX_DRAINED, drain, is_letter_about, is_request_about};
use leaderboard_tenant_config::remove_ban;
use leaderboard_webhooks::erase_text;

use crate::bans::ignore_full_store;
use state::ErasureState;

/// How long one request does steps, in milliseconds, and the most steps that it does. Then the same request continues.
const MAX_ERASING_MS: i64 = 2_000;
const MAX_STEPS: u32 = 1_000;
/// How long one request waits for items of the queue that another instance applies, and how often it looks.
const QUEUE_PAUSE_MS: u64 = 100;
const MAX_QUEUE_PAUSES: u32 = 20;
/// How many leaderboards one command lists.
const LEADERBOARDS_AT_ONCE: u32 = 100;
/// How many dead letters one command lists. Each has up to 16 KiB.
const LETTERS_AT_ONCE: u32 = 100;
/// How many documents of webhooks one command lists.
const DOCUMENTS_AT_ONCE: u32 = 100;
/// What is left while the queue has submissions from before the erasure.
const EARLY_ITEMS_LEFT: &str = "The queue still has earlier submissions";
/// The most erasures of a tenant that have begun and are not finished.
const MAX_UNFINISHED: u32 = 100;

/// An erasure, and the steps that this request may still do.
struct RunningErasure<'a, 'c, E: ResponseEnvironment> {
    context: &'a Context<'c, E>,
    name: DocumentName,
    state: ErasureState,
    began_at: Timestamp,
    erasure: PlayerErasure,
    steps_left: u32,
    /// When this request does no further step.
    until: Timestamp,
}

/// `DELETE /players/{player}`: erases the player from all data of the tenant.
///
/// # Errors
/// 503 if the erasure needs more time, and the same request continues it.
pub(crate) async fn erase<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    player: PlayerId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let player = context.named(&player)?;
    audit::record_audit_event(context).await?;
    let done = match RunningErasure::begin(context, player).await {
        Ok(mut running) => running.run().await,
        Err(problem) => Err(problem),
    };
    // After an error the player may be erased from some leaderboards.
    leaderboard_responses::purge_and_announce(context.env, context.tenant, None);
    done?;
    Ok(leaderboard_responses::with_invalidated_groups(
        Response::no_content(),
        context.tenant,
        [],
    ))
}

/// Returns the problem of an erasure that needs another request.
fn needs_more_time(what: &str) -> Problem {
    Problem::new(ProblemType::Erasing).with_detail(format!("{what}. Send the request again to continue."))
}

impl<'a, 'c, E: ResponseEnvironment> RunningErasure<'a, 'c, E> {
    /// Begins an erasure, or continues the one that has begun.
    async fn begin(context: &'a Context<'c, E>, player: PlayerId) -> Result<Self, Problem> {
        let digest: [u8; 32] = Sha256::digest(player.as_bytes()).into();
        let name = DocumentName {
            tenant: Some(context.tenant.clone()),
            kind: DocumentKind::Erasure,
            id: hex(&digest).into(),
        };
        let store = context.env.store();
        let known = match store.read_document(&name).await? {
            Some(known) => known,
            None => create_document(context, &name, &player).await?,
        };
        let state =
            ErasureState::decode(&known.value).map_err(|error| Problem::internal(error.to_string()))?;
        // The version of a document is an instant of the store's clock, in microseconds.
        let version_ms = i64::try_from(known.version / 1000).unwrap_or(i64::MAX);
        let began_at = state
            .began_at
            .unwrap_or(Timestamp::saturating_from_unix_ms(version_ms));
        Ok(Self {
            erasure: PlayerErasure {
                player,
                pseudonym: state.pseudonym.clone(),
            },
            context,
            name,
            began_at,
            state,
            steps_left: MAX_STEPS,
            until: context.env.clock().saturating_add_ms(MAX_ERASING_MS),
        })
    }

    /// Does the steps. The ban ends after the entries are gone, so that they do not become visible. The audit log comes last, with the
    /// record of this request.
    async fn run(&mut self) -> Result<(), Problem> {
        self.apply_queue().await?;
        self.erase_from_webhooks(DocumentKind::WebhookState).await?;
        self.erase_from_leaderboards().await?;
        self.delete_letters().await?;
        self.delete_requests().await?;
        self.end_ban().await?;
        // A run that was under way may have stored the player again.
        self.erase_from_webhooks(DocumentKind::WebhookState).await?;
        self.erase_from_webhooks(DocumentKind::WebhookDelivery).await?;
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        while store.sweep(tenant).await? {
            self.take_step("Data of deleted leaderboards is still being deleted")?;
        }
        self.replace_audit().await?;
        self.clean_shards().await?;
        // Another request may have finished the erasure.
        let _ = store.delete_document(&self.name, Expected::Any).await?;
        Ok(())
    }

    /// Counts a step.
    ///
    /// # Errors
    /// If the request has done all its steps, or its time is over.
    fn take_step(&mut self, what: &str) -> Result<(), Problem> {
        let left = self.steps_left.checked_sub(1);
        let left = left.filter(|_| self.context.env.clock() < self.until);
        self.steps_left = left.ok_or_else(|| needs_more_time(what))?;
        Ok(())
    }

    /// Stores how far the erasure is.
    async fn save(&mut self) -> Result<(), StoreError> {
        self.state.began_at = Some(self.began_at);
        let body = self.state.encode();
        let store = self.context.env.store();
        // Two requests of one erasure do the same steps, so the last one may win.
        let _ = store.put_document(&self.name, &body, Expected::Any).await?;
        Ok(())
    }

    /// Applies what is in the queue, and waits until everything of the tenant is applied that was in it when the erasure began. What the
    /// player sent becomes entries, results and dead letters, which the next steps erase. Other tenants' items can wait longer, for
    /// example while their tenant is suspended.
    async fn apply_queue(&mut self) -> Result<(), Problem> {
        let env = self.context.env;
        for _ in 0..MAX_QUEUE_PAUSES {
            drain(env, MAX_DRAINED).await?;
            if !self.has_early_items().await? {
                return Ok(());
            }
            env.pause(QUEUE_PAUSE_MS).await;
        }
        self.save().await?;
        Err(needs_more_time(EARLY_ITEMS_LEFT))
    }

    /// Returns whether the queue has items of the tenant from before the erasure. What was looked at is not looked at again.
    async fn has_early_items(&mut self) -> Result<bool, Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        loop {
            let from = self.state.queue_done_to.as_deref();
            let found = store.find_early_items(tenant, self.began_at, from).await?;
            self.state.queue_done_to = found.next;
            if found.is_found || found.is_complete {
                return Ok(found.is_found);
            }
            if let Err(problem) = self.take_step(EARLY_ITEMS_LEFT) {
                self.save().await?;
                return Err(problem);
            }
        }
    }

    async fn erase_from_leaderboards(&mut self) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        if let Some((id, up_to)) = self.state.replacing.clone() {
            self.erase_events(&id, up_to).await?;
        }
        loop {
            let after = self.state.done_to.clone();
            let listed = store.list(tenant, after.as_ref(), LEADERBOARDS_AT_ONCE).await?;
            if listed.is_empty() {
                return Ok(());
            }
            for board in listed {
                let id = board.value.id;
                let what = "Leaderboards are left";
                if let Err(problem) = self.take_step(what) {
                    self.save().await?;
                    return Err(problem);
                }
                if let Some(up_to) = store
                    .erase_entries(tenant, &id, &self.erasure, self.context.env.clock())
                    .await?
                {
                    self.state.replacing = Some((id.clone(), up_to));
                    self.erase_events(&id, up_to).await?;
                }
                self.state.done_to = Some(id);
            }
        }
    }

    async fn erase_events(&mut self, id: &LeaderboardId, up_to: u64) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        while !store.erase_events(tenant, id, &self.erasure, up_to).await? {
            if let Err(problem) = self.take_step("Events are left") {
                self.save().await?;
                return Err(problem);
            }
        }
        // Reads that continued the activity until now saw the player's id.
        usecase::erase_from_activity(store, tenant, id, &self.erasure).await?;
        // Snapshots name the player. The next one is made from what is stored now.
        store
            .delete_snapshots(tenant, id, self.context.env.clock())
            .await?;
        self.state.replacing = None;
        self.state.done_to = Some(id.clone());
        Ok(())
    }

    async fn delete_letters(&mut self) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        let mut before = None;
        loop {
            let letters = store
                .list_dead_letters(Some(tenant), before, LETTERS_AT_ONCE)
                .await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            before = Some(last.id);
            let about = letters
                .iter()
                .filter(|stored| is_letter_about(&stored.letter, &self.erasure.player));
            for stored in about {
                store.delete_dead_letter(stored.id).await?;
            }
            self.take_step("Dead letters are left")?;
        }
    }

    async fn delete_requests(&mut self) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        let mut from: Option<Box<str>> = None;
        loop {
            let page = store
                .find_requests_about(tenant, &self.erasure.player, from.as_deref())
                .await?;
            for (id, request) in &page.requests {
                if is_request_about(request, &self.erasure.player) {
                    store.delete_request(tenant, id).await?;
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
            self.take_step("Results of queued requests are left")?;
        }
    }

    /// Erases the player from the states of webhooks, or from their messages that were not delivered. A delivery run tells of a removed
    /// entry by comparing the state with the top of the leaderboard.
    async fn erase_from_webhooks(&mut self, kind: DocumentKind) -> Result<(), Problem> {
        let (env, tenant) = (self.context.env, self.context.tenant);
        let [player, pseudonym] = [&self.erasure.player, &self.erasure.pseudonym].map(quote);
        let mut after: Option<Box<str>> = None;
        loop {
            let texts = (player.as_str(), pseudonym.as_str());
            after = erase_text(env, tenant, kind, texts, after.as_deref(), DOCUMENTS_AT_ONCE).await?;
            if after.is_none() {
                return Ok(());
            }
            self.take_step("Documents of webhooks are left")?;
        }
    }

    async fn end_ban(&mut self) -> Result<(), Problem> {
        let (env, tenant) = (self.context.env, self.context.tenant);
        while !env.store().erase_ban(tenant, &self.erasure, env.clock()).await? {
            self.take_step("Bans are still being applied")?;
        }
        // The document has only a digest of the player, and the next ban updates it.
        let removed = remove_ban(env, tenant, &self.erasure.player, self.context.now).await;
        Ok(ignore_full_store(removed)?)
    }

    async fn replace_audit(&mut self) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        let erasure = self.erasure.clone();
        let mention = audit::mention_of(&erasure);
        let replace = |body: &[u8]| audit::pseudonymise(&erasure, body);
        while !store.replace_audit(tenant, &erasure, &mention, &replace).await? {
            self.take_step("Records of the audit log are left")?;
        }
        Ok(())
    }

    /// Deletes what a move of the tenant has left on another shard, which may be about the player.
    async fn clean_shards(&mut self) -> Result<(), Problem> {
        let (store, tenant) = (self.context.env.store(), self.context.tenant);
        loop {
            let place = store.find_shard(tenant).await?;
            match place.map(|place| (place.progress, place.shard)) {
                None | Some((MoveProgress::Done, _)) => return Ok(()),
                Some((MoveProgress::Cleaning, shard)) => {
                    let _ = store.move_tenant(tenant, shard).await?;
                    self.take_step("Data on another shard is left")?;
                }
                Some((MoveProgress::Draining | MoveProgress::Copying, _)) => {
                    return Err(needs_more_time("The tenant is being moved to another shard"));
                }
            }
        }
    }
}

/// Returns a player's id as JSON writes it.
fn quote(player: &PlayerId) -> String {
    serde_json::Value::from(player.as_str()).to_string()
}

/// Creates the document of an erasure, unless another request has created it.
async fn create_document<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    name: &DocumentName,
    player: &PlayerId,
) -> Result<Versioned<Vec<u8>>, Problem> {
    let store = context.env.store();
    let unfinished = store
        .list_documents(Some(context.tenant), DocumentKind::Erasure, None, MAX_UNFINISHED)
        .await?;
    if u32::try_from(unfinished.len()).is_ok_and(|count| count >= MAX_UNFINISHED) {
        return Err(Problem::new(ProblemType::QuotaReached).with_detail(format!(
            "The tenant has {MAX_UNFINISHED} erasures that are not finished. Send their requests again."
        )));
    }
    let erasure = PlayerErasure::new(player.clone(), &context.env.random()?)
        .map_err(|error| Problem::internal(error.detail))?;
    let state = ErasureState {
        pseudonym: erasure.pseudonym,
        began_at: None,
        queue_done_to: None,
        done_to: None,
        replacing: None,
    };
    // A mismatch means that another request has created the document.
    let _ = store
        .put_document(name, &state.encode(), Expected::Absent)
        .await?;
    let created = store.read_document(name).await?;
    created.ok_or_else(|| needs_more_time("Another request has just finished the erasure"))
}
