//! Writes the lines of an export, and how far an import is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leaderboard_core::codec::{encode_layout, encode_leaderboard};
use leaderboard_core::ports::{Claim, StoredPeriod};
use leaderboard_core::usecase::{ExportPage, ImportProgress};
use leaderboard_core::{
    EXPORT_FORMAT, ExportHeader, ExportLine, LeaderboardId, Metadata, PlayerId, PrizeTable, SnapshotPart,
    Timestamp,
};
use serde::Serialize;

use super::cursor;
use crate::json::{Exact, ExactUnsigned};

/// The kinds of lines. `header` is the first and `end` the last line of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ExportLineType))]
pub(super) enum LineType {
    #[default]
    Header,
    Activity,
    Period,
    Entry,
    Claim,
    Snapshot,
    Event,
    End,
}

/// A line of an export, which has the fields of its type. Bytes are base64. The lines are for an import; their bytes are those of the
/// store.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ExportLine))]
pub struct LineBody<'a> {
    /// The kind of the line.
    r#type: LineType,
    /// `header`: the number of the format of the export.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    format: Option<u32>,
    /// `header`: the id of the leaderboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    leaderboard: Option<&'a str>,
    /// `header`: the position of the last event. `event`: its position. `snapshot`: the position of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    position: Option<ExactUnsigned>,
    /// `header`: the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    configuration: Option<String>,
    /// `activity`: the stored activity of the leaderboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    activity: Option<String>,
    /// The fields of a period.
    #[serde(flatten)]
    period: Option<PeriodLine<'a>>,
    /// `entry` and `claim`: the player.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    player: Option<&'a str>,
    /// The fields of an entry.
    #[serde(flatten)]
    entry: Option<EntryLine<'a>>,
    /// The fields of a claim.
    #[serde(flatten)]
    claim: Option<ClaimLine<'a>>,
    /// The fields of a part of a snapshot.
    #[serde(flatten)]
    snapshot: Option<SnapshotLine>,
    /// `event`: the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    event: Option<String>,
    /// `end`: how many lines come before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    lines: Option<ExactUnsigned>,
}

/// The fields of a period.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct PeriodLine<'a> {
    /// `period`: the id of the period. Its entries and claims follow.
    id: &'a str,
    /// `period`: when it begins; `null` if it has no beginning.
    starts_at: Option<String>,
    /// `period`: when it ends; `null` if it has no end.
    ends_at: Option<String>,
    /// `period`: when it expires; `null` for never.
    expires_at: Option<String>,
    /// `period`: the order of its entries.
    layout: String,
    /// `period`: the position of the last event that changed its entries.
    version: ExactUnsigned,
    /// `period`: how many entries follow.
    entries: ExactUnsigned,
    /// `period`: when its standings became final; `null` if they are not final.
    frozen_at: Option<String>,
    /// `period`: the version of the period when its standings became final.
    frozen_version: Option<ExactUnsigned>,
    /// `period`: how many entries everybody saw when its standings became final.
    frozen_count: Option<ExactUnsigned>,
    /// `period`: the prizes with which its standings became final, as text: for how many days they can be claimed, then a line for
    /// each prize with its ranks and its name; `null` if the standings are not final, or have the prizes of the configuration.
    frozen_prizes: Option<String>,
    /// `period`: how often late scores reopened the standings.
    reopened: ExactUnsigned,
}

/// The fields of an entry.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct EntryLine<'a> {
    /// `entry`: one value for each column.
    values: Vec<Exact>,
    /// `entry`: when the player reached the values.
    reached_at: String,
    /// `entry`: how many submissions of the player were accepted.
    attempts: u32,
    /// `entry`: the metadata as JSON text; `null` for none.
    metadata: Option<&'a str>,
    /// `entry`: whether the player is banned.
    banned: bool,
}

/// The fields of a claim.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ClaimLine<'a> {
    /// `claim`: the name of the prize.
    prize: &'a str,
    /// `claim`: the rank for which the player got the prize.
    rank: ExactUnsigned,
    /// `claim`: when the player claimed it.
    claimed_at: String,
    /// `claim`: the prize that the player claimed before and gave back for this one; `null` for none.
    replaces: Option<&'a str>,
}

/// The fields of a part of a snapshot.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct SnapshotLine {
    /// `snapshot`: when the last event in it was recorded.
    latest_at: String,
    /// `snapshot`: the number of this part, from 0.
    part: ExactUnsigned,
    /// `snapshot`: the number of all parts.
    parts: ExactUnsigned,
    /// `snapshot`: the bytes of this part.
    bytes: String,
}

