//! Events as bytes.
//!
//! The first byte is the number of the event's format. A changed format gets the next number, and its event begins with the number
//! and the instant, so that earlier versions of the code can read the instant of an event that they do not know. The function that
//! reads an old format is its upcaster: it returns the event in today's form.

use super::leaderboard::{decode_leaderboard, encode_leaderboard};
use super::wire::{Malformed, Reader, Writer};
use crate::{
    Event, EventBody, LoggedEvent, Metadata, Operator, PeriodId, SubmissionId, Timestamp, UnknownEvent,
};

const CONFIGURED_V1: u8 = 1;
/// The code of a submitted event in the first format: the metadata come before the id. New events without metadata and without
/// [`KEPT_FLAG`] still use this format.
const SUBMITTED_V1: u8 = 2;
const REMOVED_V1: u8 = 3;
const BANNED_V1: u8 = 4;
const UNBANNED_V1: u8 = 5;
/// The code of a submitted event with metadata (at the end) or with [`KEPT_FLAG`]. A store that adds one of them to an event sets
/// this code.
pub const SUBMITTED_V2: u8 = 6;
/// The newest format that this code has.
const NEWEST_FORMAT: u8 = SUBMITTED_V2;

/// The most bytes that the code, the flags and the time of an event take together.
pub const RECORDED_AT_BYTES: usize = 12;
/// The offset of the flags in a submitted event, in bytes. A store sets [`BANNED_FLAG`] there.
pub const SUBMITTED_FLAGS_AT: usize = 1;
/// Flag: the player was banned when the submission was accepted.
pub const BANNED_FLAG: u8 = 0b1000_0000;
/// Flag: the submission did not change the entry's values. A store sets this flag and omits the metadata.
pub const KEPT_FLAG: u8 = 0b0010_0000;
/// Flag: metadata follow at the end, as their length (a varint) and their text. A store sets this flag when it adds metadata.
pub const METADATA_FLAG: u8 = 0b0000_0100;
const OPERATOR_MASK: u8 = 0b0000_0011;
const HAS_ID: u8 = 0b0000_1000;
/// Flag: the score happened at the instant when it was recorded, so the event omits the time of the score (eight bytes).
const OCCURRED_WHEN_RECORDED: u8 = 0b0001_0000;

/// Encodes an event.
#[must_use]
pub fn encode_event(event: &Event) -> Vec<u8> {
    let mut w = Writer::default();
    match &event.body {
        EventBody::Configured {
            leaderboard,
            current,
            rebuild,
        } => {
            w.byte(CONFIGURED_V1);
            w.timestamp(event.recorded_at);
            w.byte(u8::from(*rebuild));
            w.text(current.as_str());
            w.bytes(&encode_leaderboard(leaderboard));
        }
        EventBody::Submitted { .. } => write_submitted(&mut w, event),
        EventBody::Removed { player, period } => {
            w.byte(REMOVED_V1);
            w.timestamp(event.recorded_at);
            w.text(player.as_str());
            w.text(period.as_str());
        }
        EventBody::Banned { player } | EventBody::Unbanned { player } => {
            let banned = matches!(event.body, EventBody::Banned { .. });
            w.byte(if banned { BANNED_V1 } else { UNBANNED_V1 });
            w.timestamp(event.recorded_at);
            w.text(player.as_str());
        }
    }
    w.finish()
}

fn write_submitted(w: &mut Writer, event: &Event) {
    let EventBody::Submitted {
        player,
        period,
        operator,
        values,
        metadata,
        occurred_at,
        id,
        banned,
        kept,
    } = &event.body
    else {
        return;
    };
    let when_recorded = *occurred_at == event.recorded_at;
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    w.byte(if *kept || metadata.is_some() {
        SUBMITTED_V2
    } else {
        SUBMITTED_V1
    });
    w.byte(
        operator.code()
            | flag(metadata.is_some(), METADATA_FLAG)
            | flag(id.is_some(), HAS_ID)
            | flag(when_recorded, OCCURRED_WHEN_RECORDED)
            | flag(*banned, BANNED_FLAG)
            | flag(*kept, KEPT_FLAG),
    );
    w.timestamp(event.recorded_at);
    if !when_recorded {
        w.timestamp(*occurred_at);
    }
    write_period(w, period);
    w.text(player.as_str());
    w.values(values);
    if let Some(id) = id {
        w.text(id.as_str());
    }
    if let Some(metadata) = metadata {
        w.text(metadata.as_json_text());
    }
}

/// Writes a period id in few bytes, because a log contains many ids: one byte for `all`, an instant for an id that is an instant,
/// and the text for any other id.
fn write_period(w: &mut Writer, period: &PeriodId) {
    if *period == PeriodId::all_time() {
        return w.byte(2);
    }
    let start = Timestamp::parse(period.as_str()).ok();
    match start.filter(|start| PeriodId::starting_at(*start) == *period) {
        Some(start) => {
            w.byte(1);
            w.timestamp(start);
        }
        None => {
            w.byte(0);
            w.text(period.as_str());
        }
    }
}

