//! Tests of use cases on the model of a store, for rules that span several calls.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Cache, Charge, ChargeRequest, Expected, RankDetail, ReadSource, Scores, SubmitOptions, Submitted, Usage,
};
use leaderboard_core::usecase::{self, Deps, LeaderboardMemory};
use leaderboard_core::{
    Access, Leaderboard, Operator, RefusalReason, Schedule, StoreError, Submission, SubmissionId,
    SubmittedValues, TenantId, Timestamp, Values, WriteAccess,
};
use leaderboard_model::Model;

use crate::given::{at, board, player, schedule};

/// A cache that stores nothing.
struct NoCache;

impl Cache for NoCache {
    async fn get(&self, _key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
    async fn put(&self, _key: &str, _value: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The store and the tenant of a test.
struct World {
    store: Model,
    leaderboard_memory: LeaderboardMemory,
    tenant: TenantId,
}

impl World {
    fn new() -> Self {
        Self {
            store: Model::new(),
            leaderboard_memory: LeaderboardMemory::default(),
            tenant: TenantId::new("t").unwrap(),
        }
    }

    fn deps(&self, now: &str) -> Deps<'_, Model, NoCache> {
        Deps {
            store: &self.store,
            cache: None,
            leaderboard_memory: &self.leaderboard_memory,
            tenant: &self.tenant,
            now: at(now),
            source: ReadSource::Primary,
        }
    }

    fn put(&self, now: &str, leaderboard: &Leaderboard) {
        let deps = self.deps(now);
        let put = usecase::put_leaderboard(&deps, leaderboard, Expected::Any, None, None);
        run(put).unwrap().unwrap();
    }

    /// Submits one score. Returns whether the outcome is a replay, or the reason of the refusal.
    fn submit(&self, now: &str, id: Option<&str>) -> Result<bool, RefusalReason> {
        let options = SubmitOptions::new(RankDetail::Full);
        let answer = self.submit_with_options(now, id, &options).answers.remove(0);
        answer
            .map(|outcomes| outcomes[0].replayed)
            .map_err(|refusal| refusal.reason)
    }

    fn submit_with_options(&self, now: &str, id: Option<&str>, options: &SubmitOptions) -> Submitted {
        let submission = submission_of("ann", 1, id);
        let sent = [(&Caller::Server, &submission)];
        run(usecase::submit_scores(&self.deps(now), &sent, options)).unwrap()
    }

    /// Returns the ids of the kept periods.
    fn list_periods(&self, now: &str) -> Vec<String> {
        let kept = run(self.store.periods(&self.tenant, &board("b").id, at(now))).unwrap();
        kept.into_iter()
            .map(|summary| summary.period.id.to_string())
            .collect()
    }
}

fn submission_of(name: &str, score: i64, id: Option<&str>) -> Submission {
    Submission {
        leaderboards: vec![board("b").id],
        player: player(name),
        values: SubmittedValues::Score(score),
        operator: None,
        metadata: None,
        occurred_at: None,
        id: id.map(|id| SubmissionId::new(id).unwrap()),
        request: None,
        received_at: None,
    }
}

/// Runs a future that is ready at its first poll, because the model never waits.
fn run<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the model waited"),
    }
}

fn leaderboard_with_reset(schedule: Schedule, keep_periods: u16) -> Leaderboard {
    Leaderboard {
        schedule,
        keep_periods,
        ..board("b")
    }
}

#[test]
fn the_period_of_the_day_stays_when_resets_become_yearly() {
    let world = World::new();
    world.put(
        "2026-01-01T06:00:00Z",
        &leaderboard_with_reset(schedule("0 0 * * *", "UTC"), 1),
    );
    assert_eq!(world.submit("2026-01-01T07:00:00Z", None), Ok(false));
    world.put(
        "2026-01-01T08:00:00Z",
        &leaderboard_with_reset(schedule("0 0 1 1 *", "UTC"), 1),
    );
    assert_eq!(
        world.list_periods("2026-01-01T23:00:00Z"),
        ["2026-01-01T00:00:00Z"]
    );
    assert!(
        world.list_periods("2026-01-02T00:00:00Z").is_empty(),
        "one period is kept"
    );
    assert_eq!(world.submit("2026-01-02T07:00:00Z", None), Ok(false));
    assert_eq!(
        world.list_periods("2026-06-01T00:00:00Z"),
        ["2026-01-02T00:00:00Z"]
    );
    assert!(world.list_periods("2027-01-01T00:00:00Z").is_empty());
}

