//! Tests of the comparison of entries with the event log, on entries that were damaged in the store.

use std::rc::Rc;
use std::thread;

use leaderboard_core::ports::{Leaderboards, PageFrom, RankDetail, ReadSource, Scores};
use leaderboard_core::usecase::{
    self, Comparison, ComparisonCursor, ComparisonQuery, Deps, DifferenceKind, LeaderboardMemory,
    SnapshotPlan,
};
use leaderboard_core::{Leaderboard, LogPolicy, Operator, PeriodSelector, TenantId, Ties, Timestamp};
use leaderboard_model::Projection;
use leaderboard_test_support::values::{Board, at, board, id, player, prepared, submission};
use leaderboard_test_support::{AllPorts, NoCache, StoreBackend, StoreFixture, block_on};

use crate::cases::on_both_stores;

/// Damages the entries of four players: `p1` has none, that of `p2` is no entry, that of `p4` is another one, and `ghost` has one
/// without an event.
const SQL: &str = "DELETE FROM entries WHERE player = 'p1';
    UPDATE entries SET order_key = x'00' WHERE player = 'p2';
    UPDATE entries SET attempts = 77 WHERE player = 'p4';
    INSERT INTO entries SELECT period, 'ghost', substr(order_key, 1, 16) || 'ghost', hidden, attempts, metadata
    FROM entries WHERE player = 'p3'";
/// The same. The order key of `p1` stays in its set.
const SCRIPT: &str = "local entries, visible = 'eb:acme:b:l:e:all', 'eb:acme:b:l:v:all'
    redis.call('HDEL', entries, 'p1')
    redis.call('HSET', entries, 'p2', '?')
    for _, key in ipairs(redis.call('ZRANGE', visible, 0, -1)) do
      if string.sub(key, -2) == 'p4' then
        redis.call('ZREM', visible, key)
      end
    end
    redis.call('HSET', entries, 'ghost', redis.call('HGET', entries, 'p3'))";

/// The number of players of the tests with several writers.
const PLAYERS: i64 = 600;

/// Sends one request for a comparison of the current period of the leaderboard `l`.
async fn compare_from<S: AllPorts>(
    store: &S,
    tenant: &TenantId,
    now: Timestamp,
    (after, swap): (Option<ComparisonCursor>, bool),
) -> Comparison {
    let query = ComparisonQuery {
        period: PeriodSelector::Current,
        after,
        swap,
    };
    let deps = Deps {
        store,
        cache: None::<&NoCache>,
        leaderboard_memory: &LeaderboardMemory::default(),
        tenant,
        now,
        source: ReadSource::Primary,
    };
    usecase::compare_entries(&deps, &id("l"), &query, None)
        .await
        .unwrap()
}

/// Compares all entries of the current period, which are few.
async fn compare_on<S: AllPorts>(store: &S, tenant: &TenantId, now: Timestamp, swap: bool) -> Comparison {
    let found = compare_from(store, tenant, now, (None, swap)).await;
    assert_eq!(found.next, None);
    found
}

async fn compare<B: StoreBackend>(fixture: &StoreFixture<B>, swap: bool) -> Comparison {
    compare_on(&fixture.store, &fixture.tenant, fixture.now(), swap).await
}

/// Takes a snapshot of the leaderboard `l` if one is due. Returns whether one was taken.
async fn take_snapshot<S: AllPorts>(store: &S, tenant: &TenantId, now: Timestamp) -> bool {
    let deps = Deps {
        store,
        cache: None::<&NoCache>,
        leaderboard_memory: &LeaderboardMemory::default(),
        tenant,
        now,
        source: ReadSource::Primary,
    };
    match usecase::plan_snapshot(&deps, &id("l")).await.unwrap() {
        SnapshotPlan::Due(plan) => usecase::take_snapshot(&deps, &plan, None).await.unwrap(),
        SnapshotPlan::Later(_) | SnapshotPlan::Never => false,
    }
}

