//! Erases players from a store and from the model.

use leaderboard_core::ports::Erasures;
use leaderboard_core::{PlayerErasure, PlayerId};
use leaderboard_test_support::AllPorts;

use super::pair::ComparedStores;

impl<S: AllPorts> ComparedStores<S> {
    /// Erases a player from all leaderboards, with a pseudonym that no other erasure has.
    pub(super) async fn erase(&mut self, player: PlayerId) {
        self.erasures += 1;
        let erasure = PlayerErasure {
            player,
            pseudonym: PlayerId::new(format!("erased-{}", self.erasures)).unwrap(),
        };
        for known in self.boards.iter().flatten() {
            let id = &known.by_model.value.id;
            let expected = self
                .model
                .erase_entries(&self.tenant, id, &erasure, self.now)
                .await;
            let found = self
                .store
                .erase_entries(&self.tenant, id, &erasure, self.now)
                .await;
            assert_eq!(found, expected, "{erasure:?} in {id}");
            let up_to = found.unwrap().unwrap();
            self.model
                .erase_events(&self.tenant, id, &erasure, up_to)
                .await
                .unwrap();
            while !self
                .store
                .erase_events(&self.tenant, id, &erasure, up_to)
                .await
                .unwrap()
            {}
        }
        self.model
            .erase_ban(&self.tenant, &erasure, self.now)
            .await
            .unwrap();
        while !self
            .store
            .erase_ban(&self.tenant, &erasure, self.now)
            .await
            .unwrap()
        {}
    }
}
