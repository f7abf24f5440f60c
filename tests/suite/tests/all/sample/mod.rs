//! Tests of the project's sample: the command-line tool imports every international football goal since 1916.
//! The lists are compared with lists that are computed directly from the file.

mod expected;
mod tool;

use std::collections::BTreeMap;

use expected::{ExpectedLists, FILE, shorten_sample};
use leaderboard_test_support::{ApiClient, ListedEntry, StoreKind, TestService};
use serde_json::Value;
use tool::Import;

use crate::cases::on_both_kinds;

/// Reads the whole list of a period, page by page.
async fn read_whole_list(api: &ApiClient, board: &str, period: &str) -> Vec<ListedEntry> {
    let mut list = Vec::new();
    let mut query = format!("?limit=1000&period={period}");
    loop {
        let page = api.page(board, &query).await;
        list.extend(ListedEntry::parse_all(&page["entries"]));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(page["count"], list.len());
            return list;
        };
        query = format!("?limit=1000&cursor={next}");
    }
}

/// Compares the lists of both leaderboards, entry by entry.
async fn compare_leaderboards(api: &ApiClient, answers: &ExpectedLists) {
    assert_same_entries(&read_whole_list(api, "goals", "all").await, &answers.all_time());
    let periods = api
        .get("/leaderboards/goals-by-year/periods?limit=200")
        .await
        .expect_status(200);
    let actual: BTreeMap<String, u64> = periods["periods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|period| {
            (
                period["id"].as_str().unwrap()[..4].to_owned(),
                period["count"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = answers.years();
    assert_eq!(
        actual,
        expected
            .iter()
            .map(|(year, list)| (year.clone(), list.len() as u64))
            .collect()
    );
    for (year, list) in expected {
        assert_same_entries(
            &read_whole_list(api, "goals-by-year", &format!("{year}-01-01T00:00:00Z")).await,
            &list,
        );
    }
}

/// Compares two long lists. A failure shows only the first difference.
fn assert_same_entries(seen: &[ListedEntry], expected: &[ListedEntry]) {
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.len(), expected.len());
}

/// Returns the version of the list of all time, and the periods of the other leaderboard with their versions.
async fn read_versions(api: &ApiClient) -> [Value; 2] {
    [
        api.page("goals", "?limit=1").await["version"].clone(),
        api.get("/leaderboards/goals-by-year/periods")
            .await
            .expect_status(200)["periods"]
            .clone(),
    ]
}

async fn every_goal_counts_once(store: StoreKind) {
    let service = TestService::start(store).await;
    let api = ApiClient::over_http(&service.host.url()).for_tenant("default");
    let answers = ExpectedLists::read(FILE);
    let import = Import::new(&service.host.url(), FILE);
    let report = import.run(&[]).await;
    assert_eq!(
        (&report["imported"], &report["refused"]),
        (&answers.goals.into(), &0.into()),
        "{report}"
    );
    assert_eq!(report["rows"], answers.rows);
    let skipped: Vec<u64> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["rows"].as_u64().unwrap())
        .collect();
    assert_eq!(skipped.iter().sum::<u64>(), answers.rows - answers.goals);
    compare_leaderboards(&api, &answers).await;

    // A second import changes nothing, whether it starts at the checkpoint or at the first row.
    let before = read_versions(&api).await;
    let report = import.run(&[]).await;
    assert_eq!(
        (&report["imported"], &report["imported_before"]),
        (&0.into(), &answers.goals.into())
    );
    let report = import.run(&["--again"]).await;
    assert_eq!(
        (&report["imported"], &report["replayed"]),
        (&answers.goals.into(), &answers.goals.into()),
        "{report}"
    );
    assert_eq!(read_versions(&api).await, before);
    compare_leaderboards(&api, &answers).await;
}

async fn a_killed_import_continues_at_its_checkpoint(store: StoreKind) {
    const ROWS: usize = 6000;
    let service = TestService::start(store).await;
    let api = ApiClient::over_http(&service.host.url()).for_tenant("default");
    let file = shorten_sample(ROWS);
    let answers = ExpectedLists::read(file.path());
    let import = Import::new(&service.host.url(), file.path());
    for versions in [500, 2000] {
        import.kill_after(&api, versions).await;
    }
    let report = import.run(&["--batch", "50"]).await;
    let (now, before) = (
        report["imported"].as_u64().unwrap(),
        report["imported_before"].as_u64().unwrap(),
    );
    assert_eq!(now + before, answers.goals, "{report}");
    assert!(
        before > 0,
        "the import did not continue at its checkpoint: {report}"
    );
    compare_leaderboards(&api, &answers).await;
}

on_both_kinds! {
    every_goal_counts_once
    a_killed_import_continues_at_its_checkpoint
}
