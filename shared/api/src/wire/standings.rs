//! The documents of final standings and of claims, in the version of the request.

use leaderboard_core::ports::Freeze;
use leaderboard_core::usecase::{ClaimState, FinalStandings, PlayerPrize, PrizeList, PrizeOfPlayer};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId};
use serde::Serialize;

use super::entries::{self as v1, PageHead, PeriodBody};
use super::ranks::{cursor_to, list_head};
use super::versioned::{OfVersion, PageV2, VersionedPlayer};
use super::{v2, word};
use crate::json::{Errors, ExactUnsigned, parse, read_document};
use crate::problem::Problem;
use crate::version::ApiVersion;

const STATES: [(&str, ClaimState); 3] = [
    ("claimable", ClaimState::Claimable),
    ("claimed", ClaimState::Claimed),
    ("expired", ClaimState::Expired),
];

words_schema!(
    ClaimStateWord,
    "ClaimState",
    "Whether a player can claim a prize. `claimable`: the player can claim it. `claimed`: the player has claimed it. `expired`: the player has not claimed it in time.",
    STATES
);

request_fields! {
    /// A request that claims a prize.
    FIELDS = "ClaimWritten" {
        /// The player who claims. With the token of a player: this player, or `me`.
        required player: text_within(leaderboard_core::MAX_PLAYER_BYTES),
        /// The period: `previous`, `current`, the id of a period, an instant in a period, or a date in the time zone of the
        /// leaderboard. Default: `previous`.
        optional period: text(),
    }
}

/// A request that claims a prize.
#[derive(Debug)]
pub struct ClaimRequest {
    /// The player who claims.
    pub player: PlayerId,
    /// The period of the prize.
    pub period: PeriodSelector,
}

/// Reads the body of a claim.
///
/// # Errors
/// A problem that lists what is wrong with it.
pub fn read(body: &[u8]) -> Result<ClaimRequest, Problem> {
    let tree = parse(body)?;
    read_document(&tree, &FIELDS, |fields, errors: &mut Errors| {
        let player = fields.read_required(
            "player",
            |field, errors| field.parsed(PlayerId::new, errors),
            errors,
        );
        let period = fields.read(
            "period",
            |field, errors| field.parsed(PeriodSelector::parse, errors),
            errors,
        );
        Some(ClaimRequest {
            player: player?,
            period: period.unwrap_or(PeriodSelector::Previous),
        })
    })
}

/// When and with what the standings of a period became final.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Freeze))]
pub(super) struct FreezeBody {
    /// When the standings became final.
    frozen_at: String,
    /// The version of the period at that instant.
    version: ExactUnsigned,
    /// The number of entries at that instant. Percentages of prizes are about this number.
    count: u64,
    /// How often late scores reopened the standings before.
    reopened: u64,
}

impl From<&Freeze> for FreezeBody {
    fn from(freeze: &Freeze) -> Self {
        Self {
            frozen_at: freeze.frozen_at.to_string(),
            version: ExactUnsigned(freeze.version),
            count: freeze.count,
            reopened: freeze.reopened,
        }
    }
}

/// An entry in final standings.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StandingsEntry))]
struct EntryBodyV1<'a> {
    /// The entry.
    #[serde(flatten)]
    entry: v1::EntryBody<'a>,
    /// The name of the prize for the rank; `null` if the rank has none.
    prize: Option<&'a str>,
}

/// An entry in final standings.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = StandingsEntry))]
struct EntryBodyV2<'a> {
    /// The entry.
    #[serde(flatten)]
    entry: v2::EntryBody<'a>,
    /// The name of the prize for the rank; `null` if the rank has none.
    prize: Option<&'a str>,
}

/// A page of the final standings of a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standings))]
struct StandingsBodyV1<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    head: PageHead<'a>,
    /// When and with what the standings became final.
    r#final: FreezeBody,
    /// The entries, best first.
    entries: Vec<EntryBodyV1<'a>>,
    /// The cursor of the next page; `null` on the last page.
    next: Option<String>,
    /// The cursor of the previous page; `null` on the first page.
    previous: Option<String>,
}

/// A page of the final standings of a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Standings))]
struct StandingsBodyV2<'a> {
    /// What every document about a period begins with.
    #[serde(flatten)]
    head: PageHead<'a>,
    /// When and with what the standings became final.
    r#final: FreezeBody,
    /// The entries, best first.
    data: Vec<EntryBodyV2<'a>>,
    /// The cursors of the neighbouring pages.
    page: PageV2,
}

