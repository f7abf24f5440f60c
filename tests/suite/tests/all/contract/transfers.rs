//! Tests of exports and imports: what is refused, what stays invisible, and logs that cannot be replayed.

use leaderboard_core::codec::encode_event;
use leaderboard_core::ports::{
    Ban, Bans, EncodedEvent, Expected, IMPORT_RETENTION_MS, ImportRefusal, Imports, Leaderboards,
    NewSnapshot, PutRefusal, RateLimits, SnapshotSummary, Snapshots,
};
use leaderboard_core::usecase::{
    self, ComparisonQuery, ImportError, ImportLimits, SnapshotPlan, discard_abandoned_import, discard_import,
    export_page, find_import,
};
use leaderboard_core::{
    Event, EventBody, ExportLine, LogPolicy, MAX_SNAPSHOT_PART_BYTES, PeriodSelector, Ties,
};
use leaderboard_test_support::values::{board, id, player};
use leaderboard_test_support::{StoreBackend, StoreFixture};

use crate::cases::on_both_stores;
use crate::transfers::TransferSide;

fn side<B: StoreBackend>(fixture: &StoreFixture<B>) -> TransferSide<'_, B::Store> {
    TransferSide::new(&fixture.store, &fixture.tenant, fixture.now())
}

/// Creates the leaderboard `l` with the entries of some players, exports it, and deletes it.
async fn export_and_delete<B: StoreBackend>(fixture: &StoreFixture<B>, players: &[&str]) -> Vec<ExportLine> {
    let mut configuration = board("l");
    configuration.ties = Ties::Dense;
    let created = fixture.put(&configuration).await;
    for (score, name) in (1..).zip(players) {
        fixture.submit_score(&created, name, score / 2).await;
    }
    let lines = side(fixture).export(&id("l")).await;
    delete(fixture).await;
    lines
}

async fn delete<B: StoreBackend>(fixture: &StoreFixture<B>) {
    let deleted = fixture
        .store
        .delete(&fixture.tenant, &id("l"), Expected::Any)
        .await;
    assert_eq!(deleted, Ok(Ok(true)));
    while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
}

/// Returns how many entries of the leaderboard `l` differ from a replay of its log.
async fn count_differences<B: StoreBackend>(fixture: &StoreFixture<B>) -> u64 {
    let query = ComparisonQuery {
        period: PeriodSelector::Current,
        after: None,
        swap: false,
    };
    let compared = usecase::compare_entries(&side(fixture).deps(), &id("l"), &query, None).await;
    compared.unwrap().differences
}

