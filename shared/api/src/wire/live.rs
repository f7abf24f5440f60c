//! Live updates: the data of the events of a stream, and the tickets that open one.

use leaderboard_core::{Columns, Period, PlayerId, RankedEntry};
use serde::Serialize;
use serde_json::value::RawValue;

use super::entries::{EntryBody, PeriodBody};
use super::v2;
use super::versioned::OfVersion;
use crate::json::{self, ExactUnsigned, IntegerFormat, Json, read_document};
use crate::problem::Problem;
use crate::version::ApiVersion;

/// Returns an entry as JSON, in the form of a version.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn entry_text(
    version: ApiVersion,
    integers: IntegerFormat,
    ranked: &RankedEntry,
    columns: &Columns,
) -> Result<Box<RawValue>, Problem> {
    raw_text(
        &match version {
            ApiVersion::V1 => OfVersion::V1(EntryBody::new(ranked, columns)?),
            ApiVersion::V2 => OfVersion::V2(v2::EntryBody::new(ranked, columns)?),
        },
        integers,
    )
}

/// Returns a document as JSON.
///
/// # Errors
/// An internal problem when the document cannot be written.
pub fn raw_text(document: &impl Serialize, integers: IntegerFormat) -> Result<Box<RawValue>, Problem> {
    let failed =
        |what: &dyn std::fmt::Display| Problem::internal(format!("an event cannot be written: {what}"));
    let bytes = json::write(document, integers).map_err(|error| failed(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(&error))?;
    RawValue::from_string(text).map_err(|error| failed(&error))
}

/// The player's own entry in an event.
#[derive(Debug, Serialize)]
pub struct OwnEntryBody<'a> {
    /// The version at which the entry was read. It can be higher than the version of the event.
    pub version: ExactUnsigned,
    /// The entry with its rank; `null` if the player has no entry in the period.
    pub entry: Option<&'a RawValue>,
}

/// The data of the events `snapshot` and `period`: the whole state of the stream.
#[derive(Debug, Serialize)]
pub struct SnapshotBody<'a> {
    /// The id of the leaderboard.
    pub leaderboard: &'a str,
    /// The period.
    pub period: PeriodBody<'a>,
    /// The version of the period.
    pub version: ExactUnsigned,
    /// The number of entries in the period.
    pub count: u64,
    /// The top of the list, best first.
    pub entries: &'a [&'a RawValue],
    /// The entry of the stream's player. Absent if the stream has no player.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnEntryBody<'a>>,
}

/// The data of the event `change`: what differs from the state after the event before it.
#[derive(Debug, Serialize)]
pub struct ChangeBody<'a> {
    /// The version of the period.
    pub version: ExactUnsigned,
    /// The number of entries in the period.
    pub count: u64,
    /// The number of entries in the list after the change.
    pub size: usize,
    /// The places of the list whose entry is another one now. Every other place keeps its entry.
    pub places: &'a RawValue,
    /// The entry of the stream's player, if it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnEntryBody<'a>>,
}

/// A place of the list, and the entry that it has after a change: `entry`, or the entry that was at `from`, with the rank `rank`.
#[derive(Debug, Serialize)]
pub struct ChangedPlaceBody<'a> {
    /// The position in the list, which starts at 0.
    pub at: usize,
    /// The position in the list before the change that had the same entry with another rank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<usize>,
    /// The rank of the entry that was at `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// The entry, if it is new in the list or has other values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<&'a RawValue>,
}

/// Returns the period of an event.
#[must_use]
pub fn period_body(period: &Period) -> PeriodBody<'_> {
    period.into()
}

request_fields! {
    /// A request for a ticket of a stream of live updates.
    TICKET_FIELDS = "LiveTicketWritten" {
        /// The player whose rank the stream shows. Default: the player of the token; with another credential, no player.
        optional player: text_within(leaderboard_core::MAX_PLAYER_BYTES),
    }
}

/// Reads the body of a request for a ticket. Returns the name of the player, if the body has one.
///
/// # Errors
/// A `validation` problem that lists what is wrong.
pub fn read_ticket_request(tree: &Json<'_>) -> Result<Option<PlayerId>, Problem> {
    read_document(tree, &TICKET_FIELDS, |fields, errors| {
        Some(match fields.optional("player") {
            Some(field) => Some(field.parsed(PlayerId::new, errors)?),
            None => None,
        })
    })
}

/// A ticket for a stream of live updates.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = LiveTicket))]
pub struct TicketBody<'a> {
    /// The signed ticket, to send as the parameter `ticket` of the stream.
    pub ticket: &'a str,
    /// How long a stream can be opened with the ticket, in seconds.
    pub expires_in: u32,
    /// When the ticket expires. A stream that is open then goes on.
    pub expires_at: String,
    /// The id of the leaderboard.
    pub leaderboard: &'a str,
    /// The player whose rank the stream shows; `null` if it shows no player's rank.
    pub player: Option<&'a str>,
}

/// Adds the schemas of tickets. The events of a stream are not described by schemas, because the description has none for parts of a text.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    all.add::<TicketBody<'_>>();
    all.add_requests(&[&TICKET_FIELDS]);
}
