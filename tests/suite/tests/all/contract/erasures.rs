//! Tests of the erasure of players. Random histories compare it with the model (`model`); these tests name what must hold.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Ban, Bans, Claim, ClaimOutcome, Erasures, FinishedItem, NewQueueItem,
    PageFrom, Queue, RateLimits, Scores, Standings,
};
use leaderboard_core::{
    IdScope, PlayerErasure, PreparedSubmission, Projection, RecordedEvent, Status, Submission, Timestamp,
};
use leaderboard_test_support::values::{
    Board, DAY_MS, board, daily, metadata, player, prepared, submission, tenant,
};
use leaderboard_test_support::{
    RankedLine, StoreBackend, StoreFixture, ranked_line, ranked_lines, with_submission_id,
};

use crate::cases::on_both_stores;

/// More events than one step on Redis copies.
const LONG_LOG: i64 = 2_500;

fn erasure_of(name: &str) -> PlayerErasure {
    PlayerErasure {
        player: player(name),
        pseudonym: player(&format!("erased-{name}-nobody-knows")),
    }
}

/// Erases a player from a leaderboard. Returns the number of steps that replaced events.
async fn erase<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board, erasure: &PlayerErasure) -> u32 {
    let id = &board.value.id;
    let erased = fixture
        .store
        .erase_entries(&fixture.tenant, id, erasure, fixture.now());
    let up_to = erased.await.unwrap().expect("a leaderboard");
    let mut steps = 1;
    while !fixture
        .store
        .erase_events(&fixture.tenant, id, erasure, up_to)
        .await
        .unwrap()
    {
        steps += 1;
    }
    steps
}

/// Returns the lists that a log gives after each of its events, with the pseudonym in place of the player.
fn replay(log: &[RecordedEvent], board: &Board, erasure: &PlayerErasure) -> Vec<Vec<RankedLine>> {
    let mut projection = Projection::default();
    let period = board.value.schedule.period_at(Timestamp::MIN).id;
    let mut lists = Vec::new();
    for recorded in log {
        projection.apply(recorded).unwrap();
        let page = projection.page(&period, &PageFrom::Top, 1000, &Caller::Anonymous);
        let mut lines = ranked_lines(&page.entries);
        for (_, name, _) in &mut lines {
            if name == erasure.player.as_str() {
                *name = erasure.pseudonym.to_string();
            }
        }
        lists.push(lines);
    }
    lists
}

async fn log_bytes<B: StoreBackend>(fixture: &StoreFixture<B>) -> u64 {
    let (_, quota) = fixture.store.usage(&fixture.tenant, 1).await.unwrap();
    quota.log_bytes
}

