//! The port of final standings and claims.

use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{Period, PlayerId, PrizeTable, StoreError, Timestamp};

use crate::{Model, ranking, reads};

/// What is kept about a period whose standings were final at least once.
#[derive(Debug, Default)]
pub(crate) struct FrozenPeriod {
    /// When and with what the standings became final; `None` after a late score reopened them.
    pub(crate) freeze: Option<Freeze>,
    /// How often late scores reopened the standings.
    pub(crate) reopened: u64,
    pub(crate) claims: BTreeMap<PlayerId, Claim>,
}

impl FrozenPeriod {
    /// Ends that the standings are final.
    pub(crate) fn reopen(&mut self) {
        if self.freeze.take().is_some() {
            self.reopened += 1;
        }
    }

    /// Gives the claim of a player to another name.
    pub(crate) fn rename_claim(&mut self, player: &PlayerId, name: &PlayerId) {
        if let Some(claim) = self.claims.remove(player) {
            self.claims.insert(name.clone(), claim);
        }
    }
}

fn no_entry() -> StoreError {
    StoreError::Corrupt("position in the standings".into())
}

impl Standings for Model {
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError> {
        let (version, count, prizes) = self.read(period_ref, |projection, state| {
            let policy = &period_ref.leaderboard.value.standings;
            let Some(state) = state else {
                let ties = period_ref.leaderboard.value.layout().ties;
                return (0, 0, PrizeTable::of_policy(policy, ties, 0, Ok));
            };
            let ranked = ranking::ranked(&state.layout, &projection.visible(state));
            let count = ranked.len() as u64;
            let prizes = PrizeTable::of_policy(policy, state.layout.ties, count, |position| {
                let at = usize::try_from(position).map_err(|_| no_entry())?;
                let entry = at.checked_sub(1).and_then(|at| ranked.get(at));
                entry.map(|entry| entry.rank).ok_or_else(no_entry)
            });
            (state.version, count, prizes)
        })?;
        let prizes = Some(prizes?);
        let mut tenants = self.tenants.borrow_mut();
        let board = tenants
            .get_mut(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get_mut(&period_ref.leaderboard.value.id))
            .ok_or(ReadError::StaleConfiguration)?;
        if !board.projection.periods.contains_key(&period.id) {
            board.expiries.entry(period.id.clone()).or_insert(expires_at);
        }
        let frozen = board.frozen.entry(period.id.clone()).or_default();
        let reopened = frozen.reopened;
        let freeze = frozen.freeze.get_or_insert(Freeze {
            frozen_at: period_ref.now,
            version,
            count,
            reopened,
            prizes,
        });
        Ok(freeze.clone())
    }

    async fn read_claims(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<Vec<Option<Claim>>, ReadError> {
        self.read(period_ref, |_, _| ())?;
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get(&period_ref.leaderboard.value.id));
        let frozen = board.and_then(|board| board.frozen.get(period_ref.period));
        let claim_of = |player| frozen.and_then(|frozen| frozen.claims.get(player).cloned());
        Ok(players.iter().map(claim_of).collect())
    }

    async fn claim_prize(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        freeze: &Freeze,
        claim: &Claim,
    ) -> Result<ClaimOutcome, ReadError> {
        let rank = self.read(period_ref, |projection, state| {
            let players = std::slice::from_ref(player);
            let found = reads::entries_by_player(projection, state?, players, &Caller::Reader);
            found.entries.first().map(|ranked| ranked.rank)
        })?;
        let mut tenants = self.tenants.borrow_mut();
        let frozen = tenants
            .get_mut(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get_mut(&period_ref.leaderboard.value.id))
            .and_then(|board| board.frozen.get_mut(period_ref.period));
        let Some(frozen) = frozen else {
            return Ok(ClaimOutcome::Changed);
        };
        let existing = frozen.claims.get(player);
        if let Some(existing) = existing.filter(|existing| !claim.is_instead_of(existing)) {
            return Ok(ClaimOutcome::Existing(existing.clone()));
        }
        if rank != Some(claim.rank) || frozen.freeze.as_ref() != Some(freeze) {
            return Ok(ClaimOutcome::Changed);
        }
        frozen.claims.insert(player.clone(), claim.clone());
        Ok(ClaimOutcome::Created)
    }
}
