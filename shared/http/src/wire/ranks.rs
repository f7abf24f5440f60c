//! Answers about ranks, in the shape of the version that was asked for.

use leaderboard_core::ports::PeriodSummary;
use leaderboard_core::usecase::{Cursor, Drift, Listing, Standing};
use leaderboard_core::{LeaderboardId, PlayerId};
use serde::Serialize;

use super::versioned::{Document, PageV2};
use super::{cursor, entries as v1, v2};
use crate::json::ExactUnsigned;
use crate::problem::Problem;
use crate::version::ApiVersion;

/// A page of a list. `drift` is what changed since the list was started, where that is known; version 2 tells it.
///
/// # Errors
/// As every function here: an internal problem when stored metadata is not JSON.
pub(crate) fn page(
    version: ApiVersion,
    found: &Listing,
    drift: Option<Drift>,
) -> Result<impl Serialize, Problem> {
    let way_on = |to: &Option<Cursor>| to.as_ref().map(|to| cursor::encode(&to.encode()));
    let (entries, columns) = (&found.page.entries, &found.layout.columns);
    let head = v1::Head {
        leaderboard: found.board.value.id.as_str(),
        period: (&found.period).into(),
        version: ExactUnsigned(found.page.version),
        count: found.page.count,
    };
    let (next, previous) = (way_on(&found.next), way_on(&found.previous));
    Ok(match version {
        ApiVersion::V1 => Document::V1(v1::PageBody {
            head,
            entries: v1::EntryBody::list(entries, columns)?,
            next,
            previous,
            drifted: found.drifted,
        }),
        ApiVersion::V2 => Document::V2(v2::EntriesBody {
            head,
            data: v2::Entry::list(entries, columns)?,
            not_found: None,
            page: PageV2 {
                next,
                previous,
                snapshot: Some(v2::Snapshot::new(found, drift)),
            },
        }),
    })
}

/// Some players' entries, and who of those asked for has none.
///
/// # Errors
/// As for [`page`].
pub(crate) fn players<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a Standing,
    asked: &'a [PlayerId],
) -> Result<impl Serialize + 'a, Problem> {
    let is_missing = |player: &&PlayerId| found.entries.iter().all(|ranked| ranked.entry.player != **player);
    let not_found = asked.iter().filter(is_missing).map(PlayerId::as_str).collect();
    Ok(match version {
        ApiVersion::V1 => Document::V1(v1::PlayersBody {
            head: head(leaderboard, found),
            entries: v1::EntryBody::list(&found.entries, &found.layout.columns)?,
            not_found,
        }),
        ApiVersion::V2 => Document::V2(whole(leaderboard, found, Some(not_found))?),
    })
}

/// The window around a player.
///
/// # Errors
/// As for [`page`].
pub(crate) fn window<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a Standing,
) -> Result<impl Serialize + 'a, Problem> {
    Ok(match version {
        ApiVersion::V1 => Document::V1(v1::WindowBody {
            head: head(leaderboard, found),
            entries: v1::EntryBody::list(&found.entries, &found.layout.columns)?,
        }),
        ApiVersion::V2 => Document::V2(whole(leaderboard, found, None)?),
    })
}

/// One player's entry.
///
/// # Errors
/// As for [`page`], and when there is none.
pub(crate) fn standing<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a Standing,
) -> Result<impl Serialize + 'a, Problem> {
    let ranked = found
        .entries
        .first()
        .ok_or_else(|| Problem::internal("an entry was found and is missing"))?;
    let (head, columns) = (head(leaderboard, found), &found.layout.columns);
    Ok(match version {
        ApiVersion::V1 => Document::V1(v1::StandingBody {
            head,
            entry: v1::EntryBody::new(ranked, columns)?,
        }),
        ApiVersion::V2 => Document::V2(v2::StandingBody {
            head,
            entry: v2::Entry::new(ranked, columns)?,
        }),
    })
}

/// The periods of a leaderboard.
pub(crate) fn periods<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a [PeriodSummary],
) -> impl Serialize + 'a {
    let (leaderboard, periods) = (leaderboard.as_str(), found.iter().map(Into::into).collect());
    match version {
        ApiVersion::V1 => Document::V1(v1::PeriodsBody { leaderboard, periods }),
        ApiVersion::V2 => Document::V2(v2::PeriodsBody {
            leaderboard,
            data: periods,
            page: PageV2::default(),
        }),
    }
}

/// Entries that are all there is of what was asked for.
fn whole<'a>(
    leaderboard: &'a LeaderboardId,
    found: &'a Standing,
    not_found: Option<Vec<&'a str>>,
) -> Result<v2::EntriesBody<'a>, Problem> {
    Ok(v2::EntriesBody {
        head: head(leaderboard, found),
        data: v2::Entry::list(&found.entries, &found.layout.columns)?,
        not_found,
        page: PageV2 {
            snapshot: Some(v2::Snapshot::starting(found.version)),
            ..PageV2::default()
        },
    })
}

fn head<'a>(leaderboard: &'a LeaderboardId, found: &'a Standing) -> v1::Head<'a> {
    v1::Head {
        leaderboard: leaderboard.as_str(),
        period: (&found.period).into(),
        version: ExactUnsigned(found.version),
        count: found.count,
    }
}
