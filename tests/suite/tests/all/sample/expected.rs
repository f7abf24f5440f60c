//! The right answers, straight from the file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use leaderboard_test_support::{
    ExpectedTies, ListedEntry, ScoreOrder, ScoredPlayer, project_root, ranked_entries,
};
use tempfile::NamedTempFile;

/// The sample, below the root of the project.
pub(super) const FILE: &str = "tests/data/goalscorers.csv";

/// What the file says.
pub(super) struct ExpectedLists {
    /// Lines below the header.
    pub(super) rows: u64,
    /// Those that count for someone.
    pub(super) goals: u64,
    /// Year and player to goals and the last day of one; the year is empty for all time.
    tallies: HashMap<(String, String), (i64, String)>,
}

impl ExpectedLists {
    /// Reads a file, given below the root of the project or as a whole path.
    pub(super) fn of(file: impl AsRef<Path>) -> Self {
        let mut reader = csv::Reader::from_path(absolute(file)).unwrap();
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

    /// The list of all time.
    pub(super) fn all_time(&self) -> Vec<ListedEntry> {
        self.list_of("")
    }

    /// The list of each year.
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

/// A file of the first rows of the sample.
pub(super) fn shortened(rows: usize) -> NamedTempFile {
    let text = std::fs::read_to_string(absolute(FILE)).unwrap();
    let end = text
        .match_indices('\n')
        .nth(rows)
        .map_or(text.len(), |(at, _)| at + 1);
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text[..end]).unwrap();
    file
}

pub(super) fn absolute(file: impl AsRef<Path>) -> PathBuf {
    project_root().join(file)
}