#[test]
fn an_accepted_id_is_replayed_after_the_end_of_the_leaderboard() {
    let world = World::new();
    let ends_at = Some(at("2026-01-01T18:00:00Z"));
    world.put(
        "2026-01-01T06:00:00Z",
        &Leaderboard {
            ends_at,
            ..board("b")
        },
    );
    assert_eq!(world.submit("2026-01-01T17:59:59.900Z", Some("last")), Ok(false));
    assert_eq!(world.submit("2026-01-01T18:00:00.200Z", Some("last")), Ok(true));
    let ended = |ends_at: Timestamp| Err(RefusalReason::Ended { ends_at });
    assert_eq!(
        world.submit("2026-01-01T18:00:00.300Z", Some("late")),
        ended(at("2026-01-01T18:00:00Z"))
    );
    assert_eq!(
        world.submit("2026-01-01T18:00:00.300Z", None),
        ended(at("2026-01-01T18:00:00Z"))
    );
}

#[test]
fn refused_submissions_are_charged_and_limited() {
    let world = World::new();
    let mut options = SubmitOptions::new(RankDetail::Full);
    options.charge_request = ChargeRequest {
        charges: vec![Charge {
            bucket: "player:ann".into(),
            interval_us: 1_000_000,
            burst: 2,
            needs: Some(1),
            cost: 1,
        }],
        usage: Usage {
            requests: 1,
            scores: 1,
        },
        max_requests_per_day: None,
    };
    let try_once = || {
        let submitted = world.submit_with_options("2026-01-01T06:00:00Z", None, &options);
        let reasons = submitted
            .answers
            .into_iter()
            .map(|answer| answer.unwrap_err().reason);
        (
            submitted.rate_limit_decision.refused,
            submitted.rate_limit_decision.requests_today,
            reasons.collect::<Vec<_>>(),
        )
    };
    let unknown = || vec![RefusalReason::UnknownLeaderboard];
    assert_eq!(try_once(), (false, 1, unknown()));
    assert_eq!(try_once(), (false, 2, unknown()));
    assert_eq!(try_once(), (true, 2, vec![]));
}

#[test]
fn submissions_of_several_callers_keep_their_order_and_their_permissions() {
    let world = World::new();
    let now = "2026-01-01T06:00:00Z";
    let access = Access {
        write: WriteAccess::Player,
        ..Access::default()
    };
    let operator = Operator::Set;
    world.put(
        now,
        &Leaderboard {
            access,
            operator,
            ..board("b")
        },
    );
    let ann = Caller::Player(player("ann"));
    let submissions = [("ann", 10), ("ann", 5), ("bob", 7), ("ann", 8)]
        .map(|(name, score)| submission_of(name, score, Some("1")));
    let callers = [&ann, &Caller::Message, &ann, &Caller::Message];
    let sent: Vec<_> = callers.into_iter().zip(&submissions).collect();
    let options = SubmitOptions::new(RankDetail::Full);
    let submitted = run(usecase::submit_scores(&world.deps(now), &sent, &options)).unwrap();
    let answers = submitted.answers.into_iter().map(|answer| {
        answer
            .map(|outcomes| outcomes[0].values.clone())
            .map_err(|refusal| refusal.reason)
    });
    assert_eq!(
        answers.collect::<Vec<_>>(),
        [
            Ok(Values::new(vec![10])),
            Ok(Values::new(vec![5])),
            // A player submits only their own scores.
            Err(RefusalReason::Forbidden),
            // Each player has their own ids, but the messages share theirs.
            Err(RefusalReason::IdConflict {
                id: SubmissionId::new("1").unwrap()
            }),
        ]
    );
}
