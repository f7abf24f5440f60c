//! Compares final standings and claims of a store with the model's.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Claim, Scores, Standings};
use leaderboard_core::{PlayerId, Timestamp};
use leaderboard_test_support::AllPorts;

use super::pair::ComparedStores;

impl<S: AllPorts> ComparedStores<S> {
    /// Freezes the standings of a period that has ended and has had entries, and claims a prize in them.
    pub(super) async fn freeze(&self, board: usize, player: &PlayerId, period_at: Timestamp) {
        let Some(known) = &self.boards[board] else {
            return;
        };
        let schedule = &known.by_model.value.schedule;
        let period = schedule.period_at(period_at);
        let projection = self.model.projection(&self.tenant, &known.by_model.value.id);
        if period.contains(self.now) || !projection.unwrap().periods.contains_key(&period.id) {
            return;
        }
        let expires_at = schedule.expires_at(&period, known.by_model.value.keep_periods);
        let model = self.period_ref(&known.by_model, &period.id);
        let store = self.period_ref(&known.by_store, &period.id);
        let expected = self.model.freeze(&model, &period, expires_at).await;
        assert_eq!(
            self.store.freeze(&store, &period, expires_at).await,
            expected,
            "freeze of {period:?}"
        );
        let freeze = expected.unwrap();
        let asked = std::slice::from_ref(player);
        let found = self
            .model
            .entries_by_player(&model, asked, &Caller::Reader)
            .await
            .unwrap();
        let claim = Claim {
            prize: "a cup".into(),
            rank: found.entries.first().map_or(1, |ranked| ranked.rank),
            claimed_at: self.now,
            replaces: None,
        };
        let expected = self.model.claim_prize(&model, player, &freeze, &claim).await;
        assert_eq!(
            self.store.claim_prize(&store, player, &freeze, &claim).await,
            expected,
            "claim of {player}"
        );
        assert_eq!(
            self.store.read_claims(&store, &self.players).await,
            self.model.read_claims(&model, &self.players).await
        );
    }
}
