//! Final standings, and claims of prizes.

use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period, resolve_period};
use super::ranks::{ListQuery, Listing, check_leaderboard_of_cursor, find_period, read_listing};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, Claim, ClaimOutcome, Freeze};
use crate::standings::FREEZE_DELAY_MS;
use crate::{
    Leaderboard, LeaderboardId, Period, PeriodSelector, PlayerId, PrizeTable, RankedEntry, StoreError, Ties,
    Timestamp,
};

/// How often a claim is tried if the player's rank changes meanwhile.
const MAX_CLAIM_TRIES: u32 = 4;

/// A page of final standings.
#[derive(Debug, Clone)]
pub struct FinalStandings {
    /// The page.
    pub listing: Listing,
    /// When and with what the standings became final.
    pub freeze: Freeze,
    /// The prizes of the period.
    pub prizes: PrizeTable,
}

impl FinalStandings {
    /// Returns the name of the prize for a rank.
    #[must_use]
    pub fn find_prize(&self, rank: u64) -> Option<&str> {
        let prize = self.prizes.find_prize(rank);
        prize.map(|prize| prize.name.as_str())
    }
}

/// Whether a player can claim a prize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// The player can claim the prize.
    Claimable,
    /// The player has claimed it.
    Claimed,
    /// The player has not claimed it in time.
    Expired,
}

/// The prize of a player in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerPrize {
    /// The player.
    pub player: PlayerId,
    /// Whether the player can claim the prize.
    pub state: ClaimState,
    /// The name of the prize. A claimed prize stays as it was claimed.
    pub prize: String,
    /// The rank that the prize is for. For a claimed prize, the rank at the time of the claim.
    pub rank: u64,
    /// When the player claimed it.
    pub claimed_at: Option<Timestamp>,
    /// The prize that the player claimed earlier for a worse rank, and gives back for this one.
    pub replaces: Option<String>,
    /// The first instant at which the prize can no longer be claimed.
    pub expires_at: Timestamp,
}

/// A page of the players who have a prize in a period.
#[derive(Debug, Clone)]
pub struct PrizeList {
    /// The part of the standings that the page is about. It has no cursor to the next page if no prize follows.
    pub standings: FinalStandings,
    /// The prizes, best rank first.
    pub prizes: Vec<PlayerPrize>,
}

/// The prize of one player, and the period that has it.
#[derive(Debug, Clone)]
pub struct PrizeOfPlayer {
    /// The period.
    pub period: Period,
    /// The prize.
    pub prize: PlayerPrize,
    /// Whether this call stored the claim.
    pub created: bool,
}

/// Reads a page of the standings of a period that has ended. The first call for a period makes its standings final.
///
/// # Errors
/// [`QueryError`]; [`QueryError::NotEnded`] if the period has not ended.
pub async fn read_standings<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    query: &ListQuery,
) -> Result<FinalStandings, QueryError> {
    check_leaderboard_of_cursor(id, query)?;
    read_with_current(deps, id, caller, async |board| {
        read_final(deps, caller, board, query).await
    })
    .await
}

async fn read_final<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    board: &SharedLeaderboard,
    query: &ListQuery,
) -> Result<FinalStandings, ReadFailure> {
    let period = find_period(deps, board, query).await?;
    let freeze = freeze(deps, board, &period).await?;
    let listing = read_listing(deps, caller, board, period, query).await?;
    Ok(FinalStandings {
        listing,
        prizes: find_table(&board.value, &freeze),
        freeze,
    })
}

/// Returns the prizes of final standings.
fn find_table(board: &Leaderboard, freeze: &Freeze) -> PrizeTable {
    freeze.prizes.clone().unwrap_or_else(|| {
        let made = PrizeTable::of_policy(&board.standings, board.layout().ties, freeze.count, Ok);
        made.unwrap_or_else(|error: std::convert::Infallible| match error {})
    })
}

