//! The port [`Exports`]: reads a leaderboard as it is stored.

use leaderboard_core::codec::decode_layout;
use leaderboard_core::ports::{
    Claim, ClaimPage, Exports, Freeze, ListedPeriod, MAX_ROWS_EXPORTED, PeriodRef, ReadError, StoredPeriod,
};
use leaderboard_core::{Entry, LeaderboardId, OrderKey, Period, PeriodId, PlayerId, StoreError, TenantId};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::entries::{self, entry_columns};
use crate::periods::read_prizes;
use crate::reads::find_current;
use crate::row::{Cells, corrupt, malformed};
use crate::standings::read_claim;

impl<C: Connection> Exports for SqliteStore<C> {
    async fn find_stored_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        index: u64,
    ) -> Result<ListedPeriod, StoreError> {
        const FIND: &str = "SELECT p.id, p.starts_at, p.ends_at, p.expires_at, p.layout, p.version, p.total, \
             p.reopened, p.frozen_at, p.frozen_version, p.frozen_count, p.frozen_prizes FROM periods p WHERE p.leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) \
             ORDER BY p.starts_at, p.id LIMIT 1 OFFSET ?3 + 0";
        let parameters = [tenant.into(), leaderboard.into(), index.into()];
        let found = self.single(|session| session.map_row(FIND, &parameters, read_stored_period))?;
        Ok(found.map_or(ListedPeriod::End, |period| ListedPeriod::Stored(Box::new(period))))
    }

    async fn list_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        is_banned: bool,
        after: Option<&OrderKey>,
    ) -> Result<Vec<Entry>, ReadError> {
        const LIST: &str = concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entries WHERE period = ?1 AND hidden = ?2 AND order_key > ?3 ORDER BY order_key LIMIT ?4 + 0"
        );
        // No key is empty.
        let after = after.map_or(&[][..], OrderKey::as_bytes);
        self.read_at(period_ref, |session| {
            let Some(period) = find_current(session, period_ref)? else {
                return Ok(Vec::new());
            };
            let parameters = [
                period.row.into(),
                is_banned.into(),
                after.into(),
                MAX_ROWS_EXPORTED.into(),
            ];
            Ok(session.map_rows(LIST, &parameters, |cells| {
                Ok(entries::read_entry(&period.layout, cells)?.entry)
            })?)
        })
        .await
    }

    async fn list_claims(&self, period_ref: &PeriodRef<'_>, from: &[u8]) -> Result<ClaimPage, ReadError> {
        const LIST: &str = "SELECT player, prize, rank, claimed_at, replaces FROM claims \
             WHERE period = ?1 AND player > ?2 ORDER BY player LIMIT ?3 + 0";
        let after = std::str::from_utf8(from).map_err(|_| corrupt("place in a list of claims"))?;
        self.read_at(period_ref, |session| {
            let Some(period) = find_current(session, period_ref)? else {
                return Ok(ClaimPage::default());
            };
            let parameters = [period.row.into(), after.into(), MAX_ROWS_EXPORTED.into()];
            let claims = session.map_rows(LIST, &parameters, read_player_and_claim)?;
            let is_last = claims.len() < usize::try_from(MAX_ROWS_EXPORTED).unwrap_or(usize::MAX);
            let last = claims.last().filter(|_| !is_last);
            Ok(ClaimPage {
                next: last.map(|(player, _)| player.as_bytes().to_vec()),
                claims,
            })
        })
        .await
    }
}

fn read_stored_period(cells: &mut Cells) -> Result<StoredPeriod, StoreError> {
    let period = Period {
        id: PeriodId::parse(&cells.text("period id")?).map_err(|_| corrupt("period id"))?,
        starts_at: cells.instant_or_null("start of a period")?,
        ends_at: cells.instant_or_null("end of a period")?,
    };
    let expires_at = cells.instant_or_null("expiry")?;
    let layout = decode_layout(&cells.blob("layout")?).map_err(malformed)?;
    let (version, entries) = (cells.unsigned("period version")?, cells.unsigned("entries")?);
    let reopened = cells.unsigned("reopenings")?;
    let freeze = match cells.instant_or_null("final standings")? {
        None => None,
        Some(frozen_at) => Some(Freeze {
            frozen_at,
            version: cells.unsigned("version of final standings")?,
            count: cells.unsigned("entries of final standings")?,
            reopened,
            prizes: read_prizes(cells)?,
        }),
    };
    Ok(StoredPeriod {
        period,
        expires_at,
        layout,
        version,
        entries,
        freeze,
        reopened,
    })
}

fn read_player_and_claim(cells: &mut Cells) -> Result<(PlayerId, Claim), StoreError> {
    let player = PlayerId::new(cells.text("player of a claim")?).map_err(|_| corrupt("player of a claim"))?;
    Ok((player, read_claim(cells)?))
}
