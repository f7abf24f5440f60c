//! Snapshots of leaderboards: which ones are kept, and when one is taken.

use std::rc::Rc;

use super::Deps;
use super::leaderboard_memory::SharedLeaderboard;
use crate::ports::{LogBounds, MAX_SNAPSHOT_BYTES, NewSnapshot, SnapshotSummary, Snapshots};
use crate::{LogPolicy, Projection, StoreError, Timestamp};

/// The most snapshots of a leaderboard. With the longest log, one of them is at most about 40,000 events before each event.
pub const MAX_SNAPSHOTS: usize = 48;
/// The most snapshots of a leaderboard whose newest one is large. They take much of the tenant's quota of log bytes, so there are
/// fewer. With the longest log, one of them is at most about 80,000 events before each event.
const MAX_LARGE_SNAPSHOTS: usize = 24;
/// A snapshot of more bytes is large. One of 100,000 entries without metadata and with short ids of players is not.
const LARGE_SNAPSHOT_BYTES: usize = 4 * 1024 * 1024;
/// A snapshot is taken when the events since the newest one are this part of the events that the log keeps.
const PARTS_OF_A_LOG: u32 = 4;
/// The fewest events after which a snapshot is taken.
const MIN_SNAPSHOT_EVENTS: u32 = 100;
/// The most events after which a snapshot is taken. A component replays so many in less than a tenth of a second.
const MAX_SNAPSHOT_EVENTS: u32 = 25_000;

/// The snapshots of a leaderboard, and the part of its log that is kept.
#[derive(Debug, Clone)]
pub(super) struct SnapshotList {
    /// In the order of their positions.
    pub(super) kept: Vec<SnapshotSummary>,
    pub(super) bounds: LogBounds,
}

impl SnapshotList {
    /// Returns whether the log has all events after a position.
    fn has_events_after(&self, position: u64) -> bool {
        position.saturating_add(1) >= self.bounds.first.position
    }

    /// Returns the snapshots that the log continues, in the order of their positions.
    pub(super) fn usable(&self) -> impl DoubleEndedIterator<Item = &SnapshotSummary> {
        self.kept
            .iter()
            .filter(|snapshot| self.has_events_after(snapshot.position))
    }

    /// Returns whether the log has its first event.
    pub(super) fn has_beginning(&self) -> bool {
        self.bounds.first.position == 1
    }

    /// Returns the position of the newest snapshot that the log continues, and the instant of its last event; position 0 if there is
    /// none, and the log has its first event.
    fn newest_start(&self) -> Option<(u64, Option<Timestamp>)> {
        let newest = self.usable().next_back();
        let newest = newest.map(|snapshot| (snapshot.position, Some(snapshot.latest_at)));
        newest.or_else(|| self.has_beginning().then(|| (0, self.bounds.first.recorded_at())))
    }

    /// Returns the position after which the next snapshot is to be taken; 0 if no replay can begin.
    pub(super) fn next_snapshot_after(&self, policy: &LogPolicy, now: Timestamp) -> u64 {
        let Some((start, latest_at)) = self.newest_start() else {
            return 0;
        };
        // The log may lose the events after the snapshot by their age before there are many.
        let half_age = now.saturating_add_ms((policy.keep_ms() / 2).saturating_neg());
        if latest_at.is_some_and(|latest_at| latest_at < half_age) {
            return start;
        }
        let events = (policy.keep_events / PARTS_OF_A_LOG).clamp(MIN_SNAPSHOT_EVENTS, MAX_SNAPSHOT_EVENTS);
        start.saturating_add(u64::from(events)).saturating_sub(1)
    }