impl<'a> From<&'a ExportLine> for LineBody<'a> {
    fn from(line: &'a ExportLine) -> Self {
        match line {
            ExportLine::Header(header) => header_line(header),
            ExportLine::Activity(bytes) => Self {
                r#type: LineType::Activity,
                activity: Some(STANDARD.encode(bytes)),
                ..Self::default()
            },
            ExportLine::Period(stored) => Self {
                r#type: LineType::Period,
                period: Some(period_line(stored)),
                ..Self::default()
            },
            ExportLine::Entry(listed) => Self {
                r#type: LineType::Entry,
                player: Some(listed.entry.player.as_str()),
                entry: Some(EntryLine {
                    values: listed
                        .entry
                        .values
                        .as_slice()
                        .iter()
                        .copied()
                        .map(Exact)
                        .collect(),
                    reached_at: listed.entry.reached_at.to_string(),
                    attempts: listed.entry.attempts,
                    metadata: listed.entry.metadata.as_ref().map(Metadata::as_json_text),
                    banned: listed.is_banned,
                }),
                ..Self::default()
            },
            ExportLine::Claim(player, claim) => claim_line(player, claim),
            ExportLine::SnapshotPart(part) => snapshot_line(part),
            ExportLine::Event(event) => Self {
                r#type: LineType::Event,
                position: Some(ExactUnsigned(event.position)),
                event: Some(STANDARD.encode(&event.bytes)),
                ..Self::default()
            },
            ExportLine::End(lines) => Self {
                r#type: LineType::End,
                lines: Some(ExactUnsigned(*lines)),
                ..Self::default()
            },
        }
    }
}

fn header_line(header: &ExportHeader) -> LineBody<'_> {
    LineBody {
        r#type: LineType::Header,
        format: Some(EXPORT_FORMAT),
        leaderboard: Some(header.leaderboard.id.as_str()),
        position: Some(ExactUnsigned(header.position)),
        configuration: Some(STANDARD.encode(encode_leaderboard(&header.leaderboard))),
        ..LineBody::default()
    }
}

fn period_line(stored: &StoredPeriod) -> PeriodLine<'_> {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let freeze = stored.freeze.as_ref();
    PeriodLine {
        id: stored.period.id.as_str(),
        starts_at: text(stored.period.starts_at),
        ends_at: text(stored.period.ends_at),
        expires_at: text(stored.expires_at),
        layout: STANDARD.encode(encode_layout(&stored.layout)),
        version: ExactUnsigned(stored.version),
        entries: ExactUnsigned(stored.entries),
        frozen_at: text(freeze.map(|freeze| freeze.frozen_at)),
        frozen_version: freeze.map(|freeze| ExactUnsigned(freeze.version)),
        frozen_count: freeze.map(|freeze| ExactUnsigned(freeze.count)),
        frozen_prizes: freeze
            .and_then(|freeze| freeze.prizes.as_ref())
            .map(PrizeTable::encode),
        reopened: ExactUnsigned(stored.reopened),
    }
}

fn claim_line<'a>(player: &'a PlayerId, claim: &'a Claim) -> LineBody<'a> {
    LineBody {
        r#type: LineType::Claim,
        player: Some(player.as_str()),
        claim: Some(ClaimLine {
            prize: &claim.prize,
            rank: ExactUnsigned(claim.rank),
            claimed_at: claim.claimed_at.to_string(),
            replaces: claim.replaces.as_deref(),
        }),
        ..LineBody::default()
    }
}

fn snapshot_line(part: &SnapshotPart) -> LineBody<'_> {
    LineBody {
        r#type: LineType::Snapshot,
        position: Some(ExactUnsigned(part.summary.position)),
        snapshot: Some(SnapshotLine {
            latest_at: part.summary.latest_at.to_string(),
            part: ExactUnsigned(part.part),
            parts: ExactUnsigned(part.parts),
            bytes: STANDARD.encode(&part.bytes),
        }),
        ..LineBody::default()
    }
}

/// A page of an export.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ExportPage))]
struct ExportPageBody<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The position of the last event that the export has.
    position: ExactUnsigned,
    /// The lines, in their order.
    lines: Vec<LineBody<'a>>,
    /// The `cursor` of the next page; `null` after the last line.
    next: Option<String>,
}

/// Returns the document of a page of an export.
pub fn export_page<'a>(leaderboard: &'a LeaderboardId, page: &'a ExportPage) -> impl Serialize + 'a {
    ExportPageBody {
        leaderboard: leaderboard.as_str(),
        position: ExactUnsigned(page.position),
        lines: page.lines.iter().map(LineBody::from).collect(),
        next: page.next.as_ref().map(|next| cursor::encode(&next.encode())),
    }
}

/// How far an import is.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ImportProgress))]
struct ProgressBody<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// How many lines have been imported.
    lines: ExactUnsigned,
    /// Whether the last line has been imported, so that the leaderboard exists.
    finished: bool,
}

/// Returns the document of how far an import is.
pub fn import_progress<'a>(leaderboard: &'a LeaderboardId, progress: &ImportProgress) -> impl Serialize + 'a {
    ProgressBody {
        leaderboard: leaderboard.as_str(),
        lines: ExactUnsigned(progress.lines),
        finished: progress.is_finished,
    }
}

/// Adds the schemas of exports and imports.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<ExportPageBody<'_>>();
    all.add::<ProgressBody<'_>>();
    all.add_requests(&[&super::transfer_lines::FIELDS]);
}
