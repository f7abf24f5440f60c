//! Reads the lines of an export.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leaderboard_core::codec::{Malformed, decode_layout, decode_leaderboard};
use leaderboard_core::ports::{Claim, EncodedEvent, Freeze, ListedEntry, SnapshotSummary, StoredPeriod};
use leaderboard_core::usecase::MAX_IMPORTED_LINES;
use leaderboard_core::{
    EXPORT_FORMAT, Entry, ExportHeader, ExportLine, MAX_PRIZE_NAME_CHARS, MAX_PRIZES, Metadata, Period,
    PeriodId, PlayerId, PrizeTable, SnapshotPart, Timestamp, Values,
};

use super::transfer::LineType;
use crate::json::{Errors, Field, Fields, parse, read_document};
use crate::problem::Problem;

request_fields! {
    /// Lines of an export, in their order.
    pub(super) FIELDS = "ImportWritten" {
        /// The number of the first of these lines in the export, from 1. Lines that were imported before are passed over.
        required first_line: reference("Int64"),
        /// The lines.
        required lines: list_within(1, MAX_IMPORTED_LINES, reference("ExportLine")),
    }
}

/// The words for the kinds of lines.
const TYPES: [(&str, LineType); 8] = [
    ("header", LineType::Header),
    ("activity", LineType::Activity),
    ("period", LineType::Period),
    ("entry", LineType::Entry),
    ("claim", LineType::Claim),
    ("snapshot", LineType::Snapshot),
    ("event", LineType::Event),
    ("end", LineType::End),
];

/// Some lines of an export.
#[derive(Debug)]
pub struct ImportWritten {
    /// The number of the first line.
    pub first_line: u64,
    /// The lines.
    pub lines: Vec<ExportLine>,
}

/// Reads the body of an import.
///
/// # Errors
/// A problem that lists what is wrong with it.
pub fn read(body: &[u8]) -> Result<ImportWritten, Problem> {
    let tree = parse(body)?;
    read_document(&tree, &FIELDS, |fields, errors| {
        let first = fields.read_required("first_line", first_line, errors);
        let lines = fields.read_required("lines", lines, errors);
        Some(ImportWritten {
            first_line: first?,
            lines: lines?,
        })
    })
}

fn first_line(field: Field<'_, '_>, errors: &mut Errors) -> Option<u64> {
    let number = field.integer(errors)?;
    if number == 0 {
        errors.add(&field.pointer, "must be at least 1");
        return None;
    }
    Some(number)
}

fn lines(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<ExportLine>> {
    let count = field.array(errors)?.len();
    if count == 0 || count > MAX_IMPORTED_LINES {
        errors.add(
            &field.pointer,
            format!("must have 1 to {MAX_IMPORTED_LINES} lines"),
        );
        return None;
    }
    field.list(line, errors)?.into_iter().collect()
}

fn line(field: Field<'_, '_>, errors: &mut Errors) -> Option<ExportLine> {
    let fields = field.object(errors)?;
    let kind = fields.required("type", errors)?.choice(&TYPES, errors)?;
    Some(match kind {
        LineType::Header => ExportLine::Header(Box::new(header(&fields, errors)?)),
        LineType::Activity => ExportLine::Activity(fields.read_required("activity", bytes, errors)?),
        LineType::Period => ExportLine::Period(Box::new(period(&fields, errors)?)),
        LineType::Entry => ExportLine::Entry(Box::new(entry(&fields, errors)?)),
        LineType::Claim => claim(&fields, errors)?,
        LineType::Snapshot => ExportLine::SnapshotPart(Box::new(snapshot_part(&fields, errors)?)),
        LineType::Event => {
            let position = fields.read_required("position", Field::integer, errors);
            let bytes = fields.read_required("event", bytes, errors);
            ExportLine::Event(EncodedEvent {
                position: position?,
                bytes: bytes?,
            })
        }
        LineType::End => ExportLine::End(fields.read_required("lines", Field::integer, errors)?),
    })
}

/// Reads bytes in base64.
fn bytes(field: Field<'_, '_>, errors: &mut Errors) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(field.text(errors)?).ok();
    if decoded.is_none() {
        errors.add(&field.pointer, "must be base64");
    }
    decoded
}

/// Reads bytes that `decode` decodes.
fn decoded<T>(
    field: Field<'_, '_>,
    decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    errors: &mut Errors,
) -> Option<T> {
    let decoded = decode(&bytes(field, errors)?);
    if decoded.is_err() {
        errors.add(
            &field.pointer,
            "has another format than this version knows, or is damaged",
        );
    }
    decoded.ok()
}