    /// Returns the positions of the snapshots to delete when one of `bytes` bytes at `position` is stored: those that the log no longer
    /// continues, and those that the others need least.
    fn choose_replaced(&self, position: u64, bytes: usize) -> Vec<u64> {
        let is_large = bytes > LARGE_SNAPSHOT_BYTES;
        let most = if is_large {
            MAX_LARGE_SNAPSHOTS
        } else {
            MAX_SNAPSHOTS
        };
        let mut replaced: Vec<u64> = self
            .kept
            .iter()
            .map(|snapshot| snapshot.position)
            .filter(|position| !self.has_events_after(*position))
            .collect();
        let mut kept: Vec<u64> = self.usable().map(|snapshot| snapshot.position).collect();
        kept.push(position);
        kept.sort_unstable();
        kept.dedup();
        while kept.len() > most {
            // The first and the last stay, and the new one.
            let gaps = kept.windows(3).filter_map(|found| match found {
                [before, at, after] if *at != position => Some((after.saturating_sub(*before), *at)),
                _ => None,
            });
            let Some((_, least_needed)) = gaps.min() else {
                break;
            };
            kept.retain(|position| *position != least_needed);
            replaced.push(least_needed);
        }
        replaced
    }
}

/// Reads the snapshots of a leaderboard and the bounds of its log; `None` if there is no such leaderboard.
pub(super) async fn list_snapshots<S: Snapshots + crate::ports::Events, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
) -> Result<Option<SnapshotList>, StoreError> {
    let id = &board.value.id;
    let kept = deps.store.list_snapshots(deps.tenant, id).await?;
    let bounds = deps.store.find_log_bounds(deps.tenant, id).await?;
    Ok(bounds.map(|bounds| SnapshotList { kept, bounds }))
}

/// Returns the projection of the newest of these snapshots that this code can read.
pub(super) async fn load_newest<S: Snapshots, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    snapshots: impl DoubleEndedIterator<Item = &SnapshotSummary>,
) -> Result<Option<Projection>, StoreError> {
    for snapshot in snapshots.rev() {
        let id = &board.value.id;
        let bytes = deps
            .store
            .read_snapshot(deps.tenant, id, snapshot.position)
            .await?;
        // A damaged snapshot, or one of a newer version of the code, is as if it did not exist.
        let read = bytes.and_then(|bytes| Projection::decode_snapshot(bytes).ok());
        if let Some(projection) = read.filter(|read| read.position() == snapshot.position) {
            return Ok(Some(projection));
        }
    }
    Ok(None)
}

/// A snapshot that is worth storing, because its replay was long.
#[derive(Debug, Clone)]
pub struct UnsavedSnapshot {
    board: SharedLeaderboard,
    known: SnapshotList,
    projection: Rc<Projection>,
}

impl UnsavedSnapshot {
    pub(super) fn new(board: SharedLeaderboard, known: SnapshotList, projection: Rc<Projection>) -> Self {
        Self {
            board,
            known,
            projection,
        }
    }

    /// Stores the snapshot, unless the tenant's logs would weigh more than `max_log_bytes`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save<S: Snapshots, K>(
        &self,
        deps: &Deps<'_, S, K>,
        max_log_bytes: Option<u64>,
    ) -> Result<(), StoreError> {
        save(deps, &self.board, &self.known, &self.projection, max_log_bytes).await?;
        Ok(())
    }
}

