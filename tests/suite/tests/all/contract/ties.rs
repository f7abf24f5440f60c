//! Tests of ties with the operator `best` when submissions arrive in another order than they happened.

use leaderboard_core::ports::PageFrom;
use leaderboard_core::{Leaderboard, Operator, Status, Submission, Ties};
use leaderboard_test_support::values::{board, metadata, submission, values};

use crate::cases::on_both_stores;

const ALL_TIES: [Ties; 4] = [Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense];

on_both_stores! {
    async fn an_equal_best_score_that_happened_earlier_moves_the_entry(fixture) {
        let begin = fixture.now();
        for (at, ties) in ALL_TIES.into_iter().enumerate() {
            let board = fixture.put(&Leaderboard { operator: Operator::Best, ties, ..board(&format!("l{at}")) }).await;
            let score = async |name: &str, second: i64, text: &str| {
                let submission = Submission {
                    occurred_at: Some(begin.saturating_add_ms(second * 1000 - 60_000)),
                    metadata: Some(metadata(text)),
                    ..submission(&[&board], name, &[5])
                };
                fixture.submit(&submission, &[&board]).await.unwrap().remove(0)
            };
            score("ann", 10, "1").await;
            let last = score("bob", 20, "2").await;
            let later = score("bob", 30, "3").await;
            assert_eq!((later.status, later.version), (Status::Kept, last.version));
            let earlier = score("bob", 1, "4").await;
            assert_eq!((earlier.status, earlier.version), (Status::Changed, last.version + 2), "{ties:?}");
            let (now, before) = match ties {
                Ties::Earliest => (1, 2),
                Ties::Latest => (2, 1),
                Ties::Shared | Ties::Dense => (1, 1),
            };
            assert_eq!((earlier.rank, earlier.previous.unwrap().rank), (Some(now), Some(before)), "{ties:?}");
            let page = fixture.page(&board, &PageFrom::Top, 10).await;
            let names: Vec<_> = page.entries.iter().map(|ranked| ranked.entry.player.as_str()).collect();
            assert_eq!(names, if ties == Ties::Latest { ["ann", "bob"] } else { ["bob", "ann"] }, "{ties:?}");
            let entry = &page.entries.iter().find(|ranked| ranked.entry.player.as_str() == "bob").unwrap().entry;
            assert_eq!((&entry.values, entry.attempts), (&values(&[5]), 3));
            assert_eq!(entry.reached_at, begin.saturating_add_ms(-59_000));
            assert_eq!(entry.metadata, Some(metadata("2")));
        }
    }
}
