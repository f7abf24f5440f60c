//! The port of shadow bans. A ban applies to all leaderboards, and ends at the first call after its expiry.

use leaderboard_core::ports::{Ban, BannedPlayers, Bans, MAX_BANS, TooManyBans};
use leaderboard_core::{Event, EventBody, PlayerId, StoreError, TenantId, Timestamp};

use crate::scores::rejected;
use crate::{Model, Tenant};

impl Bans for Model {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        self.end_bans(tenant, ban.banned_at)?;
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        if let Some(known) = tenant.bans.get_mut(&ban.player) {
            *known = Ban {
                banned_at: known.banned_at,
                ..ban.clone()
            };
            return Ok(Ok(()));
        }
        if tenant.bans.len() as u64 >= MAX_BANS {
            return Ok(Err(TooManyBans));
        }
        tenant.bans.insert(ban.player.clone(), ban.clone());
        tenant.ban_changes += 1;
        let body = EventBody::Banned {
            player: ban.player.clone(),
        };
        append_to_all(tenant, &ban.player, ban.banned_at, &body).map(Ok)
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        self.end_bans(tenant, at)?;
        let mut tenants = self.tenants.borrow_mut();
        let tenant = tenants.entry(tenant.clone()).or_default();
        tenant.end_ban(player, at)
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        let tenants = self.tenants.borrow();
        let ban = tenants.get(tenant).and_then(|tenant| tenant.bans.get(player));
        Ok(ban.filter(|ban| !ban.is_over(now)).cloned())
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        let tenants = self.tenants.borrow();
        let bans = tenants.get(tenant).map(|tenant| tenant.bans.values());
        let wanted = bans.into_iter().flatten().filter(|ban| {
            let follows = after.is_none_or(|after| ban.player.as_bytes() > after.as_bytes());
            follows && !ban.is_over(now)
        });
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn find_banned(
        &self,
        tenant: &TenantId,
        players: &[PlayerId],
        now: Timestamp,
    ) -> Result<BannedPlayers, StoreError> {
        self.end_bans(tenant, now)?;
        let tenants = self.tenants.borrow();
        let Some(tenant) = tenants.get(tenant) else {
            return Ok(BannedPlayers::default());
        };
        let banned = players.iter().filter(|player| tenant.bans.contains_key(player));
        Ok(BannedPlayers {
            players: banned.cloned().collect(),
            changes: tenant.ban_changes,
        })
    }
}

impl Model {
    /// Ends the expired bans of a tenant, in the order of their expiries.
    pub(crate) fn end_bans(&self, tenant: &TenantId, now: Timestamp) -> Result<(), StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let Some(tenant) = tenants.get_mut(tenant) else {
            return Ok(());
        };
        let over = tenant.bans.values().filter(|ban| ban.is_over(now));
        let mut ended: Vec<(Timestamp, PlayerId)> = over
            .filter_map(|ban| Some((ban.expires_at?, ban.player.clone())))
            .collect();
        ended.sort_by(|(a_at, a), (b_at, b)| (a_at, a.as_bytes()).cmp(&(b_at, b.as_bytes())));
        for (at, player) in ended {
            tenant.end_ban(&player, at)?;
        }
        Ok(())
    }
}

impl Tenant {
    /// Ends the ban of a player, if there is one.
    fn end_ban(&mut self, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        if self.bans.remove(player).is_none() {
            return Ok(());
        }
        self.ban_changes += 1;
        let body = EventBody::Unbanned {
            player: player.clone(),
        };
        append_to_all(self, player, at, &body)
    }
}

/// Appends an event to the log of every leaderboard on which the player has an entry.
fn append_to_all(
    tenant: &mut Tenant,
    player: &PlayerId,
    at: Timestamp,
    body: &EventBody,
) -> Result<(), StoreError> {
    for board in tenant.boards.values_mut() {
        if board.has_entries_of(player) {
            let event = Event {
                recorded_at: at,
                body: body.clone(),
            };
            board.append(event).map_err(|error| rejected(&error))?;
        }
    }
    Ok(())
}