/// Stores a snapshot of a projection. Returns whether the store has one at this position now.
pub(super) async fn save<S: Snapshots, K>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    known: &SnapshotList,
    projection: &Projection,
    max_log_bytes: Option<u64>,
) -> Result<bool, StoreError> {
    let (Some(latest_at), Some(bytes)) = (projection.latest_at(), projection.encode_snapshot()) else {
        return Ok(false);
    };
    if bytes.len() > MAX_SNAPSHOT_BYTES {
        return Ok(false);
    }
    let position = projection.position();
    let snapshot = NewSnapshot {
        summary: SnapshotSummary { position, latest_at },
        bytes: &bytes,
        configuration_version: board.version,
        replaced: &known.choose_replaced(position, bytes.len()),
        at: deps.now,
        max_log_bytes,
    };
    let id = &board.value.id;
    deps.store.put_snapshot(deps.tenant, id, &snapshot).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoggedEvent, UnknownEvent};

    const DAY_MS: i64 = 24 * 60 * 60 * 1000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    /// Snapshots at these positions, each a millisecond after the other, and a log that has the events from `first` on.
    fn list(positions: &[u64], first: u64) -> SnapshotList {
        let kept = (1..).zip(positions).map(|(ms, position)| SnapshotSummary {
            position: *position,
            latest_at: at(ms),
        });
        let event = |position| LoggedEvent {
            position,
            schema_version: 1,
            event: Err(UnknownEvent {
                recorded_at: Some(at(0)),
            }),
        };
        SnapshotList {
            kept: kept.collect(),
            bounds: LogBounds {
                first: event(first),
                last: event(1_000_000),
            },
        }
    }

    #[test]
    fn a_snapshot_is_usable_while_the_log_has_all_events_after_it() {
        let usable = |first| -> Vec<u64> {
            let list = list(&[10, 20, 30], first);
            list.usable().map(|snapshot| snapshot.position).collect()
        };
        assert_eq!(usable(1), [10, 20, 30]);
        assert_eq!(usable(11), [10, 20, 30]);
        assert_eq!(usable(12), [20, 30]);
        assert_eq!(usable(32), Vec::<u64>::new());
    }

    #[test]
    fn a_snapshot_is_due_after_a_part_of_the_log_or_half_of_its_age() {
        let policy = LogPolicy {
            keep_events: 4_000,
            keep_days: 10,
        };
        let now = at(DAY_MS);
        assert_eq!(list(&[], 1).next_snapshot_after(&policy, now), 999);
        assert_eq!(list(&[500], 1).next_snapshot_after(&policy, now), 1_499);
        assert_eq!(list(&[500], 502).next_snapshot_after(&policy, now), 0);
        assert_eq!(list(&[], 2).next_snapshot_after(&policy, now), 0);
        let late = at(5 * DAY_MS + 10);
        assert_eq!(list(&[500], 1).next_snapshot_after(&policy, late), 500);
        assert_eq!(list(&[], 1).next_snapshot_after(&policy, late), 0);
        for (keep_events, events) in [(1, 99), (1_000_000, 24_999)] {
            let policy = LogPolicy {
                keep_events,
                ..policy
            };
            assert_eq!(list(&[], 1).next_snapshot_after(&policy, now), events);
        }
    }

    #[test]
    fn a_full_list_replaces_the_snapshot_between_the_nearest_ones() {
        let small = LARGE_SNAPSHOT_BYTES;
        let mut positions: Vec<u64> = (1..=MAX_SNAPSHOTS as u64).map(|at| at * 1_000).collect();
        positions[5] -= 200;
        let full = list(&positions, 1);
        assert_eq!(full.choose_replaced(50_000, small), [5_000]);
        // Neither the oldest, nor the newest, nor the new one is replaced.
        assert_eq!(full.choose_replaced(1_001, small), [5_000]);
        let with_room = list(&positions[..20], 1);
        assert_eq!(with_room.choose_replaced(50_000, small), Vec::<u64>::new());
        let shortened = list(&positions, 2_002);
        assert_eq!(shortened.choose_replaced(50_000, small), [1_000, 2_000]);
    }

    #[test]
    fn of_large_snapshots_fewer_are_kept_spread_over_the_log() {
        let positions: Vec<u64> = (1..=MAX_SNAPSHOTS as u64).map(|at| at * 1_000).collect();
        let replaced = list(&positions, 1).choose_replaced(49_000, LARGE_SNAPSHOT_BYTES + 1);
        let kept = positions.iter().filter(|position| !replaced.contains(position));
        let kept: Vec<u64> = kept.copied().chain([49_000]).collect();
        assert_eq!(kept.len(), MAX_LARGE_SNAPSHOTS);
        assert!(
            kept.windows(2).all(|found| found[1] - found[0] <= 4_000),
            "{kept:?}"
        );
        let fewer = list(&kept[..MAX_LARGE_SNAPSHOTS - 1], 1);
        assert_eq!(fewer.choose_replaced(49_000, usize::MAX), Vec::<u64>::new());
    }
}