/// Submits scores of 600 players, one after the other.
async fn write_scores<B: StoreBackend>(backend: &B, tenant: &TenantId, (writer, count): (i64, i64)) {
    let store = backend.open().await;
    let found = Leaderboards::get(&store, tenant, &id("l")).await;
    let board = Rc::new(found.unwrap().unwrap());
    for n in 0..count {
        let name = format!("p{}", (n * 7 + writer) % PLAYERS);
        let score = submission(&[&board], &name, &[1]);
        let score = prepared(&score, &[&board], at(100_000 + n));
        let answers = store.submit(tenant, &[score], RankDetail::Full).await;
        answers.unwrap().remove(0).unwrap();
    }
}

/// Asserts that the list has the entries that the events made, and the same counts.
async fn assert_equals_replay<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) {
    let replayed = Projection::replay(&fixture.read_events(board).await).unwrap();
    let state = &replayed.periods[&fixture.current_period(board)];
    let page = fixture.page(board, &PageFrom::Top, 1000).await;
    let entries: Vec<_> = page.entries.iter().map(|ranked| &ranked.entry).collect();
    assert_eq!(replayed.visible(state), entries);
    assert_eq!(page.count, entries.len() as u64);
    let ranks: Vec<u64> = page.entries.iter().map(|ranked| ranked.rank).collect();
    let layout = page.layout.unwrap();
    let expected = leaderboard_model::ranked(&layout, &entries);
    let expected: Vec<u64> = expected.iter().map(|ranked| ranked.rank).collect();
    assert_eq!(ranks, expected);
}

async fn check_damage<B: StoreBackend>(fixture: &StoreFixture<B>, ties: Ties) {
    let configuration = Leaderboard { ties, ..board("l") };
    let board = fixture.put(&configuration).await;
    for n in 0..40 {
        fixture.submit_score(&board, &format!("p{n}"), n / 3).await;
    }
    fixture.ban("p7").await;
    let unharmed = compare(fixture, false).await;
    assert_eq!(
        (
            unharmed.entries,
            unharmed.compared,
            unharmed.differences,
            unharmed.strays
        ),
        (40, 40, 0, 0)
    );
    fixture.backend.damage(SQL, SCRIPT).await;
    let named = [
        (player("p1"), DifferenceKind::Missing),
        (player("p2"), DifferenceKind::Changed),
        (player("p4"), DifferenceKind::Changed),
        (player("ghost"), DifferenceKind::Unexpected),
    ];
    for swap in [false, true] {
        let found = compare(fixture, swap).await;
        assert_eq!(found.named, named);
        assert_eq!(
            (found.differences, found.corrected),
            (4, if swap { 4 } else { 0 })
        );
    }
    let corrected = compare(fixture, false).await;
    assert_eq!((corrected.differences, corrected.strays), (0, 0));
    assert_equals_replay(fixture, &board).await;
    fixture.unban("p7").await;
    fixture.submit_score(&board, "p1", 1).await;
    assert_equals_replay(fixture, &board).await;
}