on_both_stores! {
    async fn an_import_is_invisible_until_its_end_and_can_be_deleted(fixture) {
        let lines = export_and_delete(&fixture, &["ann", "ben", "cem"]).await;
        let unused = fixture.store.usage(&fixture.tenant, 1).await.unwrap().1;
        let (most, last) = lines.split_at(lines.len() - 1);
        let limits = ImportLimits::default();
        for _ in 0..2 {
            side(&fixture).import(&id("l"), 1, most, &limits).await.unwrap();
            assert_eq!(fixture.store.get(&fixture.tenant, &id("l")).await, Ok(None));
            assert_eq!(fixture.store.list(&fixture.tenant, None, 10).await, Ok(vec![]));
            let put = fixture.try_put(&board("l"), Expected::Any, false).await;
            assert_eq!(put, Err(PutRefusal::ImportUnderWay));
            assert!(discard_import(&side(&fixture).deps(), &id("l")).await.unwrap());
            assert_eq!(discard_import(&side(&fixture).deps(), &id("l")).await, Ok(false));
            while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
            assert_eq!(fixture.store.usage(&fixture.tenant, 1).await.unwrap().1, unused);
        }
        side(&fixture).import(&id("l"), 1, most, &limits).await.unwrap();
        let end = side(&fixture).import(&id("l"), lines.len() as u64, last, &limits).await.unwrap();
        assert!(end.is_finished);
        assert_eq!(fixture.store.find_import(&fixture.tenant).await, Ok(None));
        assert_eq!(side(&fixture).export(&id("l")).await, lines);
        assert_eq!(count_differences(&fixture).await, 0);
    }

    async fn an_import_that_nobody_continues_for_a_day_is_deleted(fixture) {
        let lines = export_and_delete(&fixture, &["ann", "ben"]).await;
        let unused = fixture.store.usage(&fixture.tenant, 1).await.unwrap().1;
        let at = |ms| TransferSide { now: fixture.now().saturating_add_ms(ms), ..side(&fixture) };
        let limits = ImportLimits::default();
        at(0).import(&id("l"), 1, &lines[..4], &limits).await.unwrap();
        // Each step begins the day again.
        let later = at(IMPORT_RETENTION_MS - 1);
        later.import(&id("l"), 5, &lines[4..5], &limits).await.unwrap();
        let kept = at(2 * IMPORT_RETENTION_MS - 2);
        assert_eq!(discard_abandoned_import(&kept.deps()).await, Ok(false));
        assert_eq!(find_import(&kept.deps(), &id("l")).await.unwrap().map(|import| import.lines), Some(5));
        let abandoned = at(2 * IMPORT_RETENTION_MS - 1);
        assert_eq!(find_import(&abandoned.deps(), &id("l")).await, Ok(None));
        let refused = abandoned.import(&id("l"), 6, &lines[5..], &limits).await;
        assert_eq!(refused, Err(ImportError::NotBegun));
        while fixture.store.sweep(&fixture.tenant).await.unwrap() {}
        assert_eq!(fixture.store.usage(&fixture.tenant, 1).await.unwrap().1, unused);
        abandoned.import(&id("l"), 1, &lines[..4], &limits).await.unwrap();
        let next = at(4 * IMPORT_RETENTION_MS);
        assert_eq!(discard_abandoned_import(&next.deps()).await, Ok(true));
        assert_eq!(fixture.store.find_import(&fixture.tenant).await, Ok(None));
    }

    async fn what_an_import_may_not_do_is_refused(fixture) {
        let lines = export_and_delete(&fixture, &["ann", "ben", "cem"]).await;
        let none = ImportLimits::default();
        let import = async |first, lines: &[ExportLine], limits: &ImportLimits| {
            side(&fixture).import(&id("l"), first, lines, limits).await
        };
        assert_eq!(import(2, &lines[1..], &none).await, Err(ImportError::NotBegun));
        let few = ImportLimits { leaderboards: Some(0), ..none };
        assert_eq!(import(1, &lines[..1], &few).await, Err(ImportRefusal::TooManyLeaderboards.into()));
        import(1, &lines[..1], &none).await.unwrap();
        for (limits, refusal) in [
            (ImportLimits { entries: Some(2), ..none }, ImportRefusal::TooManyEntries),
            (ImportLimits { log_bytes: Some(100), ..none }, ImportRefusal::LogFull),
        ] {
            assert_eq!(import(2, &lines[1..], &limits).await, Err(refusal.into()));
        }
        assert_eq!(import(3, &lines[2..], &none).await, Err(ImportError::MissingLines { next: 2 }));
        let refused_field = |refused: Result<_, ImportError>| match refused {
            Err(ImportError::Line { line, field, .. }) => (line, field),
            other => panic!("{other:?}"),
        };
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        assert_eq!(refused_field(import(1, &swapped, &none).await), (4, "player"));
        let mut short = lines.clone();
        short.remove(4);
        assert_eq!(refused_field(import(1, &short, &none).await), (5, "type"));
        let mut without_event = lines.clone();
        without_event.remove(6);
        assert_eq!(refused_field(import(1, &without_event, &none).await), (7, "position"));
        let other = fixture.put(&board("other")).await;
        let header = &side(&fixture).export(&other.value.id).await[..1];
        let wrong_id = side(&fixture).import(&id("m"), 1, header, &none).await;
        assert_eq!(wrong_id, Err(ImportRefusal::UnderWay(id("l")).into()));
        assert_eq!(refused_field(import(1, header, &none).await), (1, "position"));
        side(&fixture).import_all(&id("l"), &lines).await;
        assert_eq!(import(1, &lines, &none).await, Err(ImportRefusal::LeaderboardExists.into()));
    }

    async fn a_ban_of_the_tenant_decides(fixture) {
        let created = fixture.put(&board("l")).await;
        for name in ["ann", "ben", "cem"] {
            fixture.submit_score(&created, name, 5).await;
        }
        fixture.store.ban(&fixture.tenant, &Ban::new(player("ann"), fixture.now())).await.unwrap().unwrap();
        let lines = side(&fixture).export(&id("l")).await;
        delete(&fixture).await;
        fixture.store.unban(&fixture.tenant, &player("ann"), fixture.now()).await.unwrap();
        fixture.store.ban(&fixture.tenant, &Ban::new(player("ben"), fixture.now())).await.unwrap().unwrap();
        side(&fixture).import_all(&id("l"), &lines).await;
        let exported = side(&fixture).export(&id("l")).await;
        let banned = exported.iter().filter_map(|line| match line {
            ExportLine::Entry(listed) if listed.is_banned => Some(listed.entry.player.as_str()),
            _ => None,
        });
        assert_eq!(banned.collect::<Vec<_>>(), ["ben"]);
        let events = exported.iter().filter(|line| matches!(line, ExportLine::Event(_))).count();
        assert_eq!(events, 1 + 3 + 1 + 2);
        assert_eq!(count_differences(&fixture).await, 0);
    }

    async fn bans_that_change_during_an_import_end_it(fixture) {
        let lines = export_and_delete(&fixture, &["ann", "ben"]).await;
        let none = ImportLimits::default();
        side(&fixture).import(&id("l"), 1, &lines[..4], &none).await.unwrap();
        fixture.store.ban(&fixture.tenant, &Ban::new(player("ann"), fixture.now())).await.unwrap().unwrap();
        let refused = side(&fixture).import(&id("l"), 5, &lines[4..], &none).await;
        assert_eq!(refused, Err(ImportError::BansChanged));
    }

    async fn a_log_without_its_first_events_goes_with_its_snapshot(fixture) {
        let mut configuration = board("l");
        configuration.log = LogPolicy { keep_events: 300, ..LogPolicy::default() };
        let created = fixture.put(&configuration).await;
        for score in 0..500 {
            fixture.submit_score(&created, &format!("p{}", score % 40), score).await;
            if let SnapshotPlan::Due(plan) = usecase::plan_snapshot(&side(&fixture).deps(), &id("l")).await.unwrap() {
                usecase::take_snapshot(&side(&fixture).deps(), &plan, None).await.unwrap();
            }
        }
        let lines = side(&fixture).export(&id("l")).await;
        assert!(lines.iter().any(|line| matches!(line, ExportLine::SnapshotPart(_))));
        delete(&fixture).await;
        side(&fixture).import_all(&id("l"), &lines).await;
        assert_eq!(side(&fixture).export(&id("l")).await, lines);
        assert_eq!(count_differences(&fixture).await, 0);
    }

    async fn a_page_has_several_parts_of_a_large_snapshot(fixture) {
        let mut configuration = board("l");
        configuration.log = LogPolicy { keep_events: 100, ..LogPolicy::default() };
        let created = fixture.put(&configuration).await;
        for score in 0..200 {
            fixture.submit_score(&created, "ann", score).await;
        }
        let first = fixture.read_events(&created).await.remove(0);
        let bytes: Vec<u8> = (0..250_u8).cycle().take(10 * MAX_SNAPSHOT_PART_BYTES).collect();
        let snapshot = NewSnapshot {
            summary: SnapshotSummary { position: first.position, latest_at: first.event.recorded_at },
            bytes: &bytes,
            configuration_version: created.version,
            replaced: &[],
            at: fixture.now(),
            max_log_bytes: None,
        };
        let put = fixture.store.put_snapshot(&fixture.tenant, &id("l"), &snapshot).await;
        assert_eq!(put, Ok(true));
        let (mut parts, mut exported, mut cursor) = (Vec::new(), Vec::new(), None);
        loop {
            let page = export_page(&side(&fixture).deps(), &id("l"), cursor).await.unwrap();
            let before = exported.len();
            for line in page.lines {
                if let ExportLine::SnapshotPart(part) = line {
                    exported.extend(part.bytes);
                }
            }
            parts.extend(Some((exported.len() - before) / MAX_SNAPSHOT_PART_BYTES).filter(|count| *count > 0));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(exported == bytes);
        assert_eq!(parts, [8, 2]);
    }

    async fn an_event_of_a_newer_format_is_kept_as_it_is(fixture) {
        let mut lines = export_and_delete(&fixture, &["ann"]).await;
        let newer = EncodedEvent { position: 3, bytes: vec![200, 10, 1, 2, 3] };
        let Some(ExportLine::Header(header)) = lines.first_mut() else {
            panic!("a header");
        };
        header.position = 3;
        let end = lines.len() - 1;
        lines.insert(end, ExportLine::Event(newer));
        lines[end + 1] = ExportLine::End(end as u64 + 1);
        side(&fixture).import_all(&id("l"), &lines).await;
        assert_eq!(side(&fixture).export(&id("l")).await, lines);
    }

    async fn a_leaderboard_goes_on_after_its_import(fixture) {
        let lines = export_and_delete(&fixture, &["ann", "ben"]).await;
        side(&fixture).import_all(&id("l"), &lines).await;
        let imported = fixture.store.get(&fixture.tenant, &id("l")).await.unwrap().unwrap();
        let imported = std::rc::Rc::new(imported);
        fixture.submit_score(&imported, "cem", 9).await;
        fixture.store.ban(&fixture.tenant, &Ban::new(player("ann"), fixture.now())).await.unwrap().unwrap();
        assert_eq!(count_differences(&fixture).await, 0);
        let exported = side(&fixture).export(&id("l")).await;
        let banned = encode_event(&Event {
            recorded_at: fixture.now(),
            body: EventBody::Banned { player: player("ann") },
        });
        let last = exported.iter().rev().find_map(|line| match line {
            ExportLine::Event(event) => Some(event.clone()),
            _ => None,
        });
        assert_eq!(last, Some(EncodedEvent { position: 5, bytes: banned }));
    }
}
