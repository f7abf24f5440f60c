//! Periods that have entries.

use leaderboard_core::ports::{PageFrom, PeriodSummary, Scores};
use leaderboard_core::{Leaderboard, RefusalReason, Submission};

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
}
