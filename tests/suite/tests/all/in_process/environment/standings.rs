//! The port of final standings and claims in the store of tests.

use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{Period, PlayerId, Timestamp};

use super::store::Store;

impl Standings for Store {
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError> {
        self.model_if_room()?.freeze(period_ref, period, expires_at).await
    }

    async fn read_claims(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<Vec<Option<Claim>>, ReadError> {
        self.model_if_up()?.read_claims(period_ref, players).await
    }

    async fn claim_prize(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        freeze: &Freeze,
        claim: &Claim,
    ) -> Result<ClaimOutcome, ReadError> {
        let done = self
            .model_if_room()?
            .claim_prize(period_ref, player, freeze, claim)
            .await?;
        Ok(self.unless_lost(done)?)
    }
}
