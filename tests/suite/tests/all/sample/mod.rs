//! The project's own sample: every international football goal since 1916, imported by the command-line tool and
//! compared with answers computed straight from the file.

mod answers;
mod tool;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::edgeboard::{Edgeboard, Site, Standing, Store};
use crate::harness::block_on;
use answers::{Answers, FILE, shortened};
use tool::Import;

/// The whole list of a period, page by page.
async fn whole_list(edgeboard: &Edgeboard, board: &str, period: &str) -> Vec<Standing> {
    let mut list = Vec::new();
    let mut query = format!("?limit=1000&period={period}");
    loop {
        let page = edgeboard.page(board, &query).await;
        list.extend(Standing::all_of(&page["entries"]));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(page["count"], list.len());
            return list;
        };
        query = format!("?limit=1000&cursor={next}");
    }
}

/// Compares both leaderboards, entry by entry.
async fn compare(edgeboard: &Edgeboard, answers: &Answers) {
    assert_same(&whole_list(edgeboard, "goals", "all").await, &answers.all_time());
    let periods = edgeboard
        .get("/leaderboards/goals-by-year/periods?limit=200")
        .await
        .is(200);
    let told: BTreeMap<String, u64> = periods["periods"]
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
        told,
        expected
            .iter()
            .map(|(year, list)| (year.clone(), list.len() as u64))
            .collect()
    );
    for (year, list) in expected {
        assert_same(
            &whole_list(edgeboard, "goals-by-year", &format!("{year}-01-01T00:00:00Z")).await,
            &list,
        );
    }
}

/// Two lists of thousands: tells the first difference.
fn assert_same(seen: &[Standing], expected: &[Standing]) {
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.len(), expected.len());
}

async fn versions(edgeboard: &Edgeboard) -> [Value; 2] {
    [
        edgeboard.page("goals", "?limit=1").await["version"].clone(),
        edgeboard.get("/leaderboards/goals-by-year/periods").await.is(200)["periods"].clone(),
    ]
}

fn every_goal_counts_once(store: Store) {
    block_on(async {
        let site = Site::start(store).await;
        let edgeboard = Edgeboard::of_tenant(site.host.url(), "default");
        let answers = Answers::of(FILE);
        let import = Import::new(&site.host.url(), FILE);
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
        compare(&edgeboard, &answers).await;

        // A second time, from the checkpoint and from the first row on: nothing changes.
        let before = versions(&edgeboard).await;
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
        assert_eq!(versions(&edgeboard).await, before);
        compare(&edgeboard, &answers).await;
    });
}

fn an_import_that_was_killed_goes_on_where_it_was(store: Store) {
    const ROWS: usize = 6000;
    block_on(async {
        let site = Site::start(store).await;
        let edgeboard = Edgeboard::of_tenant(site.host.url(), "default");
        let file = shortened(ROWS);
        let answers = Answers::of(file.path());
        let import = Import::new(&site.host.url(), file.path());
        for enough in [500, 2000] {
            import.kill_after(&edgeboard, enough).await;
        }
        let report = import.run(&["--batch", "50"]).await;
        let (now, before) = (
            report["imported"].as_u64().unwrap(),
            report["imported_before"].as_u64().unwrap(),
        );
        assert_eq!(now + before, answers.goals, "{report}");
        assert!(before > 0, "it went on: {report}");
        compare(&edgeboard, &answers).await;
    });
}

mod sqlite {
    use crate::edgeboard::Store;

    #[test]
    fn every_goal_counts_once() {
        super::every_goal_counts_once(Store::Sqlite);
    }

    #[test]
    fn an_import_that_was_killed_goes_on_where_it_was() {
        super::an_import_that_was_killed_goes_on_where_it_was(Store::Sqlite);
    }
}

mod redis {
    use crate::edgeboard::Store;

    #[test]
    fn every_goal_counts_once() {
        super::every_goal_counts_once(Store::Redis);
    }

    #[test]
    fn an_import_that_was_killed_goes_on_where_it_was() {
        super::an_import_that_was_killed_goes_on_where_it_was(Store::Redis);
    }
}
