//! The data of messages to webhooks. They have one form, that of version 1, because a message belongs to no request.

use leaderboard_core::ports::Ban;
use leaderboard_core::usecase::{FinalStandings, Listing, PlayerPrize};
use leaderboard_core::{Columns, EventBody, LeaderboardId, Period, RankedEntry, RecordedEvent};
use serde::Serialize;
use serde_json::value::RawValue;

use super::entries::PeriodBody;
use super::live::{entry_text, raw_text};
use super::standings::FreezeBody;
use super::submission::OPERATORS;
use super::{NamedValues, word};
use crate::json::{Exact, ExactUnsigned, IntegerFormat};
use crate::problem::Problem;
use crate::version::ApiVersion;

/// The form of 64-bit integers in messages.
const INTEGERS: IntegerFormat = IntegerFormat::NumberOrString;

/// A message as a CloudEvent in the JSON format (CloudEvents 1.0.2, JSON event format).
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    /// The version of the specification.
    pub specversion: &'static str,
    /// The id of the message, which is also its `webhook-id`.
    pub id: &'a str,
    /// What the event is about: a leaderboard or a tenant.
    pub source: &'a str,
    /// The type of the event.
    pub r#type: &'a str,
    /// The player, the period or the quota that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// When the event happened.
    pub time: &'a str,
    /// The media type of `data`.
    pub datacontenttype: &'static str,
    /// What happened.
    pub data: &'a RawValue,
}

impl CloudEvent<'_> {
    /// Returns the text of the message.
    ///
    /// # Errors
    /// An internal problem when the document cannot be written.
    pub fn text(&self) -> Result<String, Problem> {
        raw_text(self, INTEGERS).map(|text| text.get().to_owned())
    }
}

/// An accepted submission.
#[derive(Serialize)]
struct ScoreData<'a> {
    leaderboard: &'a str,
    period: &'a str,
    position: ExactUnsigned,
    player: &'a str,
    operator: &'static str,
    values: Vec<Exact>,
    metadata: Option<&'a RawValue>,
    occurred_at: String,
    id: Option<&'a str>,
    kept: bool,
}

/// Returns the data of `score.accepted`; `None` for an event that is no submission of a player who is not banned.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn score_accepted(
    leaderboard: &LeaderboardId,
    recorded: &RecordedEvent,
) -> Result<Option<Box<RawValue>>, Problem> {
    let EventBody::Submitted {
        player,
        period,
        operator,
        values,
        metadata,
        occurred_at,
        id,
        banned: false,
        kept,
    } = &recorded.event.body
    else {
        return Ok(None);
    };
    let metadata = metadata
        .as_ref()
        .map(|text| serde_json::from_str(text.as_json_text()));
    let malformed = |error| Problem::internal(format!("stored metadata is no JSON: {error}"));
    let data = ScoreData {
        leaderboard: leaderboard.as_str(),
        period: period.as_str(),
        position: ExactUnsigned(recorded.position),
        player: player.as_str(),
        operator: word(&OPERATORS, *operator),
        values: values.as_slice().iter().copied().map(Exact).collect(),
        metadata: metadata.transpose().map_err(malformed)?,
        occurred_at: occurred_at.to_string(),
        id: id.as_ref().map(|id| id.as_str()),
        kept: *kept,
    };
    raw_text(&data, INTEGERS).map(Some)
}

/// A rank that changed.
#[derive(Debug, Serialize)]
pub struct RankChange<'a> {
    /// The player.
    pub player: &'a str,
    /// The rank now; `None` if the player is no longer at the top.
    pub rank: Option<u64>,
    /// The rank before; `None` if the player was not at the top.
    pub previous_rank: Option<u64>,
    /// The values now, by the names of the columns.
    pub values: Option<NamedValues<'a>>,
}

#[derive(Serialize)]
struct RanksData<'a> {
    leaderboard: &'a str,
    period: &'a str,
    version: ExactUnsigned,
    count: u64,
    top: u32,
    changes: &'a [RankChange<'a>],
}