/// Makes the standings of a period final, unless they are, or the period ended less than [`FREEZE_DELAY_MS`] ago.
async fn freeze<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    period: &Period,
) -> Result<Freeze, ReadFailure> {
    let final_from = board
        .value
        .end_of_period(period)
        .map(|end| end.saturating_add_ms(FREEZE_DELAY_MS));
    if final_from.is_none_or(|instant| deps.now < instant) {
        return Err(QueryError::NotEnded { final_from }.into());
    }
    let expires_at = board.value.schedule.expires_at(period, board.value.keep_periods);
    let period_ref = refer_to_period(deps, board, period);
    Ok(deps.store.freeze(&period_ref, period, expires_at).await?)
}

/// Reads a page of the players who have a prize in a period that has ended, best rank first.
///
/// # Errors
/// [`QueryError`]; [`QueryError::Forbidden`] if the caller is not a server.
pub async fn list_prizes<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    query: &ListQuery,
) -> Result<PrizeList, QueryError> {
    check_leaderboard_of_cursor(id, query)?;
    if !caller.is_server() {
        return Err(QueryError::Forbidden);
    }
    read_with_current(deps, id, caller, async |board| {
        // Nobody who is banned has a prize, so the list is the one that everyone sees.
        let mut standings = read_final(deps, &Caller::Reader, board, query).await?;
        let entries = &standings.listing.page.entries;
        let players: Vec<PlayerId> = entries.iter().map(|ranked| ranked.entry.player.clone()).collect();
        let period_ref = refer_to_period(deps, board, &standings.listing.period);
        let claims = deps.store.read_claims(&period_ref, &players).await?;
        let terms = Terms::new(&board.value, &standings.freeze, deps.now);
        let prizes = entries.iter().zip(claims);
        let prizes = prizes
            .filter_map(|(ranked, claim)| terms.prize_of(ranked, claim))
            .collect();
        let last_rank = standings.prizes.last_rank();
        // Players on the next page may share the rank of the last prize.
        let end = if matches!(board.value.layout().ties, Ties::Shared | Ties::Dense) {
            last_rank.saturating_add(1)
        } else {
            last_rank
        };
        if entries.last().is_some_and(|ranked| ranked.rank >= end) {
            standings.listing.next = None;
        }
        Ok(PrizeList { standings, prizes })
    })
    .await
}

/// Reads the prize of a player in a period that has ended.
///
/// # Errors
/// [`QueryError`]; [`QueryError::NoPrize`] if the player has no prize; [`QueryError::Forbidden`] if the caller is neither a server
/// nor this player.
pub async fn read_prize<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<PrizeOfPlayer, QueryError> {
    check_owner(caller, player)?;
    read_with_current(deps, id, caller, async |board| {
        let period = resolve_period(deps, &board.value, selector).await?;
        let (_, prize) = find_prize(deps, board, &period, player).await?;
        Ok(PrizeOfPlayer {
            period,
            prize,
            created: false,
        })
    })
    .await
}

/// Claims the prize of a player in a period that has ended. If the player has claimed it already, returns that claim.
///
/// # Errors
/// As for [`read_prize`]; [`QueryError::ClaimExpired`] if the prize was not claimed in time.
pub async fn claim_prize<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    player: &PlayerId,
    selector: &PeriodSelector,
) -> Result<PrizeOfPlayer, QueryError> {
    check_owner(caller, player)?;
    read_with_current(deps, id, caller, async |board| {
        let period = resolve_period(deps, &board.value, selector).await?;
        for _ in 0..MAX_CLAIM_TRIES {
            let (terms, found) = find_prize(deps, board, &period, player).await?;
            let (prize, created) = match found.state {
                ClaimState::Claimed => (found, false),
                ClaimState::Expired => {
                    let expired_at = found.expires_at;
                    return Err(QueryError::ClaimExpired { expired_at }.into());
                }
                ClaimState::Claimable => {
                    let claim = Claim {
                        prize: found.prize,
                        rank: found.rank,
                        claimed_at: deps.now,
                        replaces: found.replaces,
                    };
                    let period_ref = refer_to_period(deps, board, &period);
                    let freeze = &terms.freeze;
                    match deps
                        .store
                        .claim_prize(&period_ref, player, freeze, &claim)
                        .await?
                    {
                        ClaimOutcome::Created => (terms.claimed(player, claim), true),
                        ClaimOutcome::Existing(earlier) => (terms.claimed(player, earlier), false),
                        ClaimOutcome::Changed => continue,
                    }
                }
            };
            return Ok(PrizeOfPlayer {
                period,
                prize,
                created,
            });
        }
        Err(StoreError::Unavailable("the standings changed during every try".into()).into())
    })
    .await
}

