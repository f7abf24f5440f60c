//! Periods that have entries.

use leaderboard_core::ports::{PageFrom, PeriodSummary, Scores};
use leaderboard_core::{Leaderboard, PeriodId, RefusalReason, Submission};

use crate::given::{DAY_MS, board, daily, id, schedule, submission};
use crate::harness::{Harness, World, line, lines, on_both_stores};

async fn periods<H: Harness>(world: &World<H>, name: &str) -> Vec<PeriodSummary> {
    world
        .store
        .periods(&world.tenant, &id(name), world.now())
        .await
        .unwrap()
}

fn told(periods: &[PeriodSummary]) -> Vec<(&str, u64, u64)> {
    periods
        .iter()
        .map(|summary| (summary.period.id.as_str(), summary.count, summary.version))
        .collect()
}

on_both_stores! {
    async fn newest_first_with_count_and_version(world) {
        assert_eq!(periods(&world, "none").await, []);
        let board = world.put(&daily("l")).await;
        assert_eq!(periods(&world, "l").await, []);
        world.score(&board, "a", 1).await;
        world.score(&board, "b", 1).await;
        let first = board.value.schedule.period_at(world.now());
        world.pass_ms(DAY_MS);
        world.score(&board, "a", 1).await;
        world.pass_ms(2 * DAY_MS);
        world.score(&board, "c", 1).await;
        world.hide("b").await;
        let found = periods(&world, "l").await;
        assert_eq!(told(&found), [
            ("2026-07-22T00:00:00Z", 1, 5),
            ("2026-07-20T00:00:00Z", 1, 4),
            ("2026-07-19T00:00:00Z", 1, 6),
        ]);
        assert_eq!(found[2].period, first);
    }

    async fn a_late_score_lands_in_the_period_it_happened_in(world) {
        let board = world.put(&daily("l")).await;
        world.score(&board, "a", 1).await;
        world.pass_ms(DAY_MS);
        world.score(&board, "a", 5).await;
        let late = Submission {
            occurred_at: Some(world.now().saturating_add_ms(-DAY_MS)),
            ..submission(&[&board], "b", &[3])
        };
        let outcome = world.submit(&late, &[&board]).await.unwrap().remove(0);
        assert_eq!((outcome.period.as_str(), outcome.rank), ("2026-07-19T00:00:00Z", Some(1)));
        assert_eq!(world.list(&board).await, [line(1, "a", 5)]);
        let page = world.page_of(&board, &outcome.period, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(lines(&page.entries), [line(1, "b", 3), line(2, "a", 1)]);
    }

    async fn an_expired_period_is_not_told_and_takes_no_score(world) {
        let board = world.put(&Leaderboard { keep_periods: 2, ..daily("l") }).await;
        let start = world.now();
        world.score(&board, "a", 1).await;
        world.pass_ms(DAY_MS);
        world.score(&board, "a", 1).await;
        assert_eq!(periods(&world, "l").await.len(), 2);
        world.pass_ms(DAY_MS / 2 - 10);
        assert_eq!(periods(&world, "l").await.len(), 2);
        world.pass_ms(10);
        assert_eq!(told(&periods(&world, "l").await), [("2026-07-20T00:00:00Z", 1, 3)]);
        let late = Submission { occurred_at: Some(start), ..submission(&[&board], "b", &[3]) };
        let refused = late.resolve(std::slice::from_ref(&board), world.now()).unwrap_err();
        assert_eq!(refused.reason, RefusalReason::PeriodExpired);
    }

    async fn keeping_fewer_periods_lets_old_ones_expire_at_once(world) {
        let board = world.put(&daily("l")).await;
        world.score(&board, "a", 1).await;
        world.pass_ms(DAY_MS);
        world.score(&board, "a", 1).await;
        world.put(&Leaderboard { keep_periods: 1, ..daily("l") }).await;
        assert_eq!(told(&periods(&world, "l").await), [("2026-07-20T00:00:00Z", 1, 3)]);
    }

    async fn keeping_more_periods_keeps_what_is_there_longer(world) {
        let board = world.put(&Leaderboard { keep_periods: 1, ..daily("l") }).await;
        world.score(&board, "a", 1).await;
        let board = world.put(&Leaderboard { keep_periods: 3, ..daily("l") }).await;
        world.pass_ms(2 * DAY_MS);
        assert_eq!(told(&periods(&world, "l").await), [("2026-07-19T00:00:00Z", 1, 2)]);
        let yesterday = board.value.schedule.period_at(world.now().saturating_add_ms(-2 * DAY_MS));
        let page = world.page_of(&board, &yesterday.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(lines(&page.entries), [line(1, "a", 1)]);
        world.pass_ms(DAY_MS / 2);
        assert_eq!(periods(&world, "l").await, []);
    }

    async fn a_period_without_entries_is_not_told(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 1).await;
        assert_eq!(told(&periods(&world, "l").await), [("all", 1, 2)]);
        world.remove(&board, "a").await;
        assert_eq!(periods(&world, "l").await, []);
        world.score(&board, "a", 1).await;
        world.hide("a").await;
        assert_eq!(told(&periods(&world, "l").await), [("all", 0, 5)]);
    }

    async fn a_new_schedule_leaves_the_old_periods_as_they_were(world) {
        let board = world.put(&daily("l")).await;
        world.score(&board, "a", 1).await;
        let day = board.value.schedule.period_at(world.now());
        let monthly = Leaderboard { schedule: schedule("0 0 1 * *", "UTC"), ..daily("l") };
        let board = world.put(&monthly).await;
        world.score(&board, "a", 7).await;
        let found = periods(&world, "l").await;
        assert_eq!(told(&found), [("2026-07-19T00:00:00Z", 1, 2), ("2026-07-01T00:00:00Z", 1, 4)]);
        assert_eq!(found[0].period, day);
        assert_eq!(found[1].period, board.value.schedule.period_at(world.now()));
    }

    async fn one_period_is_found_by_its_id(world) {
        let board = world.put(&Leaderboard { keep_periods: 2, ..daily("l") }).await;
        let first = world.period(&board);
        let found = async |id: &PeriodId| {
            let found = world.store.find_period(&world.tenant, &board.value.id, id, world.now()).await;
            found.unwrap()
        };
        assert_eq!(found(&first).await, None);
        world.score(&board, "a", 1).await;
        world.pass_ms(DAY_MS);
        world.score(&board, "a", 1).await;
        let all = periods(&world, "l").await;
        assert_eq!(all.len(), 2);
        for summary in all {
            assert_eq!(found(&summary.period.id).await, Some(summary));
        }
        assert_eq!(found(&PeriodId::all_time()).await, None);
        world.pass_ms(DAY_MS);
        assert_eq!(found(&first).await, None, "it has expired");
    }

    async fn a_walk_over_pages_of_periods_meets_each_once(world) {
        let board = world.put(&Leaderboard { keep_periods: 1000, ..daily("l") }).await;
        for day in 0..7 {
            world.score(&board, "a", 1).await;
            if day == 3 {
                world.remove(&board, "a").await;
            }
            world.pass_ms(DAY_MS);
        }
        let all = periods(&world, "l").await;
        assert_eq!(all.len(), 6);
        for limit in 1..=7 {
            let (mut walked, mut before) = (Vec::new(), None);
            loop {
                let page = world.store.list_periods(&world.tenant, &id("l"), before, limit, world.now()).await.unwrap();
                assert!(page.periods.len() <= limit as usize);
                walked.extend(page.periods);
                before = page.before;
                if before.is_none() { break; }
            }
            assert_eq!(walked, all, "{limit}");
        }
    }

    async fn a_list_of_periods_ends_with_the_one_that_has_no_start(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "a", 1).await;
        let resetting = world.put(&daily("l")).await;
        world.score(&resetting, "a", 1).await;
        let (tenant, l) = (&world.tenant, id("l"));
        let first = world.store.list_periods(tenant, &l, None, 1, world.now()).await.unwrap();
        assert_eq!(told(&first.periods), [("2026-07-19T00:00:00Z", 1, 4)]);
        let second = world.store.list_periods(tenant, &l, first.before, 1, world.now()).await.unwrap();
        assert_eq!((told(&second.periods), second.before), (vec![("all", 1, 2)], None));
    }
}