/// Returns a page of final standings.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn standings(version: ApiVersion, found: &FinalStandings) -> Result<impl Serialize, Problem> {
    let listing = &found.listing;
    let columns = &listing.layout.columns;
    let entries = listing.page.entries.iter();
    let (next, previous) = (
        cursor_to(listing.next.as_ref()),
        cursor_to(listing.previous.as_ref()),
    );
    Ok(match version {
        ApiVersion::V1 => OfVersion::V1(StandingsBodyV1 {
            head: list_head(listing),
            r#final: (&found.freeze).into(),
            entries: entries
                .map(|ranked| {
                    Ok(EntryBodyV1 {
                        entry: v1::EntryBody::new(ranked, columns)?,
                        prize: found.find_prize(ranked.rank),
                    })
                })
                .collect::<Result<_, Problem>>()?,
            next,
            previous,
        }),
        ApiVersion::V2 => OfVersion::V2(StandingsBodyV2 {
            head: list_head(listing),
            r#final: (&found.freeze).into(),
            data: entries
                .map(|ranked| {
                    Ok(EntryBodyV2 {
                        entry: v2::EntryBody::new(ranked, columns)?,
                        prize: found.find_prize(ranked.rank),
                    })
                })
                .collect::<Result<_, Problem>>()?,
            page: PageV2 {
                next,
                previous,
                snapshot: None,
            },
        }),
    })
}

/// The prize of a player in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Claim))]
struct ClaimBody<'a> {
    /// The player.
    player: VersionedPlayer<'a>,
    /// Whether the player can claim the prize.
    #[cfg_attr(feature = "schema", schema(value_type = ClaimStateWord))]
    state: &'static str,
    /// The name of the prize.
    prize: &'a str,
    /// The rank that the prize is for. For a claimed prize, the rank at the time of the claim.
    rank: u64,
    /// When the player claimed the prize; `null` if the player has not.
    claimed_at: Option<String>,
    /// The prize that the player claimed before for a worse rank, and gives back for this one; `null` for none.
    replaces: Option<&'a str>,
    /// The first instant at which the prize can no longer be claimed.
    expires_at: String,
}

impl<'a> ClaimBody<'a> {
    fn new(version: ApiVersion, prize: &'a PlayerPrize) -> Self {
        Self {
            player: VersionedPlayer {
                version,
                id: prize.player.as_str(),
            },
            state: word(&STATES, prize.state),
            prize: &prize.prize,
            rank: prize.rank,
            claimed_at: prize.claimed_at.map(|at| at.to_string()),
            replaces: prize.replaces.as_deref(),
            expires_at: prize.expires_at.to_string(),
        }
    }
}

/// The prize of one player.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ClaimOfPlayer))]
struct ClaimOfPlayerBody<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The period.
    period: PeriodBody<'a>,
    /// The prize.
    claim: ClaimBody<'a>,
}

/// A page of the players who have a prize in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Claims))]
struct ClaimsBodyV1<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The period.
    period: PeriodBody<'a>,
    /// When and with what the standings became final.
    r#final: FreezeBody,
    /// The prizes, best rank first. A page can have fewer than `limit` although the list continues.
    claims: Vec<ClaimBody<'a>>,
    /// The cursor of the next page; `null` on the last page.
    next: Option<String>,
}

/// A page of the players who have a prize in a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Claims))]
struct ClaimsBodyV2<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The period.
    period: PeriodBody<'a>,
    /// When and with what the standings became final.
    r#final: FreezeBody,
    /// The prizes, best rank first. A page can have fewer than `limit` although the list continues.
    data: Vec<ClaimBody<'a>>,
    /// The cursors of the neighbouring pages.
    page: PageV2,
}

/// Returns the prize of one player.
pub fn claim<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a PrizeOfPlayer,
) -> impl Serialize + 'a {
    ClaimOfPlayerBody {
        leaderboard: leaderboard.as_str(),
        period: (&found.period).into(),
        claim: ClaimBody::new(version, &found.prize),
    }
}

/// Returns a page of the players who have a prize.
pub fn claims(version: ApiVersion, found: &PrizeList) -> impl Serialize {
    let listing = &found.standings.listing;
    let leaderboard = listing.leaderboard.value.id.as_str();
    let (period, freeze) = ((&listing.period).into(), (&found.standings.freeze).into());
    let prizes = found
        .prizes
        .iter()
        .map(|prize| ClaimBody::new(version, prize))
        .collect();
    let next = cursor_to(listing.next.as_ref());
    match version {
        ApiVersion::V1 => OfVersion::V1(ClaimsBodyV1 {
            leaderboard,
            period,
            r#final: freeze,
            claims: prizes,
            next,
        }),
        ApiVersion::V2 => OfVersion::V2(ClaimsBodyV2 {
            leaderboard,
            period,
            r#final: freeze,
            data: prizes,
            page: PageV2 {
                next,
                ..PageV2::default()
            },
        }),
    }
}

/// Adds the schemas of standings and claims.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    match all.version {
        ApiVersion::V1 => {
            all.add::<StandingsBodyV1<'_>>();
            all.add::<ClaimsBodyV1<'_>>();
        }
        ApiVersion::V2 => {
            all.add::<StandingsBodyV2<'_>>();
            all.add::<ClaimsBodyV2<'_>>();
        }
    }
    all.add::<ClaimOfPlayerBody<'_>>();
    all.add_requests(&[&FIELDS]);
}