/// Checks that the caller is a server or this player.
fn check_owner(caller: &Caller, player: &PlayerId) -> Result<(), QueryError> {
    if caller.is_server() || caller.own_player() == Some(player) {
        Ok(())
    } else {
        Err(QueryError::Forbidden)
    }
}

/// Returns the prize of a player, and what decides about it.
async fn find_prize<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    period: &Period,
    player: &PlayerId,
) -> Result<(Terms, PlayerPrize), ReadFailure> {
    let freeze = freeze(deps, board, period).await?;
    let terms = Terms::new(&board.value, &freeze, deps.now);
    let period_ref = refer_to_period(deps, board, period);
    let players = std::slice::from_ref(player);
    let claims = deps.store.read_claims(&period_ref, players).await?;
    let claim = claims.into_iter().flatten().next();
    // A banned player has no prize, so the caller is one who sees no banned player.
    let found = deps
        .store
        .entries_by_player(&period_ref, players, &Caller::Reader)
        .await?;
    let prize = match (found.entries.first(), claim) {
        (Some(ranked), claim) => terms.prize_of(ranked, claim),
        (None, claim) => claim.map(|claim| terms.claimed(player, claim)),
    };
    Ok((terms, prize.ok_or(QueryError::NoPrize)?))
}

/// What decides about the prizes of a period.
struct Terms {
    table: PrizeTable,
    freeze: Freeze,
    expires_at: Timestamp,
    now: Timestamp,
}

impl Terms {
    fn new(board: &Leaderboard, freeze: &Freeze, now: Timestamp) -> Self {
        let table = find_table(board, freeze);
        Self {
            expires_at: table.claims_expire_at(freeze.frozen_at),
            table,
            freeze: freeze.clone(),
            now,
        }
    }

    /// Returns the prize of an entry: the one for the rank, or the claimed one if that is not for a worse rank.
    fn prize_of(&self, ranked: &RankedEntry, claim: Option<Claim>) -> Option<PlayerPrize> {
        let player = &ranked.entry.player;
        let prize = self.table.find_prize(ranked.rank);
        let is_open = self.now < self.expires_at;
        let replaces = match claim {
            Some(claim) => {
                // A better player was banned or removed after the claim.
                let moved_up = is_open && ranked.rank < claim.rank;
                if !moved_up || prize.is_none_or(|prize| prize.name == claim.prize) {
                    return Some(self.claimed(player, claim));
                }
                Some(claim.prize)
            }
            None => None,
        };
        Some(PlayerPrize {
            player: player.clone(),
            state: if is_open {
                ClaimState::Claimable
            } else {
                ClaimState::Expired
            },
            prize: prize?.name.clone(),
            rank: ranked.rank,
            claimed_at: None,
            replaces,
            expires_at: self.expires_at,
        })
    }

    fn claimed(&self, player: &PlayerId, claim: Claim) -> PlayerPrize {
        PlayerPrize {
            player: player.clone(),
            state: ClaimState::Claimed,
            prize: claim.prize,
            rank: claim.rank,
            claimed_at: Some(claim.claimed_at),
            replaces: claim.replaces,
            expires_at: self.expires_at,
        }
    }
}
