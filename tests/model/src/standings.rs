//! The port of final standings and claims.

use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{Period, PlayerId, Timestamp};

use crate::{Model, reads};

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

impl Standings for Model {
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError> {
        let (version, count) = self.read(period_ref, |projection, state| {
            state.map_or((0, 0), |state| {
                (state.version, projection.visible(state).len() as u64)
            })
        })?;
        let mut tenants = self.tenants.borrow_mut();
        let board = tenants
            .get_mut(period_ref.tenant)
            .and_then(|tenant| tenant.boards.get_mut(&period_ref.leaderboard.value.id))
            .ok_or(ReadError::StaleConfiguration)?;
        if !board.projection.periods.contains_key(&period.id) {
            board.expiries.entry(period.id.clone()).or_insert(expires_at);
        }
        let frozen = board.frozen.entry(period.id.clone()).or_default();
        Ok(*frozen.freeze.get_or_insert(Freeze {
            frozen_at: period_ref.now,
            version,
            count,
            reopened: frozen.reopened,
        }))
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
        if let Some(existing) = frozen.claims.get(player) {
            return Ok(ClaimOutcome::Existing(existing.clone()));
        }
        if rank != Some(claim.rank) || frozen.freeze.as_ref() != Some(freeze) {
            return Ok(ClaimOutcome::Changed);
        }
        frozen.claims.insert(player.clone(), claim.clone());
        Ok(ClaimOutcome::Created)
    }
}
