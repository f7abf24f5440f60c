//! A store and the model, told the same.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use leaderboard_core::model::Model;
use leaderboard_core::ports::{
    Ban, Bans, ChargeRequest, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail,
    RateLimitDecision, Scores, SubmitOptions,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PeriodId, PlayerId, PreparedSubmission, RefusalReason, Submission,
    SubmittedValues, Target, TenantId, Timestamp, Values,
};
use proptest::sample::Index;

use super::history::{History, Step, Terms, Try};
use crate::given::{Board, at, charge, requests, submission_id, tenant, units};
use crate::harness::Store;

/// One leaderboard as each of the two knows it: their versions may differ.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) by_store: Board,
    pub(super) by_model: Board,
}

pub(super) struct Pair<S> {
    pub(super) store: S,
    pub(super) model: Model,
    pub(super) tenant: TenantId,
    pub(super) players: Vec<PlayerId>,
    pub(super) now: Timestamp,
    /// In the order of the history's names; `None` is deleted.
    pub(super) boards: Vec<Option<Known>>,
    /// Every period that was ever written or asked about.
    pub(super) periods: BTreeMap<LeaderboardId, BTreeSet<PeriodId>>,
    names: Vec<LeaderboardId>,
    tried: Vec<(Try, Timestamp)>,
}

impl<S: Store> Pair<S> {
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
            tried: Vec::new(),
        };
        for board in &history.boards {
            pair.configure(board, false, None).await;
        }
        pair
    }

    pub(super) async fn take(&mut self, step: &Step) {
        match step {
            Step::Submit { tries, terms } => {
                let tries: Vec<_> = tries
                    .iter()
                    .map(|one| (one.clone(), self.happened(one)))
                    .collect();
                self.tried.extend(tries.iter().cloned());
                self.submit(&tries, terms).await;
            }
            Step::Repeat { which, boards } => {
                if !self.tried.is_empty() {
                    let (mut again, happened) = which.get(&self.tried).clone();
                    again.boards.clone_from(boards);
                    self.submit(&[(again, happened)], &Terms::default()).await;
                }
            }
            Step::Configure {
                leaderboard,
                rebuild,
                most,
            } => self.configure(leaderboard, *rebuild, *most).await,
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
            Step::Pass { ms } => self.now = self.now.saturating_add_ms(*ms),
        }
        self.check_tops().await;
    }

    fn happened(&self, one: &Try) -> Timestamp {
        self.now.saturating_add_ms(-one.ago_ms)
    }

    async fn submit(&mut self, tries: &[(Try, Timestamp)], terms: &Terms) {
        let ranks = if tries.len() == 4 {
            RankDetail::Omitted
        } else {
            RankDetail::Full
        };
        let mut to_store = Vec::new();
        let mut to_model = Vec::new();
        for (one, happened) in tries {
            to_store.push(self.attempt(one, *happened, |known| &known.by_store));
            to_model.push(self.attempt(one, *happened, |known| &known.by_model));
        }
        for target in to_model.iter().flat_map(|attempt| &attempt.targets) {
            let seen = self.periods.entry(target.board.value.id.clone()).or_default();
            seen.insert(target.period.id.clone());
        }
        let terms = submit_options(ranks, terms, tries.len() as u64);
        let expected = self
            .model
            .submit_with_options(&self.tenant, &to_model, &terms)
            .await
            .unwrap();
        let found = self
            .store
            .submit_with_options(&self.tenant, &to_store, &terms)
            .await
            .unwrap();
        assert_eq!(
            found.answers, expected.answers,
            "outcomes of {to_model:#?} on {terms:#?}"
        );
        let told = |rate_limit_decision: &RateLimitDecision| {
            (
                rate_limit_decision.refused,
                rate_limit_decision.requests_today,
                units(rate_limit_decision),
            )
        };
        assert_eq!(
            told(&found.rate_limit_decision),
            told(&expected.rate_limit_decision),
            "{terms:#?}"
        );
    }

    fn attempt(
        &self,
        one: &Try,
        occurred_at: Timestamp,
        side: impl Fn(&Known) -> &Board,
    ) -> PreparedSubmission {
        let player = one.player.get(&self.players).clone();
        let wanted = self.boards.iter().zip(&one.boards).filter(|(_, wanted)| **wanted);
        let targets = wanted.filter_map(|(known, _)| {
            let board = side(known.as_ref()?);
            let period = board.value.schedule.period_at(occurred_at);
            let columns = board.value.columns.count();
            Some(Target {
                board: Rc::clone(board),
                expires_at: board.value.schedule.expires_at(&period, board.value.keep_periods),
                period,
                operator: one.operator,
                values: Values::new(one.values[..columns].to_vec()),
                refused: one.refused.then_some(RefusalReason::PeriodExpired),
            })
        });
        let content = Submission {
            leaderboards: Vec::new(),
            player: player.clone(),
            values: SubmittedValues::Named(one.values.iter().map(|value| ("v".into(), *value)).collect()),
            operator: Some(one.operator),
            metadata: one.metadata.clone(),
            occurred_at: Some(occurred_at),
            id: None,
            request: None,
        };
        PreparedSubmission {
            player,
            metadata: one.metadata.clone(),
            occurred_at,
            recorded_at: self.now,
            id: one.id.map(|id| submission_id(&format!("id \"{id}\""))),
            id_scope: one.id_scope,
            fingerprint: content.fingerprint(),
            targets: targets.collect(),
        }
    }

    async fn configure(&mut self, leaderboard: &Leaderboard, rebuild: bool, most: Option<u64>) {
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
            max_leaderboards: most,
            tenant: &self.tenant,
            leaderboard,
            expected: Expected::Any,
            current: &current,
            rebuild,
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
        self.boards[board] = self.known(&leaderboard.id).await;
    }

    async fn known(&self, id: &LeaderboardId) -> Option<Known> {
        let by_model = self.model.get(&self.tenant, id).await.unwrap();
        let by_store = Leaderboards::get(&self.store, &self.tenant, id).await.unwrap();
        let value = |known: &Option<leaderboard_core::Versioned<Leaderboard>>| {
            known.as_ref().map(|k| k.value.clone())
        };
        assert_eq!(value(&by_store), value(&by_model));
        Some(Known {
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
            .remove(&self.place(&known.by_model, &period), &player, self.now)
            .await;
        let found = self
            .store
            .remove(&self.place(&known.by_store, &period), &player, self.now)
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

    pub(super) fn place<'a>(&'a self, board: &'a Board, period: &'a PeriodId) -> PeriodRef<'a> {
        PeriodRef {
            tenant: &self.tenant,
            board,
            period,
            now: self.now,
        }
    }

    /// The leaderboards that are there, and their periods.
    pub(super) fn all_periods(&self) -> Vec<(Known, PeriodId)> {
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

fn submit_options(ranks: RankDetail, terms: &Terms, tries: u64) -> SubmitOptions {
    let charges = terms.burst.map(|burst| charge("tries", burst, tries));
    SubmitOptions {
        charge_request: ChargeRequest {
            charges: charges.into_iter().collect(),
            max_requests_per_day: terms.max_calls,
            ..requests(1, tries)
        },
        max_tenant_entries: terms.max_entries,
        ..SubmitOptions::new(ranks)
    }
}
