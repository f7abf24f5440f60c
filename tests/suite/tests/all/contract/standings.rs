//! Tests of final standings and of claims.

use leaderboard_core::ports::{
    Claim, ClaimOutcome, Expected, Freeze, Leaderboards, PageFrom, Scores, Standings,
};
use leaderboard_core::{
    LateScores, Leaderboard, Operator, Period, Prize, PrizeRange, PrizeTable, RankedPrize, RefusalReason,
    StandingsPolicy, Submission, Ties,
};
use leaderboard_test_support::values::{Board, DAY_MS, daily, player, prepared, submission, with_ties};
use leaderboard_test_support::{StoreBackend, StoreFixture, ranked_line, ranked_lines};

use crate::cases::on_both_stores;

/// Returns a leaderboard with the operator `best` that resets every day and whose late scores reopen final standings.
fn reopening(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Best,
        standings: StandingsPolicy {
            late_scores: LateScores::Reopen,
            ..StandingsPolicy::default()
        },
        ..daily(name)
    }
}

/// Returns a leaderboard that resets every day, with a prize for the first rank and one for the best half.
fn with_prizes(name: &str, claim_days: u16) -> Leaderboard {
    let prize = |name: &str, range| Prize {
        name: name.into(),
        range,
    };
    let prizes = vec![
        prize("Gold 1", PrizeRange::Ranks { from: 1, to: 1 }),
        prize("Chest", PrizeRange::TopPercent(50)),
    ];
    Leaderboard {
        standings: StandingsPolicy {
            prizes,
            claim_days,
            ..StandingsPolicy::default()
        },
        ..daily(name)
    }
}

/// Submits scores today, moves the clock to tomorrow, and returns the period of the scores.
async fn end_day<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    scores: &[(&str, i64)],
) -> Period {
    for (name, value) in scores {
        fixture.submit_score(board, name, *value).await;
    }
    let period = board.value.schedule.period_at(fixture.now());
    fixture.advance_ms(DAY_MS);
    period
}

async fn freeze<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board, period: &Period) -> Freeze {
    let expires_at = board.value.schedule.expires_at(period, board.value.keep_periods);
    let period_ref = fixture.period_ref(board, &period.id);
    fixture
        .store
        .freeze(&period_ref, period, expires_at)
        .await
        .unwrap()
}

/// Returns a claim of the cup for a rank.
fn cup<B: StoreBackend>(fixture: &StoreFixture<B>, rank: u64) -> Claim {
    Claim {
        prize: "Cup of \"é\" 1".into(),
        rank,
        claimed_at: fixture.now(),
        replaces: None,
    }
}

async fn claim<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    (board, period): (&Board, &Period),
    name: &str,
    freeze: &Freeze,
    claim: &Claim,
) -> ClaimOutcome {
    let period_ref = fixture.period_ref(board, &period.id);
    fixture
        .store
        .claim_prize(&period_ref, &player(name), freeze, claim)
        .await
        .unwrap()
}

async fn read_claims<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    (board, period): (&Board, &Period),
    names: &[&str],
) -> Vec<Option<Claim>> {
    let players: Vec<_> = names.iter().map(|name| player(name)).collect();
    let period_ref = fixture.period_ref(board, &period.id);
    fixture.store.read_claims(&period_ref, &players).await.unwrap()
}

/// Sends a score of yesterday.
async fn submit_late<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    name: &str,
    value: i64,
) -> Result<(), RefusalReason> {
    let late = Submission {
        occurred_at: Some(fixture.now().saturating_add_ms(-DAY_MS)),
        ..submission(&[board], name, &[value])
    };
    let done = fixture.submit(&late, &[board]).await;
    done.map(drop).map_err(|refusal| refusal.reason)
}

