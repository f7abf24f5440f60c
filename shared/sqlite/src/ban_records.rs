//! The port [`Bans`].

use leaderboard_core::ports::{Ban, BannedPlayers, Bans, TooManyBans};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::SqliteStore;
use crate::bans::{self, BanResult, MAX_BAN_STEPS, read_player};
use crate::connection::Connection;
use crate::reads::entries_by_player::json_array;
use crate::row::Cells;
use crate::session::Session;

impl<C: Connection> Bans for SqliteStore<C> {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        let change = |session: &Session<'_>| bans::ban(session, tenant, ban);
        match self.change_bans(tenant, ban.banned_at, change).await? {
            BanResult::TooMany => Ok(Err(TooManyBans)),
            BanResult::Done | BanResult::Wait => Ok(Ok(())),
        }
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        let change = |session: &Session<'_>| bans::unban(session, tenant, player, at);
        self.change_bans(tenant, at, change).await.map(drop)
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        const FIND: &str = "SELECT player, banned_at, expires_at, reason FROM bans \
             WHERE tenant = ?1 AND player = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
        let parameters = [tenant.into(), player.into(), now.into()];
        self.single(|session| session.map_row(FIND, &parameters, read_ban))
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        const LIST: &str = "SELECT player, banned_at, expires_at, reason FROM bans \
             WHERE tenant = ?1 AND player > ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY player LIMIT ?4 + 0";
        // No player's name is empty.
        let after = after.map_or("", PlayerId::as_str);
        let parameters = [tenant.into(), after.into(), now.into(), limit.into()];
        self.single(|session| session.map_rows(LIST, &parameters, read_ban))
    }

    async fn find_banned(
        &self,
        tenant: &TenantId,
        players: &[PlayerId],
        now: Timestamp,
    ) -> Result<BannedPlayers, StoreError> {
        // A ban that is over counts as ended, also before its record is deleted.
        const CHANGES: &str = "SELECT coalesce((SELECT last FROM ban_walks WHERE tenant = ?1), 0) + \
             (SELECT count(*) FROM bans WHERE tenant = ?1 AND expires_at <= ?2)";
        const FIND: &str = "SELECT player FROM bans WHERE tenant = ?1 AND (expires_at IS NULL OR expires_at > ?2) \
             AND player IN (SELECT value FROM json_each(?3))";
        let names = json_array(players);
        self.read(|session| {
            let mut counted = session.only_row(CHANGES, &[tenant.into(), now.into()])?;
            let parameters = [tenant.into(), now.into(), (&names).into()];
            let banned = session.map_rows(FIND, &parameters, read_player)?;
            Ok(BannedPlayers {
                players: banned.into_iter().collect(),
                changes: counted.unsigned("changes of bans")?,
            })
        })
    }
}

impl<C: Connection> SqliteStore<C> {
    /// Changes a ban, and applies pending changes. While too many changes are pending, applies them first and tries again.
    async fn change_bans(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        change: impl Fn(&Session<'_>) -> Result<BanResult, StoreError>,
    ) -> Result<BanResult, StoreError> {
        let mut made = BanResult::Wait;
        for _ in 0..MAX_BAN_STEPS {
            let step = |session: &Session<'_>| {
                let changed = match made {
                    BanResult::Wait => change(session)?,
                    made => made,
                };
                Ok((changed, bans::apply_next(session, tenant, now)?))
            };
            match self.write(step).await {
                Ok((BanResult::Wait, _)) => {}
                Ok((changed, true)) => return Ok(changed),
                Ok((changed, false)) => made = changed,
                // The change is stored, and later reads and writes apply it.
                Err(_) if made != BanResult::Wait => break,
                Err(error) => return Err(error),
            }
        }
        match made {
            BanResult::Wait => Err(StoreError::Unavailable(
                "earlier bans are still being applied".into(),
            )),
            made => Ok(made),
        }
    }
}

fn read_ban(cells: &mut Cells) -> Result<Ban, StoreError> {
    Ok(Ban {
        player: read_player(cells)?,
        banned_at: cells.instant("begin of a ban")?,
        expires_at: cells.instant_or_null("end of a ban")?,
        reason: cells.text_or_null("reason")?,
    })
}
