//! A store and the model that get the same calls, and the comparison of their results.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use leaderboard_core::ports::{
    Ban, Bans, ChargeRequest, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail,
    RateLimitDecision, ReadSource, Scores, SubmitOptions,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, RefusalReason, Submission,
    SubmittedValues, Target, TenantId, Timestamp, Values,
};
use leaderboard_model::Model;
use leaderboard_model::history::{CallLimits, History, RandomSubmission, Step};
use leaderboard_test_support::AllPorts;
use leaderboard_test_support::values::{Board, at, charge, requests, submission_id, tenant, units};
use proptest::sample::Index;

/// One leaderboard as the store and the model return it. The two versions may differ.
#[derive(Debug, Clone)]
pub(super) struct ComparedLeaderboard {
    pub(super) by_store: Board,
    pub(super) by_model: Board,
}

/// A store and the model, with the state of the history that runs on both.
pub(super) struct ComparedStores<S> {
    pub(super) store: S,
    pub(super) model: Model,
    pub(super) tenant: TenantId,
    pub(super) players: Vec<PlayerId>,
    pub(super) now: Timestamp,
    /// The leaderboards, in the order of `names`; `None` when deleted.
    pub(super) boards: Vec<Option<ComparedLeaderboard>>,
    /// The periods of all submissions so far, by leaderboard.
    pub(super) periods: BTreeMap<LeaderboardId, BTreeSet<PeriodId>>,
    /// The ids of the history's leaderboards.
    names: Vec<LeaderboardId>,
    /// The submissions so far, each with the time at which it happened.
    submitted: Vec<(RandomSubmission, Timestamp)>,
    /// The number of erasures so far.
    pub(super) erasures: u32,
}

impl<S: AllPorts> ComparedStores<S> {
    /// Stores the history's leaderboards in the store and in an empty model.
    pub(super) async fn new(store: S, tenant_name: &str, history: &History) -> Self {
        let names: Vec<_> = history.boards.iter().map(|board| board.id.clone()).collect();
        let mut pair = Self {
            store,
            model: Model::new(),
            tenant: tenant(tenant_name),
            players: history.players.clone(),
            now: at(0),
            boards: vec![None; names.len()],
            periods: BTreeMap::new(),
            names,
            submitted: Vec::new(),
            erasures: 0,
        };
        for board in &history.boards {
            pair.configure(board, false, None).await;
        }
        pair
    }

    /// Returns the same comparison with another store, which has these leaderboards.
    pub(super) fn on_other_store<T>(
        self,
        store: T,
        boards: Vec<Option<ComparedLeaderboard>>,
    ) -> ComparedStores<T> {
        ComparedStores {
            store,
            boards,
            model: self.model,
            tenant: self.tenant,
            players: self.players,
            now: self.now,
            periods: self.periods,
            names: self.names,
            submitted: self.submitted,
            erasures: self.erasures,
        }
    }

    /// Makes the calls of one step to both, and compares the results.
    pub(super) async fn apply(&mut self, step: &Step) {
        match step {
            Step::Submit { submissions, limits } => {
                let submissions: Vec<_> = submissions
                    .iter()
                    .map(|submission| (submission.clone(), self.occurred_at(submission)))
                    .collect();
                self.submitted.extend(submissions.iter().cloned());
                self.submit(&submissions, limits).await;
            }
            Step::Repeat { which, boards } => {
                if !self.submitted.is_empty() {
                    let (mut again, occurred_at) = which.get(&self.submitted).clone();
                    again.boards.clone_from(boards);
                    self.submit(&[(again, occurred_at)], &CallLimits::default()).await;
                }
            }
            Step::Configure {
                leaderboard,
                rebuild,
                max_leaderboards,
            } => self.configure(leaderboard, *rebuild, *max_leaderboards).await,
            Step::Delete { board } => self.delete(*board).await,
            Step::Remove {
                board,
                player,
                back_ms,
            } => {
                let period_at = self.now.saturating_add_ms(-back_ms);
                self.remove(*board, player.get(&self.players).clone(), period_at)
                    .await;
            }
            Step::Ban { player, for_ms } => self.ban(player, *for_ms).await,
            Step::Unban(player) => self.unban(player).await,
            Step::Erase(player) => self.erase(player.get(&self.players).clone()).await,
            Step::Freeze {
                board,
                player,
                back_ms,
            } => {
                let period_at = self.now.saturating_add_ms(-back_ms);
                self.freeze(*board, player.get(&self.players), period_at).await;
            }
            Step::Pass { ms } => self.now = self.now.saturating_add_ms(*ms),
        }
        self.check_first_pages().await;
    }