fn read_period(r: &mut Reader<'_>) -> Result<PeriodId, Malformed> {
    match r.byte()? {
        0 => r.period(),
        1 => r.timestamp().map(PeriodId::starting_at),
        2 => Ok(PeriodId::all_time()),
        _ => Err(Malformed("period")),
    }
}

/// Decodes an event from the bytes that [`encode_event`] returns.
///
/// # Errors
/// [`Malformed`] if the bytes are not an event.
pub fn decode_event(bytes: &[u8]) -> Result<Event, Malformed> {
    let mut r = Reader::new(bytes);
    let code = r.byte()?;
    if matches!(code, SUBMITTED_V1 | SUBMITTED_V2) {
        return read_submitted(r, code);
    }
    let recorded_at = r.timestamp()?;
    let body = match code {
        CONFIGURED_V1 => EventBody::Configured {
            rebuild: r.flag()?,
            current: r.period()?,
            leaderboard: Box::new(decode_leaderboard(r.bytes()?)?),
        },
        REMOVED_V1 => EventBody::Removed {
            player: r.player()?,
            period: r.period()?,
        },
        BANNED_V1 => EventBody::Banned { player: r.player()? },
        UNBANNED_V1 => EventBody::Unbanned { player: r.player()? },
        _ => return Err(Malformed("event code")),
    };
    r.end()?;
    Ok(Event { recorded_at, body })
}

/// Decodes an event of a log. An event of a newer format is not an error ([`LoggedEvent::event`]).
///
/// # Errors
/// [`Malformed`] if the bytes are not an event.
pub fn decode_logged_event(position: u64, bytes: &[u8]) -> Result<LoggedEvent, Malformed> {
    let schema_version = *bytes.first().ok_or(Malformed("event code"))?;
    let event = if schema_version > NEWEST_FORMAT {
        Err(UnknownEvent {
            recorded_at: read_recorded_at(bytes).ok(),
        })
    } else {
        Ok(decode_event(bytes)?)
    };
    Ok(LoggedEvent {
        position,
        schema_version,
        event,
    })
}

/// Returns when an event was accepted. The first [`RECORDED_AT_BYTES`] bytes of the event are enough.
///
/// # Errors
/// [`Malformed`] when the bytes are not the beginning of an event.
pub fn read_recorded_at(bytes: &[u8]) -> Result<Timestamp, Malformed> {
    let mut r = Reader::new(bytes);
    if matches!(r.byte()?, SUBMITTED_V1 | SUBMITTED_V2) {
        r.byte()?;
    }
    r.timestamp()
}

/// The parts of a submitted event that its formats order differently.
type IdAndMetadata = (Option<SubmissionId>, Option<Metadata>);

/// The upcaster of [`SUBMITTED_V1`]: the metadata come first.
fn upcast_submitted_v1(r: &mut Reader<'_>, flags: u8) -> Result<IdAndMetadata, Malformed> {
    let metadata = read_metadata(r, flags)?;
    Ok((read_id(r, flags)?, metadata))
}

fn read_submitted_v2(r: &mut Reader<'_>, flags: u8) -> Result<IdAndMetadata, Malformed> {
    let id = read_id(r, flags)?;
    Ok((id, read_metadata(r, flags)?))
}

fn read_id(r: &mut Reader<'_>, flags: u8) -> Result<Option<SubmissionId>, Malformed> {
    if flags & HAS_ID == 0 {
        return Ok(None);
    }
    let id = SubmissionId::new(r.text()?).map_err(|_| Malformed("submission id"))?;
    Ok(Some(id))
}

fn read_metadata(r: &mut Reader<'_>, flags: u8) -> Result<Option<Metadata>, Malformed> {
    if flags & METADATA_FLAG == 0 {
        return Ok(None);
    }
    let metadata = Metadata::from_json_text(r.text()?).map_err(|_| Malformed("metadata"))?;
    Ok(Some(metadata))
}

fn read_submitted(mut r: Reader<'_>, code: u8) -> Result<Event, Malformed> {
    let flags = r.byte()?;
    let has = |flag: u8| flags & flag != 0;
    let recorded_at = r.timestamp()?;
    let occurred_at = if has(OCCURRED_WHEN_RECORDED) {
        recorded_at
    } else {
        r.timestamp()?
    };
    let period = read_period(&mut r)?;
    let player = r.player()?;
    let values = r.values()?;
    let (id, metadata) = if code == SUBMITTED_V1 {
        upcast_submitted_v1(&mut r, flags)?
    } else {
        read_submitted_v2(&mut r, flags)?
    };
    r.end()?;
    let operator = Operator::from_code(flags & OPERATOR_MASK).ok_or(Malformed("operator"))?;
    let banned = has(BANNED_FLAG);
    let kept = has(KEPT_FLAG);
    let body = EventBody::Submitted {
        player,
        period,
        operator,
        values,
        metadata,
        occurred_at,
        id,
        banned,
        kept,
    };
    Ok(Event { recorded_at, body })
}