on_both_stores! {
    async fn damaged_entries_are_named_and_corrected(fixture) {
        check_damage(&fixture, Ties::Earliest).await;
    }

    async fn damaged_entries_with_dense_ranks_are_corrected(fixture) {
        check_damage(&fixture, Ties::Dense).await;
    }

    async fn a_comparison_corrects_entries_while_others_submit(fixture) {
        /// The number of players whose entries are damaged, and of submissions of each writer.
        const DAMAGED: i64 = 300;
        const SUBMISSIONS: i64 = 400;
        let board = fixture.put(&Leaderboard { operator: Operator::Increment, ties: Ties::Shared, ..board("l") }).await;
        for n in 0..PLAYERS {
            fixture.submit_score(&board, &format!("p{n}"), n).await;
        }
        let (sql, script) = (
            // Without the counts of the period, submissions would be refused.
            "DELETE FROM entries WHERE CAST(substr(player, 2) AS INTEGER) < 300;
            UPDATE periods SET visible = 300, total = 300",
            "for n = 0, 299 do redis.call('HDEL', 'eb:acme:b:l:e:all', 'p' .. n) end",
        );
        fixture.backend.damage(sql, script).await;
        let (backend, tenant) = (&fixture.backend, &fixture.tenant);
        thread::scope(|scope| {
            for writer in 0..2 {
                scope.spawn(move || block_on(write_scores(backend, tenant, (writer, SUBMISSIONS))));
            }
            scope.spawn(move || {
                block_on(async {
                    let store = backend.open().await;
                    let mut corrected = 0;
                    for _ in 0..10 {
                        corrected += compare_on(&store, tenant, at(200_000), true).await.corrected;
                    }
                    assert!(corrected >= DAMAGED.unsigned_abs(), "{corrected}");
                });
            });
        });
        assert_eq!(compare(&fixture, true).await.differences, 0);
        assert_eq!(compare(&fixture, true).await.strays, 0);
        assert_equals_replay(&fixture, &board).await;
        let attempts = fixture.page(&board, &PageFrom::Top, 1000).await.entries;
        let attempts: u64 = attempts.iter().map(|ranked| u64::from(ranked.entry.attempts)).sum();
        assert_eq!(attempts, (PLAYERS + SUBMISSIONS * 2).unsigned_abs());
    }

    async fn a_request_looks_at_a_bounded_number_of_entries_without_events(fixture) {
        const GHOSTS: u64 = 24_000;
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 5).await;
        let (sql, script) = (
            "INSERT INTO entries WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24000)
            SELECT period, 'ghost' || i, substr(order_key, 1, 16) || 'ghost' || i, hidden, attempts, metadata
            FROM entries JOIN n WHERE player = 'ann'",
            "local entries = 'eb:acme:b:l:e:all'
            local entry = redis.call('HGET', entries, 'ann')
            for i = 1, 24000 do redis.call('HSET', entries, 'ghost' .. i, entry) end",
        );
        fixture.backend.damage(sql, script).await;
        let (mut after, mut corrected) = (None, Vec::new());
        loop {
            let found = compare_from(&fixture.store, &fixture.tenant, fixture.now(), (after, true)).await;
            corrected.push(found.corrected);
            after = found.next;
            let Some(cursor) = &after else {
                break;
            };
            assert_eq!(ComparisonCursor::decode(&cursor.encode()).as_ref(), Ok(cursor));
            assert!(corrected.len() < 10, "{corrected:?}");
        }
        assert_eq!(corrected.iter().sum::<u64>(), GHOSTS);
        assert!(corrected.iter().all(|count| *count <= GHOSTS / 2), "{corrected:?}");
        // A place that no scan has returned.
        for from in [&[7][..], &[0, b'x'], &[255]] {
            let after = Some(ComparisonCursor::Others(from.to_vec()));
            let found = compare_from(&fixture.store, &fixture.tenant, fixture.now(), (after, false)).await;
            assert_eq!((found.differences, found.next), (0, None));
        }
        assert_equals_replay(&fixture, &board).await;
    }

    async fn the_history_of_a_log_without_its_beginning_begins_with_the_stored_entries(fixture) {
        let log = LogPolicy { keep_events: 900, keep_days: 30 };
        let board = fixture.put(&Leaderboard { operator: Operator::Increment, log, ..board("l") }).await;
        for n in 0..PLAYERS * 2 {
            fixture.submit_score(&board, &format!("p{}", n % PLAYERS), n).await;
        }
        fixture.ban("p5").await;
        fixture.remove(&board, "p6").await;
        assert!(fixture.read_events(&board).await[0].position > 1);
        let (backend, tenant) = (&fixture.backend, &fixture.tenant);
        thread::scope(|scope| {
            for writer in 0..2 {
                scope.spawn(move || block_on(write_scores(backend, tenant, (writer, 150))));
            }
            scope.spawn(move || block_on(async {
                let store = backend.open().await;
                assert!(take_snapshot(&store, tenant, at(200_000)).await);
            }));
        });
        // The replay from the snapshot gives the entries of the store.
        let found = compare(&fixture, false).await;
        assert_eq!((found.differences, found.strays, found.entries), (0, 0, 599));
    }
}
