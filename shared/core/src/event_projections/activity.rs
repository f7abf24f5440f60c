//! The daily activity of a leaderboard.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::distinct::DistinctPlayers;
use super::event_projection::EventProjection;
use crate::codec::{Malformed, Reader, Writer};
use crate::{EventBody, PlayerErasure, RecordedEvent, Timestamp};

/// The most days that a projection keeps: more than a year. The oldest are removed first.
pub const MAX_ACTIVITY_DAYS: usize = 400;
/// How many of the newest days keep their players, so that a player who comes back is not counted twice. Clocks of instances can differ
/// by less than a day.
const DAYS_WITH_PLAYERS: i64 = 2;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The code of the format. A changed format gets a new code.
const ACTIVITY_V1: u8 = 1;

/// What happened on a leaderboard on each day (UTC), by the instants at which submissions were accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DailyActivity {
    /// The days since 1970-01-01.
    days: BTreeMap<i64, Day>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Day {
    submissions: u64,
    changes: u64,
    players: CountedPlayers,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CountedPlayers {
    /// A day to which players may still be added.
    Open(DistinctPlayers),
    /// A day that is over: the number of players, and whether it is exact.
    Closed(u64, bool),
}

impl Default for CountedPlayers {
    fn default() -> Self {
        Self::Open(DistinctPlayers::default())
    }
}

impl CountedPlayers {
    fn count(&self) -> (u64, bool) {
        match self {
            Self::Open(players) => (players.count(), players.is_exact()),
            Self::Closed(count, is_exact) => (*count, *is_exact),
        }
    }
}

/// A day of a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityDay {
    /// The beginning of the day.
    pub begins_at: Timestamp,
    /// The number of accepted submissions.
    pub submissions: u64,
    /// The number of submissions that changed an entry.
    pub changes: u64,
    /// The number of different players who submitted.
    pub players: u64,
    /// Whether `players` is exact. A large number is an estimate.
    pub players_exact: bool,
}

impl DailyActivity {
    /// Returns the number of the day of an instant, as queries have it.
    #[must_use]
    pub fn day_of(at: Timestamp) -> i64 {
        at.as_unix_ms().div_euclid(DAY_MS)
    }

    /// Puts the pseudonym in the place of an erased player.
    pub fn erase(&mut self, erasure: &PlayerErasure) {
        for day in self.days.values_mut() {
            if let CountedPlayers::Open(players) = &mut day.players {
                players.replace(&erasure.player, &erasure.pseudonym);
            }
        }
    }

    /// Encodes the projection.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(ACTIVITY_V1);
        w.unsigned(self.days.len() as u64);
        for (number, day) in &self.days {
            w.signed(*number);
            w.unsigned(day.submissions);
            w.unsigned(day.changes);
            match &day.players {
                CountedPlayers::Closed(count, is_exact) => {
                    w.byte(if *is_exact { 1 } else { 2 });
                    w.unsigned(*count);
                }
                CountedPlayers::Open(players) => {
                    w.byte(0);
                    players.write(&mut w);
                }
            }
        }
        w.finish()
    }

    /// Decodes what [`DailyActivity::encode`] returns.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != ACTIVITY_V1 {
            return Err(Malformed("activity"));
        }
        let mut days = BTreeMap::new();
        for _ in 0..r.unsigned()? {
            let number = r.signed()?;
            let (submissions, changes) = (r.unsigned()?, r.unsigned()?);
            let players = match r.byte()? {
                0 => CountedPlayers::Open(DistinctPlayers::read(&mut r)?),
                1 => CountedPlayers::Closed(r.unsigned()?, true),
                2 => CountedPlayers::Closed(r.unsigned()?, false),
                _ => return Err(Malformed("players of a day")),
            };
            let day = Day {
                submissions,
                changes,
                players,
            };
            days.insert(number, day);
        }
        r.end()?;
        Ok(Self { days })
    }

    /// Closes the days to which no player is added any more, and removes the oldest days.
    fn close_old_days(&mut self, newest: i64) {
        for (_, day) in self.days.range_mut(..=newest.saturating_sub(DAYS_WITH_PLAYERS)) {
            let (count, is_exact) = day.players.count();
            day.players = CountedPlayers::Closed(count, is_exact);
        }
        while self.days.len() > MAX_ACTIVITY_DAYS {
            self.days.pop_first();
        }
    }
}