on_both_stores! {
    async fn the_first_freeze_decides(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2), ("c", 1)]).await;
        fixture.ban("c").await;
        let first = freeze(&fixture, &board, &period).await;
        let prizes = Some(PrizeTable { claim_days: 30, prizes: Vec::new() });
        assert_eq!(first, Freeze { frozen_at: fixture.now(), version: 5, count: 2, reopened: 0, prizes });
        fixture.advance_ms(10);
        let other = fixture.backend.open().await;
        let period_ref = fixture.period_ref(&board, &period.id);
        assert_eq!(other.freeze(&period_ref, &period, None).await.unwrap(), first);
        assert_eq!(freeze(&fixture, &board, &period).await, first);
    }

    async fn a_late_score_of_a_final_period_is_refused(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        assert_eq!(submit_late(&fixture, &board, "b", 2).await, Ok(()));
        let frozen = freeze(&fixture, &board, &period).await;
        assert_eq!(submit_late(&fixture, &board, "c", 9).await, Err(RefusalReason::StandingsFinal));
        assert_eq!(submit_late(&fixture, &board, "a", 1).await, Err(RefusalReason::StandingsFinal));
        assert_eq!(fixture.submit_score(&board, "a", 1).await.rank, Some(1));
        let page = fixture.page_of(&board, &period.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "a", 3), ranked_line(2, "b", 2)]);
        assert_eq!(freeze(&fixture, &board, &period).await, frozen);
    }

    async fn a_replay_in_a_final_period_returns_its_outcome(fixture) {
        let board = fixture.put(&daily("l")).await;
        let sent = fixture.now();
        let with_id = |now| {
            let dated = Submission { occurred_at: Some(sent), ..submission(&[&board], "a", &[3]) };
            leaderboard_test_support::with_submission_id(prepared(&dated, &[&board], now), "one")
        };
        fixture.submit_prepared(&[with_id(sent)]).await.remove(0).unwrap();
        let period = board.value.schedule.period_at(sent);
        fixture.advance_ms(DAY_MS / 2);
        freeze(&fixture, &board, &period).await;
        let again = fixture.submit_prepared(&[with_id(fixture.now())]).await.remove(0).unwrap();
        assert!(again[0].replayed);
    }

    async fn a_submission_to_several_leaderboards_is_refused_if_one_of_its_periods_is_final(fixture) {
        let (one, two) = (fixture.put(&daily("one")).await, fixture.put(&daily("two")).await);
        let period = end_day(&fixture, &two, &[("a", 3)]).await;
        freeze(&fixture, &two, &period).await;
        let late = Submission {
            occurred_at: Some(fixture.now().saturating_add_ms(-DAY_MS)),
            ..submission(&[&one, &two], "b", &[1])
        };
        let refused = fixture.submit(&late, &[&one, &two]).await.unwrap_err();
        assert_eq!((refused.leaderboard.as_str(), refused.reason), ("two", RefusalReason::StandingsFinal));
        let page = fixture.page_of(&one, &period.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(page.entries, []);
    }

    async fn a_late_score_reopens_final_standings_where_the_leaderboard_says_so(fixture) {
        let board = fixture.put(&reopening("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        let first = freeze(&fixture, &board, &period).await;
        // The operator is `best`, so this score changes no entry.
        submit_late(&fixture, &board, "a", 1).await.unwrap();
        assert_eq!(freeze(&fixture, &board, &period).await, first);
        submit_late(&fixture, &board, "b", 4).await.unwrap();
        submit_late(&fixture, &board, "c", 5).await.unwrap();
        let second = freeze(&fixture, &board, &period).await;
        let expected = Freeze { frozen_at: fixture.now(), version: 5, count: 3, reopened: 1, ..first };
        assert_eq!(second, expected);
        submit_late(&fixture, &board, "a", 7).await.unwrap();
        assert_eq!(freeze(&fixture, &board, &period).await.reopened, 2);
    }

    async fn several_scores_of_one_call_reopen_once(fixture) {
        let board = fixture.put(&reopening("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        freeze(&fixture, &board, &period).await;
        let late = |name| {
            let yesterday = Some(fixture.now().saturating_add_ms(-DAY_MS));
            let late = Submission { occurred_at: yesterday, ..submission(&[&board], name, &[9]) };
            prepared(&late, &[&board], fixture.now())
        };
        for outcome in fixture.submit_prepared(&[late("b"), late("c")]).await {
            outcome.unwrap();
        }
        assert_eq!(freeze(&fixture, &board, &period).await.reopened, 1);
    }

    async fn removals_and_bans_leave_standings_final(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2), ("c", 1)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        fixture.ban("a").await;
        let period_ref = fixture.period_ref(&board, &period.id);
        fixture.store.remove(&period_ref, &player("b"), fixture.now()).await.unwrap();
        let page = fixture.page_of(&board, &period.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "c", 1)]);
        assert_eq!(freeze(&fixture, &board, &period).await, frozen);
    }

    async fn a_period_without_entries_can_be_final(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        assert_eq!((frozen.version, frozen.count), (0, 0));
        assert_eq!(submit_late(&fixture, &board, "a", 1).await, Err(RefusalReason::StandingsFinal));
        assert_eq!(fixture.store.periods(&fixture.tenant, &board.value.id, fixture.now()).await.unwrap(), []);
        let reopening = fixture.put(&reopening("l")).await;
        submit_late(&fixture, &reopening, "a", 1).await.unwrap();
        let again = freeze(&fixture, &reopening, &period).await;
        assert_eq!((again.count, again.reopened), (1, 1));
        assert_eq!(fixture.store.periods(&fixture.tenant, &board.value.id, fixture.now()).await.unwrap().len(), 1);
    }

    async fn a_player_claims_once(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let at = (&board, &period);
        assert_eq!(read_claims(&fixture, at, &["a", "b"]).await, [None, None]);
        let first = cup(&fixture, 2);
        assert_eq!(claim(&fixture, at, "b", &frozen, &first).await, ClaimOutcome::Created);
        fixture.advance_ms(5);
        let again = claim(&fixture, at, "b", &frozen, &cup(&fixture, 2)).await;
        assert_eq!(again, ClaimOutcome::Existing(first.clone()));
        assert_eq!(read_claims(&fixture, at, &["a", "b"]).await, [None, Some(first)]);
    }

    async fn a_claim_needs_the_rank_that_the_player_has_now(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let at = (&board, &period);
        let changed = ClaimOutcome::Changed;
        assert_eq!(claim(&fixture, at, "b", &frozen, &cup(&fixture, 1)).await, changed);
        assert_eq!(claim(&fixture, at, "c", &frozen, &cup(&fixture, 1)).await, changed);
        let other = Freeze { count: 1, ..frozen.clone() };
        assert_eq!(claim(&fixture, at, "a", &other, &cup(&fixture, 1)).await, changed);
        fixture.ban("a").await;
        assert_eq!(claim(&fixture, at, "a", &frozen, &cup(&fixture, 1)).await, changed);
        assert_eq!(claim(&fixture, at, "b", &frozen, &cup(&fixture, 1)).await, ClaimOutcome::Created);
        assert_eq!(read_claims(&fixture, at, &["a"]).await, [None]);
    }

    async fn a_claim_stays_when_the_ranks_change_later(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let at = (&board, &period);
        let silver = cup(&fixture, 2);
        claim(&fixture, at, "b", &frozen, &silver).await;
        fixture.ban("a").await;
        let gold = claim(&fixture, at, "b", &frozen, &cup(&fixture, 1)).await;
        assert_eq!(gold, ClaimOutcome::Existing(silver.clone()));
        fixture.ban("b").await;
        assert_eq!(read_claims(&fixture, at, &["b"]).await, [Some(silver)]);
    }

    async fn shared_ranks_are_compared_as_the_list_shows_them(fixture) {
        let ties = leaderboard_core::Ties::Dense;
        let board = fixture.put(&Leaderboard { ties, ..daily("l") }).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 3), ("c", 1)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let at = (&board, &period);
        assert_eq!(claim(&fixture, at, "a", &frozen, &cup(&fixture, 1)).await, ClaimOutcome::Created);
        assert_eq!(claim(&fixture, at, "b", &frozen, &cup(&fixture, 1)).await, ClaimOutcome::Created);
        assert_eq!(claim(&fixture, at, "c", &frozen, &cup(&fixture, 3)).await, ClaimOutcome::Changed);
        assert_eq!(claim(&fixture, at, "c", &frozen, &cup(&fixture, 2)).await, ClaimOutcome::Created);
    }

    async fn prizes_are_frozen_with_the_standings(fixture) {
        for (name, ties, last) in [("l", Ties::Earliest, 3), ("s", Ties::Shared, 3), ("d", Ties::Dense, 2)] {
            let board = fixture.put(&Leaderboard { ties, ..with_prizes(name, 14) }).await;
            // Half of the five players have a chest: a third player, who has the second rank among dense ones.
            let scores = [("a", 9), ("b", 9), ("c", 8), ("d", 7), ("e", 7)];
            let period = end_day(&fixture, &board, &scores).await;
            let frozen = freeze(&fixture, &board, &period).await;
            let prize = |name: &str, from, to| RankedPrize { name: name.into(), from, to };
            let prizes = vec![prize("Gold 1", 1, 1), prize("Chest", 1, last)];
            assert_eq!(frozen.prizes, Some(PrizeTable { claim_days: 14, prizes }));
            let board = fixture.put(&Leaderboard { ties, ..daily(name) }).await;
            assert_eq!(freeze(&fixture, &board, &period).await, frozen);
        }
    }

    async fn standings_with_prizes_are_not_reopened(fixture) {
        let board = fixture.put(&Leaderboard { operator: Operator::Best, ..with_prizes("l", 14) }).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let board = fixture.put(&reopening("l")).await;
        assert_eq!(submit_late(&fixture, &board, "b", 9).await, Err(RefusalReason::StandingsFinal));
        assert_eq!(freeze(&fixture, &board, &period).await, frozen);
    }

    async fn a_claim_replaces_the_one_for_a_worse_rank(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3), ("b", 2)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let at = (&board, &period);
        let silver = Claim { prize: "Silver 2".into(), ..cup(&fixture, 2) };
        let gold = |replaces: Option<&str>| Claim { replaces: replaces.map(Into::into), ..cup(&fixture, 1) };
        assert_eq!(claim(&fixture, at, "b", &frozen, &silver).await, ClaimOutcome::Created);
        let replacing = gold(Some("Silver 2"));
        // The rank is still the second.
        assert_eq!(claim(&fixture, at, "b", &frozen, &replacing).await, ClaimOutcome::Changed);
        fixture.ban("a").await;
        for other in [gold(None), gold(Some("Bronze"))] {
            let outcome = claim(&fixture, at, "b", &frozen, &other).await;
            assert_eq!(outcome, ClaimOutcome::Existing(silver.clone()));
        }
        assert_eq!(claim(&fixture, at, "b", &frozen, &replacing).await, ClaimOutcome::Created);
        let again = claim(&fixture, at, "b", &frozen, &replacing).await;
        assert_eq!(again, ClaimOutcome::Existing(replacing.clone()));
        assert_eq!(read_claims(&fixture, at, &["a", "b"]).await, [None, Some(replacing)]);
    }

    async fn claims_are_deleted_with_their_leaderboard(fixture) {
        let board = fixture.put(&daily("l")).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        let empty = board.value.schedule.period_at(fixture.now());
        let frozen = freeze(&fixture, &board, &period).await;
        claim(&fixture, (&board, &period), "a", &frozen, &cup(&fixture, 1)).await;
        fixture.advance_ms(DAY_MS);
        freeze(&fixture, &board, &empty).await;
        fixture.store.delete(&fixture.tenant, &board.value.id, Expected::Any).await.unwrap().unwrap();
        while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
        let board = fixture.put(&daily("l")).await;
        assert_eq!(read_claims(&fixture, (&board, &period), &["a"]).await, [None]);
        assert_eq!(submit_late(&fixture, &board, "a", 1).await, Ok(()));
        assert_eq!(freeze(&fixture, &board, &period).await.count, 0);
    }

    async fn claims_stay_when_the_order_is_rebuilt(fixture) {
        // A leaderboard that has ended, with a single period.
        let board = fixture.put(&with_ties("l", leaderboard_core::Ties::Earliest)).await;
        let period = end_day(&fixture, &board, &[("a", 3)]).await;
        let frozen = freeze(&fixture, &board, &period).await;
        let first = cup(&fixture, 1);
        claim(&fixture, (&board, &period), "a", &frozen, &first).await;
        let board = fixture.rebuild(&with_ties("l", leaderboard_core::Ties::Shared)).await;
        assert_eq!(read_claims(&fixture, (&board, &period), &["a"]).await, [Some(first)]);
        assert_eq!(freeze(&fixture, &board, &period).await.frozen_at, frozen.frozen_at);
    }
}