    /// Returns the time at which a submission happened.
    fn occurred_at(&self, submission: &RandomSubmission) -> Timestamp {
        self.now.saturating_add_ms(-submission.ago_ms)
    }

    async fn submit(&mut self, submissions: &[(RandomSubmission, Timestamp)], limits: &CallLimits) {
        let ranks = if submissions.len() == 4 {
            RankDetail::Omitted
        } else {
            RankDetail::Full
        };
        let mut to_store = Vec::new();
        let mut to_model = Vec::new();
        for (submission, occurred_at) in submissions {
            to_store.push(self.prepare(submission, *occurred_at, |known| &known.by_store));
            to_model.push(self.prepare(submission, *occurred_at, |known| &known.by_model));
        }
        for target in to_model.iter().flat_map(|prepared| &prepared.targets) {
            let seen = self
                .periods
                .entry(target.leaderboard.value.id.clone())
                .or_default();
            seen.insert(target.period.id.clone());
        }
        let options = submit_options(ranks, limits, submissions.len() as u64);
        let expected = self
            .model
            .submit_with_options(&self.tenant, &to_model, &options)
            .await
            .unwrap();
        let found = self
            .store
            .submit_with_options(&self.tenant, &to_store, &options)
            .await
            .unwrap();
        assert_eq!(
            found.answers, expected.answers,
            "outcomes of {to_model:#?} with {options:#?}"
        );
        let comparable = |rate_limit_decision: &RateLimitDecision| {
            (
                rate_limit_decision.refused,
                rate_limit_decision.requests_today,
                units(rate_limit_decision),
            )
        };
        assert_eq!(
            comparable(&found.rate_limit_decision),
            comparable(&expected.rate_limit_decision),
            "{options:#?}"
        );
    }

    fn prepare(
        &self,
        submission: &RandomSubmission,
        occurred_at: Timestamp,
        side: impl Fn(&ComparedLeaderboard) -> &Board,
    ) -> PreparedSubmission {
        let player = submission.player.get(&self.players).clone();
        let wanted = self
            .boards
            .iter()
            .zip(&submission.boards)
            .filter(|(_, wanted)| **wanted);
        let targets = wanted.filter_map(|(known, _)| {
            let board = side(known.as_ref()?);
            let period = board.value.schedule.period_at(occurred_at);
            let columns = board.value.columns.count();
            Some(Target {
                leaderboard: Rc::clone(board),
                expires_at: board.value.schedule.expires_at(&period, board.value.keep_periods),
                period,
                operator: submission.operator,
                values: Values::new(submission.values[..columns].to_vec()),
                refused: submission.refused.then_some(RefusalReason::PeriodExpired),
            })
        });
        let content = Submission {
            leaderboards: Vec::new(),
            player: player.clone(),
            values: SubmittedValues::Named(
                submission
                    .values
                    .iter()
                    .map(|value| ("v".into(), *value))
                    .collect(),
            ),
            operator: Some(submission.operator),
            metadata: submission.metadata.clone(),
            occurred_at: Some(occurred_at),
            id: None,
            request: None,
            received_at: None,
        };
        PreparedSubmission {
            player,
            metadata: submission.metadata.clone(),
            occurred_at,
            recorded_at: self.now,
            id: submission.id.map(|id| submission_id(&format!("id \"{id}\""))),
            id_scope: submission.id_scope,
            fingerprint: content.fingerprint(),
            targets: targets.collect(),
        }
    }