on_both_stores! {
    async fn an_erased_player_is_in_no_period_and_everyone_else_moves_up(fixture) {
        let (first, second) = (fixture.put(&board("a")).await, fixture.put(&daily("b")).await);
        for (name, value) in [("ann", 3), ("bob", 2), ("joann", 1)] {
            fixture.submit_score(&first, name, value).await;
            fixture.submit_score(&second, name, value).await;
        }
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&second, "ann", 9).await;
        let erasure = erasure_of("ann");
        for board in [&first, &second] {
            erase(&fixture, board, &erasure).await;
        }
        assert_eq!(fixture.list_entries(&first).await, [ranked_line(1, "bob", 2), ranked_line(2, "joann", 1)]);
        assert_eq!(fixture.list_entries(&second).await, []);
        let periods = fixture.store.periods(&fixture.tenant, &second.value.id, fixture.now()).await.unwrap();
        assert_eq!(periods.iter().map(|summary| summary.count).collect::<Vec<_>>(), [2]);
        let events = fixture.read_events(&second).await;
        let players: Vec<_> = events.iter().filter_map(|recorded| recorded.event.body.player()).collect();
        assert!(!players.contains(&&erasure.player), "{players:?}");
        assert_eq!(players.iter().filter(|name| **name == &erasure.pseudonym).count(), 4);
        assert_eq!(erase(&fixture, &first, &erasure_of("ann")).await, 1);
        assert_eq!(fixture.read_events(&first).await.len(), 5, "a second erasure has nothing to do");
    }

    async fn a_replay_ranks_everyone_as_before(fixture) {
        let board = fixture.put(&board("l")).await;
        for round in 0..4 {
            for (at, name) in ["ann", "bob", "joann", "cid"].into_iter().enumerate() {
                let submission = Submission {
                    metadata: Some(metadata(&format!("{{\"name\":\"{name}\",\"round\":{round}}}"))),
                    ..submission(&[&board], name, &[[3, 1, 4, 1, 5, 9, 2, 6][(at + 2 * round) % 8]])
                };
                fixture.submit(&submission, &[&board]).await.unwrap();
            }
        }
        fixture.ban("ann").await;
        fixture.submit_score(&board, "ann", 7).await;
        fixture.unban("ann").await;
        fixture.remove(&board, "ann").await;
        fixture.submit_score(&board, "ann", 5).await;
        let erasure = erasure_of("ann");
        let before = fixture.read_events(&board).await;
        let expected = replay(&before, &board, &erasure);
        erase(&fixture, &board, &erasure).await;
        let after = fixture.read_events(&board).await;
        let mut found = replay(&after, &board, &erasure);
        let last = found.pop().unwrap();
        assert_eq!(found, expected);
        assert_eq!(last, fixture.list_entries(&board).await, "the removal is the last event");
        for (old, new) in before.iter().zip(&after) {
            assert_eq!((new.position, new.event.recorded_at), (old.position, old.event.recorded_at));
        }
    }

    async fn final_standings_keep_the_place_and_the_claim(fixture) {
        let board = fixture.put(&daily("l")).await;
        for (name, value) in [("ann", 3), ("bob", 2), ("cid", 1)] {
            let submission = Submission { metadata: Some(metadata("{\"name\":\"x\"}")), ..submission(&[&board], name, &[value]) };
            fixture.submit(&submission, &[&board]).await.unwrap();
        }
        let period = board.value.schedule.period_at(fixture.now());
        fixture.advance_ms(DAY_MS);
        fixture.ban("bob").await;
        let freeze = fixture.store.freeze(&fixture.period_ref(&board, &period.id), &period, None).await.unwrap();
        let claim = Claim { prize: "cup".into(), rank: 1, claimed_at: fixture.now(), replaces: None };
        let claimed = fixture.store.claim_prize(&fixture.period_ref(&board, &period.id), &player("ann"), &freeze, &claim).await;
        assert_eq!(claimed, Ok(ClaimOutcome::Created));
        let erasure = erasure_of("ann");
        erase(&fixture, &board, &erasure).await;
        // A banned player has no place in final standings, and leaves none.
        erase(&fixture, &board, &erasure_of("bob")).await;
        let page = fixture.page_of(&board, &period.id, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, erasure.pseudonym.as_str(), 3), ranked_line(2, "cid", 1)]);
        assert_eq!(page.entries[0].entry.metadata, None);
        assert_eq!(page.entries[1].entry.metadata, Some(metadata("{\"name\":\"x\"}")));
        let players = [player("ann"), erasure.pseudonym.clone()];
        let claims = fixture.store.read_claims(&fixture.period_ref(&board, &period.id), &players).await.unwrap();
        assert_eq!(claims, [None, Some(claim)]);
        let again = fixture.store.freeze(&fixture.period_ref(&board, &period.id), &period, None).await.unwrap();
        assert_eq!(again, freeze);
    }

    async fn a_submission_with_an_erased_id_counts_again_and_those_of_others_do_not(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score_with_id(&board, "ann", 1, "of ann").await.unwrap();
        fixture.submit_score_with_id(&board, "bob", 1, "of bob").await.unwrap();
        erase(&fixture, &board, &erasure_of("ann")).await;
        let again = fixture.submit_score_with_id(&board, "ann", 1, "of ann").await.unwrap();
        assert_eq!((again.status, again.replayed, again.previous), (Status::Created, false, None));
        assert!(fixture.submit_score_with_id(&board, "bob", 1, "of bob").await.unwrap().replayed);
    }

    async fn an_id_of_the_player_and_the_same_id_of_the_leaderboard_are_both_erased(fixture) {
        let board = fixture.put(&board("l")).await;
        let of_leaderboard = with_submission_id(prepared(&submission(&[&board], "ann", &[1]), &[&board], fixture.now()), "x");
        let of_player = PreparedSubmission { id_scope: IdScope::Player, ..of_leaderboard.clone() };
        let both = [of_leaderboard, of_player];
        fixture.submit_prepared(&both).await;
        erase(&fixture, &board, &erasure_of("ann")).await;
        for outcomes in fixture.submit_prepared(&both).await {
            assert!(!outcomes.unwrap()[0].replayed);
        }
    }

    async fn what_a_player_sends_after_the_erasure_is_that_of_a_new_player(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 1).await;
        let erasure = erasure_of("ann");
        let id = &board.value.id;
        let up_to = fixture.store.erase_entries(&fixture.tenant, id, &erasure, fixture.now()).await.unwrap().unwrap();
        assert_eq!(up_to, 3);
        fixture.submit_score(&board, "ann", 5).await;
        while !fixture.store.erase_events(&fixture.tenant, id, &erasure, up_to).await.unwrap() {}
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 5)]);
        let log = fixture.read_events(&board).await;
        assert_eq!(replay(&log, &board, &erasure_of("nobody")).pop().unwrap(), [ranked_line(1, "ann", 5)]);
    }

    async fn a_long_log_is_replaced_at_once_and_keeps_its_size(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..LONG_LOG {
            fixture.submit_score(&board, if n % 5 == 0 { "ann" } else { "bob" }, n).await;
        }
        let (erasure, id) = (erasure_of("ann"), &board.value.id);
        let up_to = fixture.store.erase_entries(&fixture.tenant, id, &erasure, fixture.now()).await.unwrap().unwrap();
        let names = async |fixture: &StoreFixture<B>| {
            let events = fixture.read_events(&board).await;
            let named = events.iter().filter(|recorded| recorded.event.body.player() == Some(&player("ann")));
            (named.count(), events.len())
        };
        while !fixture.store.erase_events(&fixture.tenant, id, &erasure, up_to).await.unwrap() {
            // Another instance continues, and scores arrive.
            assert!(names(&fixture).await.0 > 500, "no reader sees a part of the replacements");
            fixture.submit_score(&board, "cid", 1).await;
        }
        assert_eq!(names(&fixture).await.0, 0);
        let log = fixture.read_events(&board).await;
        let weight: u64 = log.iter().map(|recorded| recorded.event.weight()).sum();
        assert_eq!(log_bytes(&fixture).await, weight);
        let after = fixture.submit_score(&board, "cid", 2).await;
        assert_eq!(after.version, log.last().unwrap().position + 1);
    }

    async fn two_erasures_of_one_log_end_in_any_order(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..LONG_LOG {
            fixture.submit_score(&board, ["ann", "bob", "cid"][usize::try_from(n % 3).unwrap()], n).await;
        }
        let id = &board.value.id;
        let mut running = Vec::new();
        for name in ["ann", "bob"] {
            let erasure = erasure_of(name);
            let up_to = fixture.store.erase_entries(&fixture.tenant, id, &erasure, fixture.now()).await.unwrap().unwrap();
            running.push((erasure, up_to, false));
        }
        while running.iter().any(|(.., done)| !done) {
            for (erasure, up_to, done) in &mut running {
                *done = *done || fixture.store.erase_events(&fixture.tenant, id, erasure, *up_to).await.unwrap();
            }
        }
        let events = fixture.read_events(&board).await;
        let mut names: Vec<_> = events.iter().filter_map(|recorded| recorded.event.body.player()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, [&player("cid"), &erasure_of("ann").pseudonym, &erasure_of("bob").pseudonym]);
    }

    async fn an_erased_ban_leaves_no_record_and_no_change(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 1).await;
        let ban = Ban { reason: Some("speed".into()), ..Ban::new(player("ann"), fixture.now()) };
        fixture.store.ban(&fixture.tenant, &ban).await.unwrap().unwrap();
        let erasure = erasure_of("ann");
        erase(&fixture, &board, &erasure).await;
        while !fixture.store.erase_ban(&fixture.tenant, &erasure, fixture.now()).await.unwrap() {}
        assert_eq!(fixture.store.find_ban(&fixture.tenant, &player("ann"), fixture.now()).await, Ok(None));
        fixture.submit_score(&board, "ann", 2).await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 2)]);
    }

    async fn replaced_audit_records_keep_their_places(fixture) {
        let record = |kind, body: &str| AuditRecord {
            tenant: Some(fixture.tenant.clone()),
            kind,
            at: fixture.now(),
            body: body.as_bytes().to_vec(),
        };
        for (kind, body) in [(AuditKind::Action, "ann 1"), (AuditKind::Authentication, "bob"), (AuditKind::Authentication, "ann 2"), (AuditKind::Action, "joann")] {
            fixture.store.append_audit(&record(kind, body)).await.unwrap();
        }
        let replace = |body: &[u8]| body.starts_with(b"ann").then(|| b"someone".to_vec());
        while !fixture.store.replace_audit(&fixture.tenant, &erasure_of("ann"), b"ann", &replace).await.unwrap() {}
        let next = fixture.store.append_audit(&record(AuditKind::Action, "last")).await.unwrap();
        assert_eq!(next, 5);
        let read = fixture.store.read_audit(Some(&fixture.tenant), None, 10).await.unwrap();
        let read: Vec<_> = read.iter().map(|found| (found.position, String::from_utf8_lossy(&found.body).into_owned())).collect();
        let expected = [(5, "last"), (4, "joann"), (3, "someone"), (2, "bob"), (1, "someone")];
        assert_eq!(read, expected.map(|(position, body)| (position, body.to_owned())));
    }

    async fn requests_about_a_player_are_found_and_deleted(fixture) {
        let owner = tenant("a");
        for n in 0..250 {
            let id = format!("r{n}");
            let sender = (n % 50 == 0).then(|| player("ann"));
            let item = NewQueueItem { id: &id, player: sender.as_ref(), digest: [7; 16], payload: b"x" };
            fixture.store.enqueue(&owner, &item).await.unwrap().unwrap();
        }
        let claimed = fixture.store.claim_items(1_000, 60_000).await.unwrap();
        let lag = fixture.store.measure_queue().await.unwrap();
        assert_eq!((lag.items, lag.oldest_at), (250, Some(claimed[0].enqueued_at)));
        assert!(lag.now >= lag.oldest_at);
        let finished: Vec<_> = claimed.iter().skip(1).enumerate().map(|(n, item)| FinishedItem {
            item: item.clone(),
            result: if n == 100 { b"for ann".to_vec() } else { b"for bob".to_vec() },
        }).collect();
        fixture.store.finish_items(Some(&owner), &finished).await.unwrap();
        let find = async || {
            let (mut ids, mut from) = (Vec::new(), None::<Box<str>>);
            loop {
                let page = fixture.store.find_requests_about(&owner, &player("ann"), from.as_deref()).await.unwrap();
                ids.extend(page.requests.into_iter().map(|(id, _)| id));
                from = page.next;
                if from.is_none() {
                    ids.sort_unstable();
                    ids.dedup();
                    return ids;
                }
            }
        };
        let found = find().await;
        assert_eq!(found.iter().map(|id| &**id).collect::<Vec<_>>(), ["r0", "r100", "r101", "r150", "r200", "r50"]);
        for id in &found {
            fixture.store.delete_request(&owner, id).await.unwrap();
        }
        // The first request is still in the queue.
        assert_eq!(find().await, [Box::from("r0")]);
        fixture.store.finish_items(Some(&owner), &[FinishedItem { item: claimed[0].clone(), result: Vec::new() }]).await.unwrap();
        assert_eq!(fixture.store.measure_queue().await.unwrap().items, 0);
    }

    async fn a_leaderboard_that_does_not_exist_has_nothing_to_erase(fixture) {
        let unknown = board("none").id;
        let erasure = erasure_of("ann");
        assert_eq!(fixture.store.erase_entries(&fixture.tenant, &unknown, &erasure, fixture.now()).await, Ok(None));
        assert_eq!(fixture.store.erase_events(&fixture.tenant, &unknown, &erasure, 9).await, Ok(true));
    }
}
