//! The [`Standings`] port: final standings and claims.

use leaderboard_core::codec::encode_layout;
use leaderboard_core::ports::{Claim, ClaimOutcome, Freeze, PeriodRef, ReadError, Standings};
use leaderboard_core::{Period, PlayerId, PrizeRange, PrizeTable, StandingsPolicy, StoreError, Timestamp};

use crate::connection::Connection;
use crate::keys::{self, LeaderboardKeys};
use crate::packing::pack_bounds;
use crate::reads::{run_read, start_call};
use crate::reply_reader::{corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{CLAIM_PRIZE, FREEZE_STANDINGS, READ_CLAIMS};
use crate::{RedisStore, submit_call};

impl<C: Connection> Standings for RedisStore<C> {
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError> {
        let board = &period_ref.leaderboard.value;
        let leaderboard_keys = LeaderboardKeys::new(period_ref.tenant, &board.id);
        let [meta_prefix, ..] = leaderboard_keys.period_prefixes();
        let mut call = start_call(period_ref);
        call.add_keys([leaderboard_keys.periods()]);
        call.add_keys(keys::entry_counts(period_ref.tenant));
        call.add_text(&period_ref.now.as_unix_ms());
        call.add_bytes(encode_layout(&board.layout()));
        call.add_text(&period.id);
        call.add_text(&pack_bounds(period));
        submit_call::add_start(&mut call, period);
        call.add_option(expires_at.map(Timestamp::as_unix_ms));
        call.add_bytes(meta_prefix);
        call.add_bytes(keys::period_count_name(&board.id, &period.id));
        add_prizes(&mut call, &board.standings);
        let mut reply = run_read(&self.server, &FREEZE_STANDINGS, period_ref, call).await?;
        let freeze = unpack_freeze(&reply.read_bytes()?)?;
        Ok(Freeze {
            reopened: parse_decimal(&reply.read_bytes()?)?,
            ..freeze
        })
    }

    async fn read_claims(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<Vec<Option<Claim>>, ReadError> {
        let mut call = start_call(period_ref);
        for player in players {
            call.add_bytes(player.as_bytes());
        }
        let mut reply = run_read(&self.server, &READ_CLAIMS, period_ref, call).await?;
        let mut claims = Vec::with_capacity(players.len());
        for _ in players {
            let packed = reply.read_bytes()?;
            claims.push(if packed.is_empty() {
                None
            } else {
                Some(unpack_claim(&packed)?)
            });
        }
        Ok(claims)
    }

    async fn claim_prize(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        freeze: &Freeze,
        claim: &Claim,
    ) -> Result<ClaimOutcome, ReadError> {
        let mut call = start_call(period_ref);
        call.add_bytes(player.as_bytes());
        call.add_text(&claim.rank);
        call.add_text(&pack_freeze(freeze));
        call.add_text(&pack_claim(claim));
        call.add_text(claim.replaces.as_deref().unwrap_or_default());
        let mut reply = run_read(&self.server, &CLAIM_PRIZE, period_ref, call).await?;
        Ok(match reply.read_count()? {
            0 => ClaimOutcome::Created,
            1 => ClaimOutcome::Existing(unpack_claim(&reply.read_bytes()?)?),
            _ => ClaimOutcome::Changed,
        })
    }
}

/// Adds what `freeze_standings.lua` makes the table of prizes of.
fn add_prizes(call: &mut ScriptCall, policy: &StandingsPolicy) {
    call.add_text(&policy.claim_days);
    for prize in &policy.prizes {
        match prize.range {
            PrizeRange::Ranks { from, to } => {
                call.add_text(&from);
                call.add_text(&to);
            }
            PrizeRange::TopPercent(percent) => {
                call.add_text(&1);
                call.add_bytes(format!("{percent}%"));
            }
        }
        call.add_text(&prize.name);
    }
}

/// Encodes a freeze as `freeze_standings.lua` does: instant, version and count, and the prizes from the second line on.
pub(crate) fn pack_freeze(freeze: &Freeze) -> String {
    let at = freeze.frozen_at.as_unix_ms();
    let head = format!("{at} {} {}", freeze.version, freeze.count);
    match &freeze.prizes {
        Some(table) => format!("{head}\n{}", table.encode()),
        None => head,
    }
}

/// Decodes a freeze, without the number of reopenings.
pub(crate) fn unpack_freeze(bytes: &[u8]) -> Result<Freeze, StoreError> {
    let damaged = || corrupt("final standings");
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    let (head, prizes) = split_line(text);
    let mut parts = head.split(' ');
    let mut next = || parts.next().ok_or_else(damaged);
    Ok(Freeze {
        frozen_at: parse_instant(next()?)?,
        version: next()?.parse().map_err(corrupt)?,
        count: next()?.parse().map_err(corrupt)?,
        reopened: 0,
        prizes: prizes.map(PrizeTable::decode).transpose().map_err(corrupt)?,
    })
}

/// Returns the first line, and what is after it.
fn split_line(text: &str) -> (&str, Option<&str>) {
    match text.split_once('\n') {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    }
}

/// Encodes a claim: rank, instant and the name of the prize, and the replaced prize in the second line. `claim_prize.lua` reads the
/// rank and the name.
pub(crate) fn pack_claim(claim: &Claim) -> String {
    let at = claim.claimed_at.as_unix_ms();
    let line = format!("{} {at} {}", claim.rank, claim.prize);
    match &claim.replaces {
        Some(replaced) => format!("{line}\n{replaced}"),
        None => line,
    }
}

pub(crate) fn unpack_claim(bytes: &[u8]) -> Result<Claim, StoreError> {
    let damaged = || corrupt("claim");
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    let (line, replaced) = split_line(text);
    let mut parts = line.splitn(3, ' ');
    let mut next = || parts.next().ok_or_else(damaged);
    Ok(Claim {
        rank: next()?.parse().map_err(corrupt)?,
        claimed_at: parse_instant(next()?)?,
        prize: next()?.to_owned(),
        replaces: replaced.map(str::to_owned),
    })
}

pub(crate) fn parse_instant(text: &str) -> Result<Timestamp, StoreError> {
    let ms = text.parse().map_err(corrupt)?;
    Timestamp::from_unix_ms(ms).ok_or_else(|| corrupt("instant"))
}
