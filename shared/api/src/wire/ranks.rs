//! The documents of reads about ranks, in the version of the request.

use leaderboard_core::ports::PeriodPage;
use leaderboard_core::usecase::{Cursor, Drift, EntriesByPlayer, Listing};
use leaderboard_core::{LeaderboardId, PlayerId, Timestamp};
use serde::Serialize;

use super::versioned::{OfVersion, PageV2};
use super::{cursor, entries as v1, v2};
use crate::json::ExactUnsigned;
use crate::problem::Problem;
use crate::version::ApiVersion;

/// Adds the schemas of lists, entries, periods and distributions.
#[cfg(feature = "schema")]
pub(super) fn add_schemas(all: &mut crate::schema::Schemas) {
    match all.version {
        ApiVersion::V1 => {
            all.add::<v1::EntriesBody<'_>>();
            all.add::<v1::WindowBody<'_>>();
            all.add::<v1::PlayerEntryBody<'_>>();
            all.add::<v1::PeriodsBody<'_>>();
        }
        ApiVersion::V2 => {
            all.add::<v2::EntriesBody<'_>>();
            all.add::<v2::PlayerEntryBody<'_>>();
            all.add::<v2::PeriodsBody<'_>>();
            all.add_as::<PageV2>("Page");
        }
    }
    all.add::<v1::DistributionBody<'_>>();
}

/// Returns a page of a list. `drift` has the changes since the list was started, where they are known; only version 2 shows them.
///
/// # Errors
/// An internal problem when stored metadata is not JSON.
pub fn page(version: ApiVersion, found: &Listing, drift: Option<Drift>) -> Result<impl Serialize, Problem> {
    Ok(match version {
        ApiVersion::V1 => OfVersion::V1(v1::EntriesBody {
            head: list_head(found),
            entries: v1::EntryBody::list(&found.page.entries, &found.layout.columns)?,
            not_found: None,
            cursors: Some(v1::Cursors {
                next: cursor_to(found.next.as_ref()),
                previous: cursor_to(found.previous.as_ref()),
            }),
            drifted: Some(found.drifted),
        }),
        ApiVersion::V2 => OfVersion::V2(page_v2(found, v2::Snapshot::new(found, drift))?),
    })
}

/// Returns the window around a player.
///
/// # Errors
/// The same as for [`page`].
pub fn window(version: ApiVersion, found: &Listing) -> Result<impl Serialize, Problem> {
    Ok(match version {
        ApiVersion::V1 => OfVersion::V1(v1::WindowBody {
            head: list_head(found),
            entries: v1::EntryBody::list(&found.page.entries, &found.layout.columns)?,
            next: cursor_to(found.next.as_ref()),
            previous: cursor_to(found.previous.as_ref()),
        }),
        ApiVersion::V2 => OfVersion::V2(page_v2(found, v2::Snapshot::starting(found.page.version))?),
    })
}

/// Returns a page or a window in version 2.
fn page_v2(found: &Listing, snapshot: v2::Snapshot) -> Result<v2::EntriesBody<'_>, Problem> {
    Ok(v2::EntriesBody {
        head: list_head(found),
        data: v2::EntryBody::list(&found.page.entries, &found.layout.columns)?,
        not_found: None,
        page: PageV2 {
            next: cursor_to(found.next.as_ref()),
            previous: cursor_to(found.previous.as_ref()),
            snapshot: Some(snapshot),
        },
    })
}

/// Returns the entries of the players in `asked`, and lists the players without an entry.
///
/// # Errors
/// The same as for [`page`].
pub fn players<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a EntriesByPlayer,
    asked: &'a [PlayerId],
) -> Result<impl Serialize + 'a, Problem> {
    let is_missing = |player: &&PlayerId| found.entries.iter().all(|ranked| ranked.entry.player != **player);
    let not_found = asked.iter().filter(is_missing).map(PlayerId::as_str).collect();
    let (head, columns) = (head(leaderboard, found), &found.layout.columns);
    Ok(match version {
        ApiVersion::V1 => OfVersion::V1(v1::EntriesBody {
            head,
            entries: v1::EntryBody::list(&found.entries, columns)?,
            not_found: Some(not_found),
            cursors: None,
            drifted: None,
        }),
        ApiVersion::V2 => OfVersion::V2(v2::EntriesBody {
            head,
            data: v2::EntryBody::list(&found.entries, columns)?,
            not_found: Some(not_found),
            page: PageV2 {
                snapshot: Some(v2::Snapshot::starting(found.version)),
                ..PageV2::default()
            },
        }),
    })
}

pub(super) fn cursor_to(to: Option<&Cursor>) -> Option<String> {
    to.map(|to| cursor::encode(&to.encode()))
}

pub(super) fn list_head(found: &Listing) -> v1::PageHead<'_> {
    v1::PageHead {
        leaderboard: found.leaderboard.value.id.as_str(),
        period: (&found.period).into(),
        version: ExactUnsigned(found.page.version),
        count: found.page.count,
    }
}

/// Returns one player's entry.
///
/// # Errors
/// The same as for [`page`], and an internal problem when the player has no entry.
pub fn player_entry<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a EntriesByPlayer,
) -> Result<impl Serialize + 'a, Problem> {
    let ranked = found
        .entries
        .first()
        .ok_or_else(|| Problem::internal("an entry was found and is missing"))?;
    let (head, columns) = (head(leaderboard, found), &found.layout.columns);
    Ok(match version {
        ApiVersion::V1 => OfVersion::V1(v1::PlayerEntryBody {
            head,
            entry: v1::EntryBody::new(ranked, columns)?,
        }),
        ApiVersion::V2 => OfVersion::V2(v2::PlayerEntryBody {
            head,
            entry: v2::EntryBody::new(ranked, columns)?,
        }),
    })
}

/// Returns a page of a leaderboard's periods.
pub fn periods<'a>(
    version: ApiVersion,
    leaderboard: &'a LeaderboardId,
    found: &'a PeriodPage,
) -> impl Serialize + 'a {
    let leaderboard = leaderboard.as_str();
    let periods = found.periods.iter().map(Into::into).collect();
    let next = found
        .before
        .map(|start| cursor::encode(&start.as_unix_ms().to_be_bytes()));
    match version {
        ApiVersion::V1 => OfVersion::V1(v1::PeriodsBody {
            leaderboard,
            periods,
            next,
        }),
        ApiVersion::V2 => OfVersion::V2(v2::PeriodsBody {
            leaderboard,
            data: periods,
            page: PageV2 {
                next,
                ..PageV2::default()
            },
        }),
    }
}

/// Returns the start of the period that a cursor has; `None` for other cursors.
pub fn start_of_cursor(bytes: &[u8]) -> Option<Timestamp> {
    Timestamp::from_unix_ms(i64::from_be_bytes(bytes.try_into().ok()?))
}

fn head<'a>(leaderboard: &'a LeaderboardId, found: &'a EntriesByPlayer) -> v1::PageHead<'a> {
    v1::PageHead {
        leaderboard: leaderboard.as_str(),
        period: (&found.period).into(),
        version: ExactUnsigned(found.version),
        count: found.count,
    }
}
