//! Tests of projections of logs that do not fit what was stored.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::PageFrom;
use leaderboard_core::{
    Event, EventBody, Leaderboard, LeaderboardId, Limits, Operator, PeriodId, PlayerId, Projection,
    RecordedEvent, Reset, Schedule, Timestamp, Values,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A projection whose events are recorded one day after another.
#[derive(Default)]
struct Days {
    projection: Projection,
    now_ms: i64,
}

impl Days {
    fn apply(&mut self, body: EventBody) {
        let recorded = RecordedEvent {
            position: self.projection.position() + 1,
            event: Event {
                recorded_at: self.now(),
                body,
            },
        };
        self.projection.apply(&recorded).unwrap();
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms).unwrap()
    }

    fn configure(&mut self, leaderboard: &Leaderboard) {
        self.apply(EventBody::Configured {
            leaderboard: Box::new(leaderboard.clone()),
            current: leaderboard.schedule.period_at(self.now()).id,
            rebuild: false,
        });
    }

    /// Submits a score to the current period, and returns the period.
    fn submit(&mut self, leaderboard: &Leaderboard, value: i64) -> PeriodId {
        let period = leaderboard.schedule.period_at(self.now()).id;
        self.apply(EventBody::Submitted {
            player: player("ann"),
            period: period.clone(),
            operator: Operator::Set,
            values: Values::new(vec![value]),
            metadata: None,
            occurred_at: self.now(),
            id: None,
            banned: false,
            kept: false,
        });
        period
    }

    fn scores(&self, period: &PeriodId) -> Vec<i64> {
        let page = self
            .projection
            .page(period, &PageFrom::Top, 10, &Caller::Anonymous);
        page.entries
            .iter()
            .map(|ranked| ranked.entry.values.as_slice()[0])
            .collect()
    }
}

fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn daily(keep_periods: u16) -> Leaderboard {
    let reset = Reset {
        cron: "0 0 * * *".into(),
        time_zone: "UTC".into(),
    };
    Leaderboard {
        schedule: Schedule::new(reset).unwrap(),
        keep_periods,
        ..Leaderboard::new(LeaderboardId::new("l").unwrap())
    }
}

#[test]
fn a_period_that_expired_long_ago_does_not_come_back_when_more_are_kept() {
    let mut days = Days::default();
    days.configure(&daily(2));
    let first = days.submit(&daily(2), 1);
    days.now_ms += 3 * DAY_MS;
    let second = days.submit(&daily(2), 2);
    days.configure(&daily(10));
    assert_eq!((days.scores(&first), days.scores(&second)), (vec![], vec![2]));
    // A period that the leaderboard keeps is there after any number of changes.
    days.now_ms += 5 * DAY_MS;
    days.configure(&daily(9));
    assert_eq!(days.scores(&second), [2]);
}

#[test]
fn the_removal_of_an_entry_that_no_event_made_changes_nothing() {
    let mut days = Days::default();
    days.configure(&daily(2));
    let period = days.submit(&daily(2), 1);
    for of_period in [
        period.clone(),
        daily(2)
            .schedule
            .period_at(Timestamp::from_unix_ms(-DAY_MS).unwrap())
            .id,
    ] {
        days.apply(EventBody::Removed {
            player: player("ghost"),
            period: of_period,
        });
    }
    assert_eq!(days.scores(&period), [1]);
}

#[test]
fn an_accepted_submission_that_the_entry_refuses_leaves_the_entry() {
    let mut days = Days::default();
    let limited = Leaderboard {
        limits: Limits {
            max_attempts: Some(1),
            ..Limits::default()
        },
        ..daily(2)
    };
    days.configure(&limited);
    let period = days.submit(&limited, 1);
    days.submit(&limited, 2);
    assert_eq!(days.scores(&period), [1]);
}
