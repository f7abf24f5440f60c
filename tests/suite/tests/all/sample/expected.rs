//! Computes the expected lists directly from the sample file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use leaderboard_test_support::{
    ExpectedTies, ListedEntry, ScoreOrder, ScoredPlayer, project_root, ranked_entries,
};
use tempfile::NamedTempFile;

/// The path of the sample file, relative to the root of the project.
pub(super) const FILE: &str = "tests/data/goalscorers.csv";

/// The lists that the leaderboards should have after an import of a file.
pub(super) struct ExpectedLists {
    /// The number of rows below the header.
    pub(super) rows: u64,
    /// The number of rows that are a goal of a known player, without own goals.
    pub(super) goals: u64,
    /// The goals and the date of the last goal, by year and player. An empty year stands for all time.
    tallies: HashMap<(String, String), (i64, String)>,
}

impl ExpectedLists {
    /// Reads a file. The path is absolute, or relative to the root of the project.
    pub(super) fn read(file: impl AsRef<Path>) -> Self {
        let mut reader = csv::Reader::from_path(absolute_path(file)).unwrap();
        let mut answers = Self {
            rows: 0,
            goals: 0,
            tallies: HashMap::new(),
        };
        for row in reader.deserialize::<HashMap<String, String>>() {
            let row = row.unwrap();
            answers.rows += 1;
            if row["own_goal"] == "TRUE" || row["scorer"] == "NA" {
                continue;
            }
            answers.goals += 1;
            let player = format!("{} ({})", row["scorer"], row["team"]);
            let date = &row["date"];
            for year in ["", &date[..4]] {
                let (goals, last) = answers
                    .tallies
                    .entry((year.to_owned(), player.clone()))
                    .or_default();
                *goals += 1;
                *last = last.clone().max(date.clone());
            }
        }
        answers
    }

    /// Returns the list of all time.
    pub(super) fn all_time(&self) -> Vec<ListedEntry> {
        self.list_of("")
    }

    /// Returns the list of each year.
    pub(super) fn years(&self) -> BTreeMap<String, Vec<ListedEntry>> {
        let years = self
            .tallies
            .keys()
            .map(|(year, _)| year)
            .filter(|year| !year.is_empty());
        let mut lists = BTreeMap::new();
        for year in years {
            if !lists.contains_key(year) {
                lists.insert(year.clone(), self.list_of(year));
            }
        }
        lists
    }

    /// Returns the list of a year, or of all time for an empty year.
    fn list_of(&self, wanted: &str) -> Vec<ListedEntry> {
        let of_the_year = self.tallies.iter().filter(|((year, _), _)| year == wanted);
        let scored = of_the_year.map(|((_, player), (goals, last))| ScoredPlayer {
            player: player.clone(),
            score: *goals,
            reached_at: format!("{last}T00:00:00.000Z"),
        });
        ranked_entries(scored.collect(), ScoreOrder::Desc, ExpectedTies::Earliest)
    }
}

/// Creates a file with the header and the first `rows` rows of the sample.
pub(super) fn shorten_sample(rows: usize) -> NamedTempFile {
    let text = std::fs::read_to_string(absolute_path(FILE)).unwrap();
    let end = text
        .match_indices('\n')
        .nth(rows)
        .map_or(text.len(), |(at, _)| at + 1);
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text[..end]).unwrap();
    file
}

/// Returns the absolute path of a file below the root of the project. An absolute path is returned unchanged.
pub(super) fn absolute_path(file: impl AsRef<Path>) -> PathBuf {
    project_root().join(file)
}
