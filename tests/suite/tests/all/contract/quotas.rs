//! Tests of the quotas of a tenant: entries and leaderboards.

use leaderboard_core::ports::{
    EntryQuota, Expected, Leaderboards, PutLeaderboard, PutRefusal, RankDetail, RateLimits, Scores,
    SubmitOptions,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Limits, Outcome, PreparedSubmission, Refusal, RefusalReason, Submission,
    TenantId,
};
use leaderboard_test_support::values::{Board, DAY_MS, board, daily, id, prepared, submission, tenant};
use leaderboard_test_support::{
    StoreBackend, StoreFixture, put_leaderboard, ranked_line, with_submission_id,
};

use crate::cases::on_both_stores;

/// Submits with a quota of `max_entries` entries for the tenant.
async fn submit_within<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    prepared_submissions: &[PreparedSubmission],
    max_entries: u64,
) -> Vec<Result<Vec<Outcome>, Refusal>> {
    let options = SubmitOptions {
        max_tenant_entries: Some(max_entries),
        ..SubmitOptions::new(RankDetail::Full)
    };
    let submitted = fixture
        .store
        .submit_with_options(&fixture.tenant, prepared_submissions, &options)
        .await;
    submitted.unwrap().answers
}

fn prepared_submission<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    boards: &[&Board],
    name: &str,
) -> PreparedSubmission {
    prepared(&submission(boards, name, &[5]), boards, fixture.now())
}

/// Submits one score with a quota of `max_entries` entries.
///
/// # Errors
/// The leaderboard on which the quota refused the score.
async fn submit_score<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    boards: &[&Board],
    name: &str,
    max_entries: u64,
) -> Result<(), LeaderboardId> {
    match submit_within(
        fixture,
        &[prepared_submission(fixture, boards, name)],
        max_entries,
    )
    .await
    .remove(0)
    {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), boards.len());
            Ok(())
        }
        Err(refusal) => {
            assert_eq!(refusal.reason, RefusalReason::TenantFull { max_entries });
            Err(refusal.leaderboard)
        }
    }
}

/// Returns how many leaderboards and entries a tenant has. The store's own clock decides which periods have
/// expired, so the leaderboards must not reset.
async fn count_stored<B: StoreBackend>(fixture: &StoreFixture<B>, tenant: &TenantId) -> (u64, u64) {
    let (_, held) = fixture.store.usage(tenant, 1).await.unwrap();
    let EntryQuota {
        leaderboards,
        entries,
        ..
    } = held;
    (leaderboards, entries)
}

/// Stores a leaderboard with a quota of `max_leaderboards`. Returns whether the leaderboard is new.
async fn put<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    leaderboard: &Leaderboard,
    expected: Expected,
    max_leaderboards: u64,
) -> Result<bool, PutRefusal> {
    let put = PutLeaderboard {
        max_leaderboards: Some(max_leaderboards),
        tenant: &fixture.tenant,
        leaderboard,
        expected,
        current: &leaderboard.schedule.period_at(fixture.now()).id,
        rebuild: false,
        verified: None,
        expiries: &[],
        at: fixture.now(),
    };
    fixture.store.put(&put).await.unwrap().map(|(_, created)| created)
}

async fn delete<B: StoreBackend>(fixture: &StoreFixture<B>, name: &str) {
    let deleted = fixture
        .store
        .delete(&fixture.tenant, &id(name), Expected::Any)
        .await;
    assert_eq!(deleted.unwrap(), Ok(true));
}