/// Returns the data of `ranks.changed`. `top`: how many ranks were compared.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn ranks_changed(
    listing: &Listing,
    top: u32,
    changes: &[RankChange<'_>],
) -> Result<Box<RawValue>, Problem> {
    let data = RanksData {
        leaderboard: listing.leaderboard.value.id.as_str(),
        period: listing.period.id.as_str(),
        version: ExactUnsigned(listing.page.version),
        count: listing.page.count,
        top,
        changes,
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct LeaderData<'a> {
    leaderboard: &'a str,
    period: &'a str,
    version: ExactUnsigned,
    entry: Box<RawValue>,
    previous: Option<&'a str>,
}

/// Returns the data of `leader.changed`. `previous`: the player who was first before, if there was one.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn leader_changed(
    listing: &Listing,
    leader: &RankedEntry,
    previous: Option<&str>,
) -> Result<Box<RawValue>, Problem> {
    let data = LeaderData {
        leaderboard: listing.leaderboard.value.id.as_str(),
        period: listing.period.id.as_str(),
        version: ExactUnsigned(listing.page.version),
        entry: entry_text(ApiVersion::V1, INTEGERS, leader, &listing.layout.columns)?,
        previous,
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct PeriodData<'a> {
    leaderboard: &'a str,
    period: PeriodBody<'a>,
    r#final: FreezeBody,
    entries: Vec<Box<RawValue>>,
}

/// Returns the data of `period.ended`: the first page of the final standings.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn period_ended(found: &FinalStandings) -> Result<Box<RawValue>, Problem> {
    let listing = &found.listing;
    let text = |ranked| entry_text(ApiVersion::V1, INTEGERS, ranked, &listing.layout.columns);
    let data = PeriodData {
        leaderboard: listing.leaderboard.value.id.as_str(),
        period: (&listing.period).into(),
        r#final: (&found.freeze).into(),
        entries: listing.page.entries.iter().map(text).collect::<Result<_, _>>()?,
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct PrizeData<'a> {
    player: &'a str,
    prize: &'a str,
    rank: u64,
    expires_at: String,
}

impl<'a> From<&'a PlayerPrize> for PrizeData<'a> {
    fn from(prize: &'a PlayerPrize) -> Self {
        Self {
            player: prize.player.as_str(),
            prize: &prize.prize,
            rank: prize.rank,
            expires_at: prize.expires_at.to_string(),
        }
    }
}

#[derive(Serialize)]
struct PrizesData<'a> {
    leaderboard: &'a str,
    period: &'a str,
    prizes: Vec<PrizeData<'a>>,
}

/// Returns the data of `prizes.claimable`.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn prizes_claimable(
    leaderboard: &LeaderboardId,
    period: &Period,
    prizes: &[PlayerPrize],
) -> Result<Box<RawValue>, Problem> {
    let data = PrizesData {
        leaderboard: leaderboard.as_str(),
        period: period.id.as_str(),
        prizes: prizes.iter().map(PrizeData::from).collect(),
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct BanData<'a> {
    player: &'a str,
    reason: Option<&'a str>,
    banned_at: String,
    expires_at: Option<String>,
}

/// Returns the data of `player.banned`.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn player_banned(ban: &Ban) -> Result<Box<RawValue>, Problem> {
    let data = BanData {
        player: ban.player.as_str(),
        reason: ban.reason.as_deref(),
        banned_at: ban.banned_at.to_string(),
        expires_at: ban.expires_at.map(|at| at.to_string()),
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct QuotaData<'a> {
    quota: &'a str,
    used: ExactUnsigned,
    limit: ExactUnsigned,
}

/// Returns the data of `quota.nearly_used`.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn quota_nearly_used(quota: &str, used: u64, limit: u64) -> Result<Box<RawValue>, Problem> {
    let data = QuotaData {
        quota,
        used: ExactUnsigned(used),
        limit: ExactUnsigned(limit),
    };
    raw_text(&data, INTEGERS)
}

#[derive(Serialize)]
struct PingData<'a> {
    webhook: &'a str,
}

/// Returns the data of `webhook.ping`.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn ping(webhook: &str) -> Result<Box<RawValue>, Problem> {
    raw_text(&PingData { webhook }, INTEGERS)
}

/// Returns the values of an entry by the names of the columns.
#[must_use]
pub fn named_values<'a>(ranked: &'a RankedEntry, columns: &'a Columns) -> NamedValues<'a> {
    NamedValues {
        columns,
        values: &ranked.entry.values,
    }
}
