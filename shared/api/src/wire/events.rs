//! The documents of event logs.

use leaderboard_core::usecase::{LogPage, PlayerEvents};
use leaderboard_core::{Event, EventBody as CoreBody, LeaderboardId, LoggedEvent, PlayerId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::leaderboard::LeaderboardBody;
use super::submission::OPERATORS;
#[cfg(feature = "schema")]
use super::submission::OperatorWord;
use super::versioned::{ListBody, VersionedPlayer};
use super::{cursor, word};
use crate::json::{Exact, ExactUnsigned};
use crate::problem::Problem;
use crate::version::ApiVersion;

/// The words for the types of events.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = EventType))]
enum EventType {
    Configured,
    Submitted,
    Removed,
    Banned,
    Unbanned,
    Unknown,
}

/// An event: an accepted change of a leaderboard. It has the fields of its type.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Event))]
struct EventBody<'a> {
    /// The position of the event in the log, which starts at 1.
    position: ExactUnsigned,
    /// In a list of a player's events: the leaderboard of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    leaderboard: Option<&'a str>,
    /// What happened. `unknown`: a newer version of the service wrote the event, and this version cannot read it.
    r#type: EventType,
    /// The number of the format in which the store keeps the event. The fields of an event are the same for all formats of its
    /// type. A newer format has a larger number.
    schema_version: u8,
    /// When the change was accepted; `null` if the type is `unknown` and the event does not say it.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    recorded_at: Option<String>,
    /// `submitted`, `removed`, `banned` and `unbanned`: the player.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    player: Option<VersionedPlayer<'a>>,
    /// `submitted` and `removed`: the period of the entry. `configured`: the period that was current.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    period: Option<&'a str>,
    /// The fields of `submitted`.
    #[serde(flatten)]
    submitted: Option<SubmittedBody<'a>>,
    /// The fields of `configured`.
    #[serde(flatten)]
    configured: Option<ConfiguredBody<'a>>,
}

/// The fields of a submission.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct SubmittedBody<'a> {
    /// `submitted`: how the submission changed the entry.
    #[cfg_attr(feature = "schema", schema(value_type = OperatorWord))]
    operator: &'static str,
    /// `submitted`: the submitted values, in the order of the columns at that time.
    values: Vec<Exact>,
    /// `submitted`: the submitted metadata; `null` if there were none, or the entry was kept.
    #[cfg_attr(feature = "schema", schema(value_type = Option<crate::schema::AnyMetadata>))]
    metadata: Option<&'a RawValue>,
    /// `submitted`: when the score happened.
    occurred_at: String,
    /// `submitted`: the id of the submission; `null` if it had none.
    id: Option<&'a str>,
    /// `submitted`: whether the entry was kept: only its number of attempts changed.
    kept: bool,
    /// `submitted`: whether the player was banned. A player does not see this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    banned: Option<bool>,
}

/// The fields of a change of the configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ConfiguredBody<'a> {
    /// `configured`: the new configuration.
    configuration: LeaderboardBody<'a>,
    /// `configured`: whether the change was allowed to reorder the entries of the period.
    rebuild: bool,
}

/// Where a log begins and ends.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct LogHead<'a> {
    /// The id of the leaderboard.
    leaderboard: &'a str,
    /// The position of the oldest event that the log still has.
    from: ExactUnsigned,
    /// The position of the newest event.
    last: ExactUnsigned,
    /// When the oldest event becomes too old to be kept (`log.keep_days`). It is removed earlier if the log gets more events than
    /// `log.keep_events`, or the quota of the tenant is reached. `null` if the time of the event is unknown.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    retained_until: Option<String>,
}

/// A page of a list after a head.
#[derive(Debug, Serialize)]
struct HeadedList<H, T> {
    #[serde(flatten)]
    head: H,
    #[serde(flatten)]
    list: ListBody<T>,
}

/// Whose events a list has.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct PlayerHead<'a> {
    /// The player.
    player: VersionedPlayer<'a>,
}

/// Adds the schemas of event logs.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    let order = "The events, in the order of their positions.";
    all.add_list::<EventBody<'_>>(
        "Events",
        "events",
        ["A part of the event log of a leaderboard.", order],
    );
    all.add::<LogHead<'_>>();
    all.add_fields_of("LogHead", "Events");
    let order = "The events, in the order of leaderboards and positions. A page can have fewer events than `limit`, or none, although `next` is not `null`.";
    all.add_list::<EventBody<'_>>("PlayerEvents", "events", ["Events of a player.", order]);
    all.add::<PlayerHead<'_>>();
    all.add_fields_of("PlayerHead", "PlayerEvents");
}

/// Returns the document of a part of a leaderboard's log.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn log_page<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    page: &'a LogPage,
) -> Result<impl Serialize + 'a, Problem> {
    let events = page.events.iter();
    let events = events.map(|logged| event_body(version, logged, None, true));
    let next = page.events.last().filter(|_| page.more);
    let events = events.collect::<Result<_, _>>()?;
    Ok(HeadedList {
        head: LogHead {
            leaderboard: leaderboard.as_str(),
            from: ExactUnsigned(page.from),
            last: ExactUnsigned(page.last),
            retained_until: page.retained_until.map(|at| at.to_string()),
        },
        list: ListBody::new(version, "events", events).with_next(next.map(|last| last.position.to_string())),
    })
}