fn header(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<ExportHeader> {
    let format = fields.required("format", errors)?;
    if format.integer::<u32>(errors)? != EXPORT_FORMAT {
        errors.add(
            &format.pointer,
            format!("must be {EXPORT_FORMAT}, the format that this version knows"),
        );
        return None;
    }
    let position = fields.read_required("position", Field::integer, errors);
    let configuration = fields.required("configuration", errors)?;
    let leaderboard = decoded(configuration, decode_leaderboard, errors);
    let id = fields.required("leaderboard", errors)?;
    let (leaderboard, name) = (leaderboard?, id.text(errors)?);
    if leaderboard.id.as_str() != name {
        errors.add(&id.pointer, "must be the leaderboard of the configuration");
        return None;
    }
    Some(ExportHeader {
        leaderboard,
        position: position?,
    })
}

fn period(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<StoredPeriod> {
    let id = fields.read_required(
        "id",
        |field, errors| field.parsed(PeriodId::parse, errors),
        errors,
    );
    let time = |name, errors: &mut Errors| fields.read(name, Field::time, errors);
    let (starts_at, ends_at) = (time("starts_at", errors), time("ends_at", errors));
    let (expires_at, frozen_at) = (time("expires_at", errors), time("frozen_at", errors));
    let layout = fields.read_required(
        "layout",
        |field, errors| decoded(field, decode_layout, errors),
        errors,
    );
    let version = fields.read_required("version", Field::integer, errors);
    let entries = fields.read_required("entries", Field::integer, errors);
    let reopened = fields.read_required("reopened", Field::integer, errors);
    let freeze = match frozen_at {
        Some(frozen_at) => Some(read_freeze(fields, frozen_at, reopened, errors)?),
        None => None,
    };
    Some(StoredPeriod {
        period: Period {
            id: id?,
            starts_at,
            ends_at,
        },
        expires_at,
        layout: layout?,
        version: version?,
        entries: entries?,
        freeze,
        reopened: reopened?,
    })
}

fn read_freeze(
    fields: &Fields<'_, '_>,
    frozen_at: Timestamp,
    reopened: Option<u64>,
    errors: &mut Errors,
) -> Option<Freeze> {
    let version = fields.read_required("frozen_version", Field::integer, errors);
    let count = fields.read_required("frozen_count", Field::integer, errors);
    let prizes = fields.read("frozen_prizes", prize_table, errors);
    Some(Freeze {
        frozen_at,
        version: version?,
        count: count?,
        reopened: reopened?,
        prizes,
    })
}

fn prize_table(field: Field<'_, '_>, errors: &mut Errors) -> Option<PrizeTable> {
    let table = PrizeTable::decode(field.text(errors)?).ok();
    let table = table.filter(|table| table.prizes.len() <= MAX_PRIZES);
    if table.is_none() {
        errors.add(&field.pointer, "must be a table of prizes as an export has it");
    }
    table
}

fn player(field: Field<'_, '_>, errors: &mut Errors) -> Option<PlayerId> {
    field.parsed(PlayerId::new, errors)
}

fn entry(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<ListedEntry> {
    let player = fields.read_required("player", player, errors);
    let values = fields.read_required(
        "values",
        |field, errors| {
            let values = field.list(|value, errors| value.integer(errors), errors)?;
            values.into_iter().collect::<Option<Vec<i64>>>()
        },
        errors,
    );
    let reached_at = fields.read_required("reached_at", Field::time, errors);
    let attempts = fields.read_required("attempts", Field::integer, errors);
    let metadata = match fields.optional("metadata") {
        Some(field) => Some(metadata(field, errors)?),
        None => None,
    };
    let is_banned = fields.read_required("banned", Field::boolean, errors);
    Some(ListedEntry {
        entry: Entry {
            player: player?,
            values: Values::new(values?),
            reached_at: reached_at?,
            metadata,
            attempts: attempts?,
        },
        is_banned: is_banned?,
    })
}

/// Reads metadata from the text of a JSON object.
fn metadata(field: Field<'_, '_>, errors: &mut Errors) -> Option<Metadata> {
    let text = field.text(errors)?;
    if parse(text.as_bytes()).is_err() {
        errors.add(&field.pointer, "must be JSON");
        return None;
    }
    field.parsed(Metadata::from_json_text, errors)
}

fn claim(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<ExportLine> {
    let player = fields.read_required("player", player, errors);
    let replaces = fields.read("replaces", prize, errors);
    let prize = fields.read_required("prize", prize, errors);
    let rank = fields.read_required("rank", Field::integer, errors);
    let claimed_at = fields.read_required("claimed_at", Field::time, errors);
    let claim = Claim {
        prize: prize?,
        rank: rank?,
        claimed_at: claimed_at?,
        replaces,
    };
    Some(ExportLine::Claim(player?, claim))
}

fn prize(field: Field<'_, '_>, errors: &mut Errors) -> Option<String> {
    let text = field.text(errors)?;
    let has_control = text.chars().any(char::is_control);
    if text.is_empty() || text.chars().count() > MAX_PRIZE_NAME_CHARS || has_control {
        errors.add(
            &field.pointer,
            format!("must have 1 to {MAX_PRIZE_NAME_CHARS} characters, and no control characters"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn snapshot_part(fields: &Fields<'_, '_>, errors: &mut Errors) -> Option<SnapshotPart> {
    let position = fields.read_required("position", Field::integer, errors);
    let latest_at = fields.read_required("latest_at", Field::time, errors);
    let part = fields.read_required("part", Field::integer, errors);
    let parts = fields.read_required("parts", Field::integer, errors);
    let bytes = fields.read_required("bytes", bytes, errors);
    Some(SnapshotPart {
        summary: SnapshotSummary {
            position: position?,
            latest_at: latest_at?,
        },
        part: part?,
        parts: parts?,
        bytes: bytes?,
    })
}
