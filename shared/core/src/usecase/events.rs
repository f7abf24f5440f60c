//! Reading event logs: one leaderboard's, and the events of one player.

use super::query::QueryError;
use super::{Deps, Store};
use crate::codec::{Malformed, Reader, Writer};
use crate::ports::{Cache, Events};
use crate::{Leaderboard, LeaderboardId, LoggedEvent, PlayerId, StoreError, Timestamp, Versioned};

/// The most events that one request looks through for the events of a player.
pub const MAX_SCANNED_EVENTS: u32 = 10_000;
/// The most leaderboards whose logs one request looks through for the events of a player.
pub const MAX_SCANNED_LEADERBOARDS: u32 = 32;
/// How many events one read of such a request returns.
const EVENTS_AT_ONCE: u32 = 1_000;
/// The code of the format of [`PlayerEventCursor`]. A changed format gets a new code.
const CURSOR_V1: u8 = 1;

/// A part of a leaderboard's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The position of the oldest kept event; 0 if the store has lost the log.
    pub from: u64,
    /// The position of the newest event; 0 if the store has lost the log.
    pub last: u64,
    /// When the oldest kept event becomes older than the log keeps events. The number of events or the tenant's quota can remove it
    /// earlier. `None` if the instant of the event is unknown.
    pub retained_until: Option<Timestamp>,
    /// The events.
    pub events: Vec<LoggedEvent>,
    /// Whether the log has events after these.
    pub more: bool,
}

/// Where the events of a player continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerEventCursor {
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The position after which its log continues.
    pub after: u64,
}

/// Some of the events of a player, by leaderboard and position.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerEvents {
    /// The events with their leaderboards.
    pub events: Vec<(LeaderboardId, LoggedEvent)>,
    /// Where the events continue; `None` at their end. A page can have fewer events than its limit, or none, although they continue.
    pub next: Option<PlayerEventCursor>,
}

impl PlayerEventCursor {
    /// Encodes the cursor.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(CURSOR_V1);
        w.text(self.leaderboard.as_str());
        w.unsigned(self.after);
        w.finish()
    }

    /// Decodes a cursor from the bytes that [`PlayerEventCursor::encode`] returns.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not such a cursor.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != CURSOR_V1 {
            return Err(Malformed("cursor code"));
        }
        let cursor = Self {
            leaderboard: LeaderboardId::new(r.text()?).map_err(|_| Malformed("leaderboard"))?,
            after: r.unsigned()?,
        };
        r.end()?;
        Ok(cursor)
    }
}

/// Reads up to `limit` events after a position of a leaderboard's log.
///
/// # Errors
/// [`QueryError`].
pub async fn list_events<S: Store + Events, K: Cache>(
    deps: &Deps<'_, S, K>,
    id: &LeaderboardId,
    after: u64,
    limit: u32,
) -> Result<LogPage, QueryError> {
    let board = deps.load_current_leaderboard(id).await?;
    let board = board.ok_or(QueryError::UnknownLeaderboard)?;
    let events = deps.store.read(deps.tenant, id, after, limit).await?;
    // The bounds are read last, so no event of the page is after `last`.
    let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
    let (from, last, retained_until) = bounds.map_or((0, 0, None), |bounds| {
        let retained_until = bounds.retained_until(&board.value.log);
        (bounds.first.position, bounds.last.position, retained_until)
    });
    Ok(LogPage {
        from,
        last,
        retained_until,
        more: events.last().is_some_and(|read| read.position < last),
        events,
    })
}

/// Reads up to `limit` events of a player in all leaderboards of the tenant, from a cursor on. No index has them, because each write
/// would have to keep it: the call looks through at most [`MAX_SCANNED_EVENTS`] events and the logs of
/// [`MAX_SCANNED_LEADERBOARDS`] leaderboards, and [`PlayerEvents::next`] continues where it stopped.
///
/// An event of an unknown format is left out, because its player is unknown. `with_bans`: whether bans of the player are included.
///
/// # Errors
/// [`StoreError`].
pub async fn list_player_events<S: Store + Events, K>(
    deps: &Deps<'_, S, K>,
    player: &PlayerId,
    from: Option<PlayerEventCursor>,
    limit: u32,
    with_bans: bool,
) -> Result<PlayerEvents, StoreError> {
    let mut scan = Scan {
        wanted: usize::try_from(limit).unwrap_or(usize::MAX),
        events_left: MAX_SCANNED_EVENTS,
        found: Vec::new(),
    };
    let boards = list_boards(deps, from.as_ref()).await?;
    let count = boards.len();
    let mut last = None;
    for board in boards {
        let id = &board.value.id;
        let after = from.as_ref().filter(|cursor| cursor.leaderboard == *id);
        let mut after = after.map_or(0, |cursor| cursor.after);
        while let Some(read) = scan.read(deps, id, after).await? {
            for logged in read {
                after = logged.position;
                let concerns = logged.event.as_ref().is_ok_and(|event| {
                    (with_bans || !event.body.is_ban()) && event.body.player() == Some(player)
                });
                if concerns {
                    scan.found.push((id.clone(), logged));
                }
                if scan.found.len() >= scan.wanted {
                    break;
                }
            }
        }
        last = Some(PlayerEventCursor {
            leaderboard: id.clone(),
            after,
        });
        if scan.is_over() {
            break;
        }
    }
    // Where the scan was not stopped, it ended with the last leaderboard of the tenant or of the call.
    let all_listed = u32::try_from(count).is_ok_and(|count| count < MAX_SCANNED_LEADERBOARDS);
    Ok(PlayerEvents {
        next: last.filter(|_| scan.is_over() || !all_listed),
        events: scan.found,
    })
}

/// What is left of a bounded scan, and what it found.
struct Scan {
    wanted: usize,
    events_left: u32,
    found: Vec<(LeaderboardId, LoggedEvent)>,
}

impl Scan {
    fn is_over(&self) -> bool {
        self.events_left == 0 || self.found.len() >= self.wanted
    }

    /// Reads the next events of a log; `None` at its end and when the scan is over.
    async fn read<S: Events, K>(
        &mut self,
        deps: &Deps<'_, S, K>,
        id: &LeaderboardId,
        after: u64,
    ) -> Result<Option<Vec<LoggedEvent>>, StoreError> {
        if self.is_over() {
            return Ok(None);
        }
        let most = self.events_left.min(EVENTS_AT_ONCE);
        let read = deps.store.read(deps.tenant, id, after, most).await?;
        let count = u32::try_from(read.len()).unwrap_or(u32::MAX);
        self.events_left = self.events_left.saturating_sub(count);
        Ok(Some(read).filter(|read| !read.is_empty()))
    }
}

/// Returns the tenant's leaderboards from the cursor's on, at most [`MAX_SCANNED_LEADERBOARDS`].
async fn list_boards<S: Store, K>(
    deps: &Deps<'_, S, K>,
    from: Option<&PlayerEventCursor>,
) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
    let Some(cursor) = from else {
        return deps.store.list(deps.tenant, None, MAX_SCANNED_LEADERBOARDS).await;
    };
    let id = &cursor.leaderboard;
    let mut boards = deps
        .store
        .list(deps.tenant, Some(id), MAX_SCANNED_LEADERBOARDS - 1)
        .await?;
    // The leaderboard of the cursor may have been deleted.
    if let Some(first) = deps.store.get(deps.tenant, id).await? {
        boards.insert(0, first);
    }
    Ok(boards)
}
