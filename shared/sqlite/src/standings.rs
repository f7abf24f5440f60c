//! The [`Standings`] port: final standings and claims.

use std::collections::BTreeMap;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{OrderKey, Period, PlayerId, PrizeTable, StoreError, Timestamp};

use crate::connection::Connection;
use crate::periods::{self, PeriodRow};
use crate::reads::entries_by_player::{self, json_array};
use crate::reads::find_current;
use crate::row::{Cells, corrupt};
use crate::session::Session;
use crate::{SqliteStore, counting, leaderboards, rank_blocks, sweep};

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
    const FREEZE: &str = "UPDATE periods SET frozen_at = ?2, frozen_version = version, frozen_count = visible, \
         frozen_prizes = ?3 WHERE row = ?1";
    let (board, found) = find_for_write(session, period_ref)?;
    let period = match found {
        Some(found) => found,
        None => {
            // An expired period of this id can still exist.
            sweep::discard_expired_period(session, board, &period.id)?;
            let new = PeriodRow::new(period_ref.leaderboard.value.layout(), expires_at);
            let row = periods::create(session, board, period, &new)?;
            PeriodRow { row, ..new }
        }
    };
    if period.frozen_at.is_none() {
        let policy = &period_ref.leaderboard.value.standings;
        let ties = period.layout.ties;
        let prizes = PrizeTable::of_policy(policy, ties, period.visible, |position| {
            find_rank_at(session, &period, position)
        })?;
        let prizes = prizes.encode();
        let parameters = [period.row.into(), period_ref.now.into(), (&prizes).into()];
        session.run(FREEZE, &parameters)?;
    }
    let freeze = find_freeze(session, period.row)?;
    Ok(freeze.ok_or_else(|| corrupt("final standings"))?)
}

/// Returns the rank of the visible entry at a position, from 1.
fn find_rank_at(session: &Session<'_>, period: &PeriodRow, position: u64) -> Result<u64, StoreError> {
    let index = position.saturating_sub(1);
    let key = rank_blocks::find_key_at(session, period.row, index, period.visible)?;
    let key = OrderKey::from_bytes(key);
    let better = counting::count_before(
        session,
        counting::counted_for_ranks(period),
        period,
        counting::rank_bound(period, &key),
    )?;
    Ok(better.saturating_add(1))
}

/// Returns when and with what the standings of a period became final; `None` if they are not final.
fn find_freeze(session: &Session<'_>, period: i64) -> Result<Option<Freeze>, StoreError> {
    const FIND: &str = "SELECT frozen_at, frozen_version, frozen_count, reopened, frozen_prizes FROM periods \
         WHERE row = ?1 AND frozen_at IS NOT NULL";
    session.map_row(FIND, &[period.into()], |cells| {
        Ok(Freeze {
            frozen_at: cells.instant("final standings")?,
            version: cells.unsigned("version of final standings")?,
            count: cells.unsigned("entries of final standings")?,
            reopened: cells.unsigned("reopenings")?,
            prizes: periods::read_prizes(cells)?,
        })
    })
}

/// Returns the claims of these players by the player.
fn find_claims(
    session: &Session<'_>,
    period: i64,
    players: &[PlayerId],
) -> Result<BTreeMap<String, Claim>, StoreError> {
    const FIND: &str = "SELECT player, prize, rank, claimed_at, replaces FROM claims \
         WHERE period = ?1 AND player IN (SELECT value FROM json_each(?2))";
    let names = json_array(players);
    let found = session.map_rows(FIND, &[period.into(), (&names).into()], |cells| {
        Ok((cells.text("player of a claim")?, read_claim(cells)?))
    })?;
    Ok(found.into_iter().collect())
}

/// Reads prize, rank, instant and replaced prize of a claim.
pub(crate) fn read_claim(cells: &mut Cells) -> Result<Claim, StoreError> {
    Ok(Claim {
        prize: cells.text("prize")?,
        rank: cells.unsigned("rank of a claim")?,
        claimed_at: cells.instant("instant of a claim")?,
        replaces: cells.text_or_null("replaced prize")?,
    })
}

/// Stores a claim, if the player has none that it does not replace, and has the rank in it.
fn save_claim(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    freeze: &Freeze,
    claim: &Claim,
) -> Result<ClaimOutcome, ReadError> {
    let (_, Some(period)) = find_for_write(session, period_ref)? else {
        return Ok(ClaimOutcome::Changed);
    };
    let players = std::slice::from_ref(player);
    let existing = find_claims(session, period.row, players)?.remove(player.as_str());
    if let Some(existing) = existing.filter(|existing| !claim.is_instead_of(existing)) {
        return Ok(ClaimOutcome::Existing(existing));
    }
    let found = entries_by_player::read(session, period_ref, players, &Caller::Reader)?;
    let rank = found.entries.first().map(|ranked| ranked.rank);
    if rank != Some(claim.rank) || find_freeze(session, period.row)?.as_ref() != Some(freeze) {
        return Ok(ClaimOutcome::Changed);
    }
    write_claim(session, period.row, player, claim)?;
    Ok(ClaimOutcome::Created)
}

/// Stores a claim in place of the player's earlier one.
pub(crate) fn write_claim(
    session: &Session<'_>,
    period: i64,
    player: &PlayerId,
    claim: &Claim,
) -> Result<(), StoreError> {
    const SAVE: &str = "INSERT OR REPLACE INTO claims (period, player, prize, rank, claimed_at, replaces) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let parameters = [
        period.into(),
        player.into(),
        (&claim.prize).into(),
        claim.rank.into(),
        claim.claimed_at.into(),
        claim.replaces.as_deref().into(),
    ];
    session.run(SAVE, &parameters)
}