impl EventProjection for DailyActivity {
    const NAME: &'static str = "activity";
    /// The days, as [`DailyActivity::day_of`] numbers them.
    type Query = RangeInclusive<i64>;
    /// The days with submissions, oldest first.
    type View = Vec<ActivityDay>;

    fn handle(&mut self, recorded: &RecordedEvent) {
        let EventBody::Submitted { player, kept, .. } = &recorded.event.body else {
            return;
        };
        let number = Self::day_of(recorded.event.recorded_at);
        let is_new = !self.days.contains_key(&number);
        let day = self.days.entry(number).or_default();
        day.submissions = day.submissions.saturating_add(1);
        day.changes = day.changes.saturating_add(u64::from(!*kept));
        if let CountedPlayers::Open(players) = &mut day.players {
            players.insert(player);
        }
        if is_new && let Some(newest) = self.days.last_key_value().map(|(newest, _)| *newest) {
            self.close_old_days(newest);
        }
    }

    fn rebuild(&mut self) {
        self.days.clear();
    }

    fn read(&self, query: &Self::Query) -> Self::View {
        if query.is_empty() {
            return Vec::new();
        }
        let days = self.days.range(query.clone());
        days.map(|(number, day)| {
            let (players, players_exact) = day.players.count();
            ActivityDay {
                begins_at: Timestamp::saturating_from_unix_ms(number.saturating_mul(DAY_MS)),
                submissions: day.submissions,
                changes: day.changes,
                players,
                players_exact,
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Operator, PeriodId, PlayerId, Values};

    fn submitted(position: u64, at_ms: i64, player: &str, kept: bool) -> RecordedEvent {
        let at = Timestamp::saturating_from_unix_ms(at_ms);
        RecordedEvent {
            position,
            event: Event {
                recorded_at: at,
                body: EventBody::Submitted {
                    player: PlayerId::new(player).unwrap(),
                    period: PeriodId::all_time(),
                    operator: Operator::Best,
                    values: Values::new(vec![1]),
                    metadata: None,
                    occurred_at: at,
                    id: None,
                    banned: false,
                    kept,
                },
            },
        }
    }

    fn lines(activity: &DailyActivity) -> Vec<(u64, u64, u64)> {
        let days = activity.read(&(i64::MIN..=i64::MAX)).into_iter();
        days.map(|day| (day.submissions, day.changes, day.players))
            .collect()
    }

    #[test]
    fn days_count_submissions_changes_and_players() {
        let mut activity = DailyActivity::default();
        for (position, (at_ms, player, kept)) in (1..).zip([
            (0, "a", false),
            (DAY_MS - 1, "b", false),
            (DAY_MS, "a", true),
            // A clock that is behind: the day before is still open.
            (DAY_MS - 1, "a", true),
            (3 * DAY_MS, "a", false),
        ]) {
            activity.handle(&submitted(position, at_ms, player, kept));
        }
        assert_eq!(lines(&activity), [(3, 2, 2), (1, 0, 1), (1, 1, 1)]);
        assert_eq!(activity.read(&(1..=2)).len(), 1);
        assert_eq!(DailyActivity::decode(&activity.encode()), Ok(activity.clone()));
        activity.rebuild();
        assert_eq!(activity, DailyActivity::default());
    }

    #[test]
    fn the_oldest_days_are_removed_and_old_days_name_nobody() {
        let mut activity = DailyActivity::default();
        for day in 0..=MAX_ACTIVITY_DAYS {
            let day = i64::try_from(day).unwrap();
            activity.handle(&submitted(1, day * DAY_MS, "a", false));
        }
        let days = activity.read(&(0..=i64::MAX));
        assert_eq!(days.len(), MAX_ACTIVITY_DAYS);
        assert_eq!(days[0].begins_at.as_unix_ms(), DAY_MS);
        let open = activity.days.values();
        let open = open.filter(|day| matches!(day.players, CountedPlayers::Open(_)));
        assert_eq!(open.count(), 2);
    }
}