/// Returns the document of events of a player. `shows_bans`: whether submissions say that the player was banned.
///
/// # Errors
/// The same as for [`log_page`].
pub fn player_events<'a>(
    version: ApiVersion,
    player: &'a PlayerId,
    found: &'a PlayerEvents,
    shows_bans: bool,
) -> Result<impl Serialize + 'a, Problem> {
    let events = found.events.iter();
    let events = events.map(|(board, logged)| event_body(version, logged, Some(board), shows_bans));
    let next = found.next.as_ref().map(|next| cursor::encode(&next.encode()));
    let events = events.collect::<Result<_, _>>()?;
    Ok(HeadedList {
        head: PlayerHead {
            player: VersionedPlayer {
                version,
                id: player.as_str(),
            },
        },
        list: ListBody::new(version, "events", events).with_next(next),
    })
}

fn event_body<'a>(
    version: ApiVersion,
    logged: &'a LoggedEvent,
    leaderboard: Option<&'a LeaderboardId>,
    shows_bans: bool,
) -> Result<EventBody<'a>, Problem> {
    let mut body = EventBody {
        position: ExactUnsigned(logged.position),
        leaderboard: leaderboard.map(LeaderboardId::as_str),
        r#type: EventType::Unknown,
        schema_version: logged.schema_version,
        recorded_at: logged.recorded_at().map(|at| at.to_string()),
        player: None,
        period: None,
        submitted: None,
        configured: None,
    };
    if let Ok(event) = &logged.event {
        set_fields(&mut body, version, event, shows_bans)?;
    }
    Ok(body)
}

/// Sets the fields of an event's type.
fn set_fields<'a>(
    body: &mut EventBody<'a>,
    version: ApiVersion,
    event: &'a Event,
    shows_bans: bool,
) -> Result<(), Problem> {
    let named = |player: &'a PlayerId| {
        Some(VersionedPlayer {
            version,
            id: player.as_str(),
        })
    };
    match &event.body {
        CoreBody::Configured {
            leaderboard,
            current,
            rebuild,
        } => {
            body.r#type = EventType::Configured;
            body.period = Some(current.as_str());
            body.configured = Some(ConfiguredBody {
                configuration: LeaderboardBody::from(&**leaderboard),
                rebuild: *rebuild,
            });
        }
        CoreBody::Submitted { player, period, .. } => {
            body.r#type = EventType::Submitted;
            body.player = named(player);
            body.period = Some(period.as_str());
            body.submitted = submitted_body(event, shows_bans)?;
        }
        CoreBody::Removed { player, period } => {
            body.r#type = EventType::Removed;
            body.player = named(player);
            body.period = Some(period.as_str());
        }
        CoreBody::Banned { player } => {
            body.r#type = EventType::Banned;
            body.player = named(player);
        }
        CoreBody::Unbanned { player } => {
            body.r#type = EventType::Unbanned;
            body.player = named(player);
        }
    }
    Ok(())
}

fn submitted_body(event: &Event, shows_bans: bool) -> Result<Option<SubmittedBody<'_>>, Problem> {
    let CoreBody::Submitted {
        operator,
        values,
        metadata,
        occurred_at,
        id,
        banned,
        kept,
        ..
    } = &event.body
    else {
        return Ok(None);
    };
    let metadata = metadata
        .as_ref()
        .map(|metadata| serde_json::from_str(metadata.as_json_text()));
    let metadata = metadata.transpose();
    Ok(Some(SubmittedBody {
        operator: word(&OPERATORS, *operator),
        values: values.as_slice().iter().map(|value| Exact(*value)).collect(),
        metadata: metadata
            .map_err(|error| Problem::internal(format!("stored metadata is not JSON: {error}")))?,
        occurred_at: occurred_at.to_string(),
        id: id.as_ref().map(leaderboard_core::SubmissionId::as_str),
        banned: shows_bans.then_some(*banned),
        kept: *kept,
    }))
}

#[cfg(test)]
mod tests {
    use leaderboard_core::{Timestamp, UnknownEvent};

    use super::*;

    #[test]
    fn an_event_of_a_newer_version_is_listed_as_unknown() {
        let logged = |recorded_at| LoggedEvent {
            position: 4,
            schema_version: 9,
            event: Err(UnknownEvent { recorded_at }),
        };
        let page = LogPage {
            from: 4,
            last: 9,
            retained_until: None,
            events: vec![logged(Timestamp::from_unix_ms(0)), logged(None)],
            more: true,
        };
        let id = LeaderboardId::new("goals").unwrap();
        let body = log_page(ApiVersion::V1, &id, &page).unwrap();
        assert_eq!(
            crate::json::text(&body),
            r#"{"leaderboard":"goals","from":4,"last":9,"retained_until":null,"events":[{"position":4,"type":"unknown","schema_version":9,"recorded_at":"1970-01-01T00:00:00.000Z"},{"position":4,"type":"unknown","schema_version":9,"recorded_at":null}],"next":"4"}"#
        );
    }
}