    async fn configure(&mut self, leaderboard: &Leaderboard, rebuild: bool, max_leaderboards: Option<u64>) {
        let current = leaderboard.schedule.period_at(self.now).id;
        let periods = self
            .model
            .periods(&self.tenant, &leaderboard.id, self.now)
            .await
            .unwrap();
        let expiries: Vec<_> = periods
            .into_iter()
            .map(|summary| {
                let expiry = leaderboard
                    .schedule
                    .expires_at(&summary.period, leaderboard.keep_periods);
                (summary.period.id, expiry)
            })
            .collect();
        let put = PutLeaderboard {
            max_leaderboards,
            tenant: &self.tenant,
            leaderboard,
            expected: Expected::Any,
            current: &current,
            rebuild,
            verified: None,
            expiries: &expiries,
            at: self.now,
        };
        let expected = self.model.put(&put).await.unwrap();
        let found = self.store.put(&put).await.unwrap();
        let created = |put: &Result<(u64, bool), _>| put.clone().map(|(_, created)| created);
        assert_eq!(created(&found), created(&expected), "put of {leaderboard:#?}");
        let board = self
            .names
            .iter()
            .position(|name| *name == leaderboard.id)
            .unwrap();
        self.boards[board] = self.read_leaderboard(&leaderboard.id).await;
    }

    /// Reads a leaderboard from both, and asserts that the configurations are equal.
    async fn read_leaderboard(&self, id: &LeaderboardId) -> Option<ComparedLeaderboard> {
        let by_model = self.model.get(&self.tenant, id).await.unwrap();
        let by_store = Leaderboards::get(&self.store, &self.tenant, id).await.unwrap();
        let value = |known: &Option<leaderboard_core::Versioned<Leaderboard>>| {
            known.as_ref().map(|k| k.value.clone())
        };
        assert_eq!(value(&by_store), value(&by_model));
        Some(ComparedLeaderboard {
            by_store: Rc::new(by_store?),
            by_model: Rc::new(by_model?),
        })
    }

    async fn delete(&mut self, board: usize) {
        let name = &self.names[board];
        let expected = self
            .model
            .delete(&self.tenant, name, Expected::Any)
            .await
            .unwrap();
        let found = self
            .store
            .delete(&self.tenant, name, Expected::Any)
            .await
            .unwrap();
        assert_eq!(found, expected);
        self.boards[board] = None;
    }

    async fn remove(&mut self, board: usize, player: PlayerId, period_at: Timestamp) {
        let Some(known) = self.boards[board].clone() else {
            return;
        };
        let period = known.by_model.value.schedule.period_at(period_at).id;
        let expected = self
            .model
            .remove(&self.period_ref(&known.by_model, &period), &player, self.now)
            .await;
        let found = self
            .store
            .remove(&self.period_ref(&known.by_store, &period), &player, self.now)
            .await;
        assert_eq!(found, expected, "removal of {player}");
    }

    async fn ban(&mut self, player: &Index, for_ms: Option<i64>) {
        let ban = Ban {
            expires_at: for_ms.map(|ms| self.now.saturating_add_ms(ms)),
            ..Ban::new(player.get(&self.players).clone(), self.now)
        };
        self.model.ban(&self.tenant, &ban).await.unwrap().unwrap();
        self.store.ban(&self.tenant, &ban).await.unwrap().unwrap();
    }

    async fn unban(&mut self, player: &Index) {
        let player = player.get(&self.players);
        self.model.unban(&self.tenant, player, self.now).await.unwrap();
        self.store.unban(&self.tenant, player, self.now).await.unwrap();
    }

    pub(super) fn period_ref<'a>(&'a self, board: &'a Board, period: &'a PeriodId) -> PeriodRef<'a> {
        PeriodRef {
            tenant: &self.tenant,
            leaderboard: board,
            period,
            now: self.now,
            source: ReadSource::Primary,
        }
    }

    /// Returns the existing leaderboards with each of their periods.
    pub(super) fn all_periods(&self) -> Vec<(ComparedLeaderboard, PeriodId)> {
        let known = self.boards.iter().flatten();
        let periods = known.flat_map(|known| {
            let mut periods = self
                .periods
                .get(&known.by_model.value.id)
                .cloned()
                .unwrap_or_default();
            periods.insert(known.by_model.value.schedule.period_at(self.now).id);
            periods.into_iter().map(|period| (known.clone(), period))
        });
        periods.collect()
    }
}

fn submit_options(ranks: RankDetail, limits: &CallLimits, submissions: u64) -> SubmitOptions {
    let charges = limits
        .burst
        .map(|burst| charge("submissions", burst, submissions));
    SubmitOptions {
        charge_request: ChargeRequest {
            charges: charges.into_iter().collect(),
            max_requests_per_day: limits.max_calls,
            ..requests(1, submissions)
        },
        max_tenant_entries: limits.max_entries,
        ..SubmitOptions::new(ranks)
    }
}
