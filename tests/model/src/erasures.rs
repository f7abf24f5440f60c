//! The port that erases players.

use leaderboard_core::codec::{decode_event, encode_event};
use leaderboard_core::ports::{Bans, Erasures, ReplaceRecord};
use leaderboard_core::{
    Event, EventBody, LeaderboardId, PeriodId, PlayerErasure, StoreError, TenantId, Timestamp,
};

use crate::scores::rejected;
use crate::{LeaderboardState, Model};

impl Erasures for Model {
    async fn erase_entries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.end_bans(tenant, at)?;
        let mut tenants = self.tenants.borrow_mut();
        let Some(board) = tenants
            .get_mut(tenant)
            .and_then(|tenant| tenant.boards.get_mut(leaderboard))
        else {
            return Ok(None);
        };
        board.erase_entries(erasure, at)?;
        Ok(Some(board.projection.position))
    }

    async fn erase_events(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        up_to: u64,
    ) -> Result<bool, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let board = tenants
            .get_mut(tenant)
            .and_then(|tenant| tenant.boards.get_mut(leaderboard));
        let Some(board) = board else {
            return Ok(true);
        };
        if board.projection.banned.remove(&erasure.player) {
            board.projection.banned.insert(erasure.pseudonym.clone());
        }
        for recorded in &mut board.log {
            if recorded.position > up_to {
                continue;
            }
            let Ok(Some(replaced)) = erasure.replace_event(&encode_event(&recorded.event)) else {
                continue;
            };
            recorded.event = decode_event(&replaced.bytes).map_err(|error| rejected(&error))?;
            let Some(id) = replaced.id else {
                continue;
            };
            let is_own = |name: &String| {
                let known = board.ids.get(name);
                known.is_some_and(|known| known.first_at == replaced.recorded_at)
            };
            if let Some(name) = erasure.record_names(&id).into_iter().find(is_own) {
                board.ids.remove(&name);
            }
        }
        Ok(true)
    }

    async fn replace_audit(
        &self,
        tenant: &TenantId,
        _erasure: &PlayerErasure,
        _mention: &[u8],
        replace: ReplaceRecord<'_>,
    ) -> Result<bool, StoreError> {
        self.replace_audit_records(tenant, replace);
        Ok(true)
    }

    async fn erase_ban(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.unban(tenant, &erasure.player, at).await?;
        Ok(true)
    }
}

impl LeaderboardState {
    fn erase_entries(&mut self, erasure: &PlayerErasure, at: Timestamp) -> Result<(), StoreError> {
        let player = &erasure.player;
        let is_banned = self.projection.banned.contains(player);
        let periods = self.projection.periods.iter();
        let mut periods: Vec<(Option<Timestamp>, PeriodId)> = periods
            .map(|(id, state)| (state.period.starts_at, id.clone()))
            .collect();
        periods.sort();
        for (_, id) in periods {
            let is_final = self.frozen.get(&id).is_some_and(|frozen| frozen.freeze.is_some());
            let state = self.projection.periods.get_mut(&id);
            let Some(state) = state.filter(|state| state.entries.contains_key(player)) else {
                continue;
            };
            if is_final && !is_banned {
                if let Some(mut entry) = state.entries.remove(player) {
                    entry.player.clone_from(&erasure.pseudonym);
                    entry.metadata = None;
                    state.entries.insert(erasure.pseudonym.clone(), entry);
                }
                continue;
            }
            let body = EventBody::Removed {
                player: player.clone(),
                period: id,
            };
            let event = Event {
                recorded_at: at,
                body,
            };
            self.append(event).map_err(|error| rejected(&error))?;
        }
        for frozen in self.frozen.values_mut() {
            frozen.rename_claim(player, &erasure.pseudonym);
        }
        Ok(())
    }
}
