//! Tests of the periods that have entries.

use leaderboard_core::ports::{PageFrom, PeriodSummary, Scores};
use leaderboard_core::{Leaderboard, PeriodId, RefusalReason, Submission};
use leaderboard_test_support::values::{DAY_MS, board, daily, id, schedule, submission};
use leaderboard_test_support::{StoreBackend, StoreFixture, ranked_line, ranked_lines};

use crate::cases::on_both_stores;

async fn read_periods<B: StoreBackend>(fixture: &StoreFixture<B>, name: &str) -> Vec<PeriodSummary> {
    fixture
        .store
        .periods(&fixture.tenant, &id(name), fixture.now())
        .await
        .unwrap()
}

fn period_lines(periods: &[PeriodSummary]) -> Vec<(&str, u64, u64)> {
    periods
        .iter()
        .map(|summary| (summary.period.id.as_str(), summary.count, summary.version))
        .collect()
}

on_both_stores! {
    async fn periods_are_listed_newest_first_with_count_and_version(fixture) {
        assert_eq!(read_periods(&fixture, "none").await, []);
        let board = fixture.put(&daily("l")).await;
        assert_eq!(read_periods(&fixture, "l").await, []);
        fixture.submit_score(&board, "a", 1).await;
        fixture.submit_score(&board, "b", 1).await;
        let first = board.value.schedule.period_at(fixture.now());
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&board, "a", 1).await;
        fixture.advance_ms(2 * DAY_MS);
        fixture.submit_score(&board, "c", 1).await;
        fixture.ban("b").await;
        let found = read_periods(&fixture, "l").await;
        assert_eq!(period_lines(&found), [
            ("2026-07-22T00:00:00Z", 1, 5),
            ("2026-07-20T00:00:00Z", 1, 4),
            ("2026-07-19T00:00:00Z", 1, 6),
        ]);
        assert_eq!(found[2].period, first);
    }

    async fn a_late_score_counts_in_the_period_of_its_time(fixture) {
        let board = fixture.put(&daily("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&board, "a", 5).await;
        let late = Submission {
            occurred_at: Some(fixture.now().saturating_add_ms(-DAY_MS)),
            ..submission(&[&board], "b", &[3])
        };
        let outcome = fixture.submit(&late, &[&board]).await.unwrap().remove(0);
        assert_eq!((outcome.period.as_str(), outcome.rank), ("2026-07-19T00:00:00Z", Some(1)));
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "a", 5)]);
        let page = fixture.page_of(&board, &outcome.period, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "b", 3), ranked_line(2, "a", 1)]);
    }

    async fn an_expired_period_is_not_listed_and_takes_no_score(fixture) {
        let board = fixture.put(&Leaderboard { keep_periods: 2, ..daily("l") }).await;
        let start = fixture.now();
        fixture.submit_score(&board, "a", 1).await;
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&board, "a", 1).await;
        assert_eq!(read_periods(&fixture, "l").await.len(), 2);
        fixture.advance_ms(DAY_MS / 2 - 10);
        assert_eq!(read_periods(&fixture, "l").await.len(), 2);
        fixture.advance_ms(10);
        assert_eq!(period_lines(&read_periods(&fixture, "l").await), [("2026-07-20T00:00:00Z", 1, 3)]);
        let late = Submission { occurred_at: Some(start), ..submission(&[&board], "b", &[3]) };
        let refused = late.resolve(std::slice::from_ref(&board), fixture.now()).unwrap_err();
        assert_eq!(refused.reason, RefusalReason::PeriodExpired);
    }

    async fn keeping_fewer_periods_expires_old_periods_at_once(fixture) {
        let board = fixture.put(&daily("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&board, "a", 1).await;
        fixture.put(&Leaderboard { keep_periods: 1, ..daily("l") }).await;
        assert_eq!(period_lines(&read_periods(&fixture, "l").await), [("2026-07-20T00:00:00Z", 1, 3)]);
    }

    async fn keeping_more_periods_keeps_existing_periods_longer(fixture) {
        let board = fixture.put(&Leaderboard { keep_periods: 1, ..daily("l") }).await;
        fixture.submit_score(&board, "a", 1).await;
        let board = fixture.put(&Leaderboard { keep_periods: 3, ..daily("l") }).await;
        fixture.advance_ms(2 * DAY_MS);
        assert_eq!(period_lines(&read_periods(&fixture, "l").await), [("2026-07-19T00:00:00Z", 1, 2)]);
        let yesterday = board.value.schedule.period_at(fixture.now().saturating_add_ms(-2 * DAY_MS));
        let page = fixture.page_of(&board, &yesterday.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "a", 1)]);
        fixture.advance_ms(DAY_MS / 2);
        assert_eq!(read_periods(&fixture, "l").await, []);
    }

    async fn a_period_without_entries_is_not_listed(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        assert_eq!(period_lines(&read_periods(&fixture, "l").await), [("all", 1, 2)]);
        fixture.remove(&board, "a").await;
        assert_eq!(read_periods(&fixture, "l").await, []);
        fixture.submit_score(&board, "a", 1).await;
        fixture.ban("a").await;
        assert_eq!(period_lines(&read_periods(&fixture, "l").await), [("all", 0, 5)]);
    }

    async fn a_new_schedule_leaves_the_old_periods_as_they_were(fixture) {
        let board = fixture.put(&daily("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        let day = board.value.schedule.period_at(fixture.now());
        let monthly = Leaderboard { schedule: schedule("0 0 1 * *", "UTC"), ..daily("l") };
        let board = fixture.put(&monthly).await;
        fixture.submit_score(&board, "a", 7).await;
        let found = read_periods(&fixture, "l").await;
        assert_eq!(period_lines(&found), [("2026-07-19T00:00:00Z", 1, 2), ("2026-07-01T00:00:00Z", 1, 4)]);
        assert_eq!(found[0].period, day);
        assert_eq!(found[1].period, board.value.schedule.period_at(fixture.now()));
    }

    async fn a_period_is_found_by_its_id(fixture) {
        let board = fixture.put(&Leaderboard { keep_periods: 2, ..daily("l") }).await;
        let first = fixture.current_period(&board);
        let found = async |id: &PeriodId| {
            let found = fixture.store.find_period(&fixture.tenant, &board.value.id, id, fixture.now()).await;
            found.unwrap()
        };
        assert_eq!(found(&first).await, None);
        fixture.submit_score(&board, "a", 1).await;
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&board, "a", 1).await;
        let all = read_periods(&fixture, "l").await;
        assert_eq!(all.len(), 2);
        for summary in all {
            assert_eq!(found(&summary.period.id).await, Some(summary));
        }
        assert_eq!(found(&PeriodId::all_time()).await, None);
        fixture.advance_ms(DAY_MS);
        assert_eq!(found(&first).await, None, "the period has expired");
    }

    async fn pages_of_periods_have_each_period_once(fixture) {
        let board = fixture.put(&Leaderboard { keep_periods: 1000, ..daily("l") }).await;
        for day in 0..7 {
            fixture.submit_score(&board, "a", 1).await;
            if day == 3 {
                fixture.remove(&board, "a").await;
            }
            fixture.advance_ms(DAY_MS);
        }
        let all = read_periods(&fixture, "l").await;
        assert_eq!(all.len(), 6);
        for limit in 1..=7 {
            let (mut walked, mut before) = (Vec::new(), None);
            loop {
                let page = fixture.store.list_periods(&fixture.tenant, &id("l"), before, limit, fixture.now()).await.unwrap();
                assert!(page.periods.len() <= limit as usize);
                walked.extend(page.periods);
                before = page.before;
                if before.is_none() { break; }
            }
            assert_eq!(walked, all, "{limit}");
        }
    }

    async fn a_list_of_periods_ends_with_the_period_without_a_start(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "a", 1).await;
        let resetting = fixture.put(&daily("l")).await;
        fixture.submit_score(&resetting, "a", 1).await;
        let (tenant, l) = (&fixture.tenant, id("l"));
        let first = fixture.store.list_periods(tenant, &l, None, 1, fixture.now()).await.unwrap();
        assert_eq!(period_lines(&first.periods), [("2026-07-19T00:00:00Z", 1, 4)]);
        let second = fixture.store.list_periods(tenant, &l, first.before, 1, fixture.now()).await.unwrap();
        assert_eq!((period_lines(&second.periods), second.before), (vec![("all", 1, 2)], None));
    }
}