on_both_stores! {
    async fn entries_of_all_leaderboards_and_periods_count(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&daily("two")).await);
        assert_eq!(submit_score(&fixture, &[&one], "ann", 3).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&two], "ann", 3).await, Ok(()));
        fixture.advance_ms(DAY_MS);
        assert_eq!(submit_score(&fixture, &[&two], "ann", 3).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&two], "bob", 3).await, Err(id("two")));
        assert_eq!(submit_score(&fixture, &[&one], "bob", 3).await, Err(id("one")));
        assert_eq!(fixture.list_entries(&one).await, [ranked_line(1, "ann", 5)]);
        assert_eq!(fixture.read_events(&one).await.len(), 2);
        // A player who has an entry can still submit.
        assert_eq!(submit_score(&fixture, &[&one], "ann", 3).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one], "ann", 0).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one, &two], "ann", 3).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one], "bob", 4).await, Ok(()));
    }

    async fn a_score_fits_on_all_its_leaderboards_or_on_none(fixture) {
        let (one, two, three) = (fixture.put(&board("one")).await, fixture.put(&board("two")).await, fixture.put(&board("three")).await);
        assert_eq!(submit_score(&fixture, &[&one], "ann", 9).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one, &two, &three], "ann", 2).await, Err(id("two")));
        assert_eq!(submit_score(&fixture, &[&three, &one, &two], "ann", 2).await, Err(id("three")));
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (3, 1));
        assert_eq!(submit_score(&fixture, &[&one, &two, &three], "ann", 3).await, Ok(()));
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (3, 3));
    }

    async fn entries_of_earlier_submissions_of_a_call_count_towards_the_quota(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&board("two")).await);
        submit_score(&fixture, &[&one], "zoe", 9).await.unwrap();
        let wanted = [
            (vec![&one], "ann"), (vec![&one, &two], "bob"), (vec![&one], "ann"), (vec![&two], "ann"),
            (vec![&one, &two], "cid"), (vec![&one], "zoe"), (vec![&two], "dan"),
        ];
        let prepared_submissions: Vec<_> = wanted.iter().map(|(boards, name)| prepared_submission(&fixture, boards, name)).collect();
        let fits: Vec<_> = submit_within(&fixture, &prepared_submissions, 5).await.iter().map(Result::is_ok).collect();
        assert_eq!(fits, [true, true, true, true, false, true, false]);
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (2, 5));
    }

    async fn the_quota_is_exact_over_a_large_call(fixture) {
        let board = fixture.put(&board("l")).await;
        let prepared_submissions: Vec<_> = (0..1000).map(|n| prepared_submission(&fixture, &[&board], &format!("p{n}"))).collect();
        let results = submit_within(&fixture, &prepared_submissions, 777).await;
        let fits = results.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((fits, count_stored(&fixture, &fixture.tenant).await), (777, (1, 777)));
        assert!(results[..777].iter().all(Result::is_ok));
    }

    async fn replays_and_other_refusals_come_before_the_quota(fixture) {
        let full = fixture.put(&Leaderboard {
            limits: Limits { max_entries: Some(1), ..Limits::default() },
            ..board("full")
        }).await;
        let open = fixture.put(&board("open")).await;
        let first = with_submission_id(prepared_submission(&fixture, &[&full], "ann"), "x");
        submit_within(&fixture, std::slice::from_ref(&first), 1).await.remove(0).unwrap();
        let again = submit_within(&fixture, &[first], 0).await.remove(0).unwrap();
        assert!(again[0].replayed);
        let both = prepared_submission(&fixture, &[&open, &full], "bob");
        let refusal = submit_within(&fixture, &[both], 1).await.remove(0).unwrap_err();
        assert_eq!((refusal.leaderboard, refusal.reason), (id("full"), RefusalReason::Full { max_entries: 1 }));
    }

    async fn a_removed_entry_makes_room_and_a_banned_one_does_not(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&board("two")).await);
        for name in ["ann", "bob"] {
            submit_score(&fixture, &[&one, &two], name, 4).await.unwrap();
        }
        fixture.ban("ann").await;
        assert_eq!(submit_score(&fixture, &[&one], "cid", 4).await, Err(id("one")));
        fixture.remove(&one, "ann").await;
        assert_eq!(submit_score(&fixture, &[&one], "cid", 4).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one], "dan", 4).await, Err(id("one")));
        fixture.unban("ann").await;
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (2, 4));
        delete(&fixture, "two").await;
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (1, 2));
        assert_eq!(submit_score(&fixture, &[&one], "dan", 4).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one], "eve", 4).await, Ok(()));
        assert_eq!(submit_score(&fixture, &[&one], "fay", 4).await, Err(id("one")));
    }

    async fn entries_from_before_the_first_quota_are_counted(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&daily("two")).await);
        for name in ["ann", "bob", "cid"] {
            fixture.submit_score(&one, name, 1).await;
            fixture.submit_score(&two, name, 1).await;
        }
        fixture.remove(&two, "ann").await;
        let one = fixture.rebuild(&Leaderboard { ties: leaderboard_core::Ties::Dense, ..board("one") }).await;
        assert_eq!(submit_score(&fixture, &[&one], "dan", 5).await, Err(id("one")));
        assert_eq!(submit_score(&fixture, &[&one], "dan", 6).await, Ok(()));
    }

    async fn entries_of_a_period_that_is_kept_longer_are_counted_once(fixture) {
        let (one, two) = (fixture.put(&board("one")).await, fixture.put(&daily("two")).await);
        submit_score(&fixture, &[&two], "ann", 9).await.unwrap();
        let two = fixture.put(&Leaderboard { keep_periods: 900, ..daily("two") }).await;
        submit_score(&fixture, &[&two], "bob", 9).await.unwrap();
        fixture.advance_ms(DAY_MS);
        let late = Submission { occurred_at: Some(fixture.now().saturating_add_ms(-DAY_MS)), ..submission(&[&two], "cid", &[1]) };
        submit_within(&fixture, &[prepared(&late, &[&two], fixture.now())], 3).await.remove(0).unwrap();
        assert_eq!(submit_score(&fixture, &[&one], "ann", 3).await, Err(id("one")));
        assert_eq!(submit_score(&fixture, &[&one], "ann", 4).await, Ok(()));
        delete(&fixture, "two").await;
        assert_eq!(submit_score(&fixture, &[&one], "bob", 1).await, Err(id("one")));
        assert_eq!(submit_score(&fixture, &[&one], "bob", 2).await, Ok(()));
    }

    async fn tenants_do_not_share_a_quota(fixture) {
        let other = tenant("acme2");
        put_leaderboard(&fixture.store, &other, &board("l"), Expected::Any, false, fixture.now()).await.unwrap();
        assert_eq!((count_stored(&fixture, &fixture.tenant).await, count_stored(&fixture, &other).await), ((0, 0), (1, 0)));
        let l = fixture.put(&board("l")).await;
        submit_score(&fixture, &[&l], "ann", 1).await.unwrap();
        assert_eq!((count_stored(&fixture, &fixture.tenant).await, count_stored(&fixture, &other).await), ((1, 1), (1, 0)));
    }

    async fn a_leaderboard_beyond_the_quota_is_refused(fixture) {
        let full = Err(PutRefusal::TooManyLeaderboards);
        assert_eq!(put(&fixture, &board("a"), Expected::Any, 0).await, full);
        assert_eq!(put(&fixture, &board("a"), Expected::Any, 2).await, Ok(true));
        assert_eq!(put(&fixture, &board("b"), Expected::Absent, 2).await, Ok(true));
        assert_eq!(put(&fixture, &board("c"), Expected::Absent, 2).await, full);
        assert_eq!(fixture.find_leaderboard(&board("c")).await, None);
        assert_eq!(count_stored(&fixture, &fixture.tenant).await, (2, 0));
        // An existing leaderboard can be stored again, changed or unchanged.
        let changed = Leaderboard { title: "New".into(), ..board("a") };
        assert_eq!(put(&fixture, &changed, Expected::Any, 2).await, Ok(false));
        assert_eq!(put(&fixture, &changed, Expected::Any, 0).await, Ok(false));
        let none = PutRefusal::VersionMismatch { current: None };
        assert_eq!(put(&fixture, &board("c"), Expected::Version(1), 2).await, Err(none));
        let other = tenant("acme2");
        put_leaderboard(&fixture.store, &other, &board("c"), Expected::Absent, false, fixture.now()).await.unwrap();
        delete(&fixture, "a").await;
        assert_eq!(put(&fixture, &board("c"), Expected::Absent, 2).await, Ok(true));
        assert_eq!(put(&fixture, &board("a"), Expected::Absent, 2).await, full);
    }
}
