//! The [`Standings`] port: final standings and claims.

use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{Period, PlayerId, StoreError, Timestamp};

use crate::connection::Connection;
use crate::periods::{self, PeriodRow};
use crate::reads::entries_by_player::{self, json_array};
use crate::reads::find_current;
use crate::row::corrupt;
use crate::session::Session;
use crate::{SqliteStore, leaderboards, sweep};

impl<C: Connection> Standings for SqliteStore<C> {
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError> {
        let found = self.read_at(period_ref, |session| {
            let row = find_current(session, period_ref)?;
            Ok(row
                .map(|row| find_freeze(session, row.row))
                .transpose()?
                .flatten())
        });
        if let Some(freeze) = found.await? {
            return Ok(freeze);
        }
        self.write(|session| freeze(session, period_ref, period, expires_at))
            .await
    }

    async fn read_claims(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<Vec<Option<Claim>>, ReadError> {
        self.read_at(period_ref, |session| {
            let Some(period) = find_current(session, period_ref)? else {
                return Ok(vec![None; players.len()]);
            };
            let mut found = find_claims(session, period.row, players)?;
            Ok(players
                .iter()
                .map(|player| found.remove(player.as_str()))
                .collect())
        })
        .await
    }

    async fn claim_prize(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        freeze: &Freeze,
        claim: &Claim,
    ) -> Result<ClaimOutcome, ReadError> {
        self.write(|session| save_claim(session, period_ref, player, freeze, claim))
            .await
    }
}

/// Returns the period of a write, with all bans applied. `None` if it has never had an entry and is not final.
fn find_for_write(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
) -> Result<(i64, Option<PeriodRow>), ReadError> {
    let (id, now) = (&period_ref.leaderboard.value.id, period_ref.now);
    let board = leaderboards::find_up_to_date(session, period_ref.tenant, id, now)?
        .filter(|board| board.version == period_ref.leaderboard.version)
        .ok_or(ReadError::StaleConfiguration)?;
    let period = periods::find(session, board.row, period_ref.period, now)?;
    Ok((board.row, period))
}

/// Makes the standings of a period final, unless they are.
fn freeze(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    period: &Period,
    expires_at: Option<Timestamp>,
) -> Result<Freeze, ReadError> {
    const FREEZE: &str = "UPDATE periods SET frozen_at = ?2, frozen_version = version, frozen_count = visible \
         WHERE row = ?1 AND frozen_at IS NULL";
    let (board, found) = find_for_write(session, period_ref)?;
    let row = match found {
        Some(found) => found.row,
        None => {
            // An expired period of this id can still exist.
            sweep::discard_expired_period(session, board, &period.id)?;
            let new = PeriodRow::new(period_ref.leaderboard.value.layout(), expires_at);
            periods::create(session, board, period, &new)?
        }
    };
    session.run(FREEZE, &[row.into(), period_ref.now.into()])?;
    let freeze = find_freeze(session, row)?;
    Ok(freeze.ok_or_else(|| corrupt("final standings"))?)
}

/// Returns when and with what the standings of a period became final; `None` if they are not final.
fn find_freeze(session: &Session<'_>, period: i64) -> Result<Option<Freeze>, StoreError> {
    const FIND: &str = "SELECT frozen_at, frozen_version, frozen_count, reopened FROM periods \
         WHERE row = ?1 AND frozen_at IS NOT NULL";
    session.map_row(FIND, &[period.into()], |cells| {
        Ok(Freeze {
            frozen_at: cells.instant("final standings")?,
            version: cells.unsigned("version of final standings")?,
            count: cells.unsigned("entries of final standings")?,
            reopened: cells.unsigned("reopenings")?,
        })
    })
}

/// Returns the claims of these players by the player.
fn find_claims(
    session: &Session<'_>,
    period: i64,
    players: &[PlayerId],
) -> Result<BTreeMap<String, Claim>, StoreError> {
    const FIND: &str = "SELECT player, prize, rank, claimed_at FROM claims \
         WHERE period = ?1 AND player IN (SELECT value FROM json_each(?2))";
    let names = json_array(players);
    let found = session.map_rows(FIND, &[period.into(), (&names).into()], |cells| {
        let player = cells.text("player of a claim")?;
        let claim = Claim {
            prize: cells.text("prize")?,
            rank: cells.unsigned("rank of a claim")?,
            claimed_at: cells.instant("instant of a claim")?,
        };
        Ok((player, claim))
    })?;
    Ok(found.into_iter().collect())
}

/// Stores a claim, if the player has none and has the rank in it.
fn save_claim(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    freeze: &Freeze,
    claim: &Claim,
) -> Result<ClaimOutcome, ReadError> {
    const SAVE: &str =
        "INSERT INTO claims (period, player, prize, rank, claimed_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (_, Some(period)) = find_for_write(session, period_ref)? else {
        return Ok(ClaimOutcome::Changed);
    };
    let players = std::slice::from_ref(player);
    if let Some(existing) = find_claims(session, period.row, players)?.remove(player.as_str()) {
        return Ok(ClaimOutcome::Existing(existing));
    }
    let found = entries_by_player::read(session, period_ref, players, &Caller::Reader)?;
    let rank = found.entries.first().map(|ranked| ranked.rank);
    if rank != Some(claim.rank) || find_freeze(session, period.row)?.as_ref() != Some(freeze) {
        return Ok(ClaimOutcome::Changed);
    }
    let parameters = [
        period.row.into(),
        player.into(),
        (&claim.prize).into(),
        claim.rank.into(),
        claim.claimed_at.into(),
    ];
    session.run(SAVE, &parameters)?;
    Ok(ClaimOutcome::Created)
}
