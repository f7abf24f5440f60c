//! `scripts/bench`: the benchmarks of `scripts/bench.toml` in order, and one report of them all.
//!
//! A benchmark reports by printing JSON objects, one a line, on standard output; their fields become the columns
//! of its table. What Criterion measured is read from the files it leaves behind.

mod criterion;
mod report;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::Profile;
use crate::functions::{self, Kind};
use crate::workspace::Workspace;
use crate::{process, progress};

/// Where the list is, below the root.
pub(crate) const LIST_FILE: &str = "scripts/bench.toml";
const REPORT_FILE: &str = "bench/report.md";
/// Builds the programs that benchmarks start.
const PROGRAMS: [&str; 6] = [
    "build",
    "--release",
    "--package",
    "edgeboard",
    "--package",
    "leaderboard-host",
];

/// The list of benchmarks, in the order in which they run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    #[serde(default)]
    bench: Vec<Bench>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bench {
    /// The heading in the report.
    name: String,
    /// The arguments of cargo.
    cargo: Vec<String>,
    /// Whether it runs the components as shipped, which are then built before it.
    #[serde(default)]
    components: bool,
    /// Whether it starts the programs that `up` starts, which are then built before it.
    #[serde(default)]
    programs: bool,
}

/// A row of a report: the fields of one JSON line.
type Row = Map<String, Value>;

/// What a benchmark said.
struct Section {
    name: String,
    command: String,
    seconds: u64,
    rows: Vec<Row>,
}

/// Runs the benchmarks whose name has one of `filters` in it, all when there is none, and writes the report.
///
/// # Errors
/// When the list cannot be read, nothing in it matches, or a benchmark fails.
pub(crate) fn run(workspace: &Workspace, filters: &[String]) -> Result<()> {
    let list = List::read(&workspace.root.join(LIST_FILE))?;
    let chosen = list.choose(filters);
    ensure!(!chosen.is_empty(), "no benchmark of {LIST_FILE} matches");
    if chosen.iter().any(|bench| bench.components) {
        functions::build(workspace, Kind::Function, Profile::Edge)?;
        functions::build(workspace, Kind::Guest, Profile::Edge)?;
    }
    if chosen.iter().any(|bench| bench.programs) {
        process::run(process::cargo(&workspace.root, &PROGRAMS))?;
    }
    let mut sections = Vec::new();
    for (bench, number) in chosen.iter().zip(1usize..) {
        eprintln!("==> {number}/{} {}", chosen.len(), bench.name);
        sections.push(bench.run(workspace)?);
    }
    let file = workspace.target.join(REPORT_FILE);
    fs::create_dir_all(file.parent().unwrap_or(&workspace.target))?;
    let text = report::write(&report::Machine::here(workspace), &sections);
    fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    print!("{text}");
    eprintln!("==> written to {}", file.display());
    Ok(())
}

impl List {
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Whether it runs this benchmark of this package.
    pub(crate) fn runs(&self, package: &str, bench: &str) -> bool {
        let names = |bench: &Bench, option: &str, value: &str| {
            let mut words = bench.cargo.windows(2);
            words.any(|pair| matches!(pair, [own, name] if own == option && name == value))
        };
        self.bench
            .iter()
            .any(|own| names(own, "--package", package) && names(own, "--bench", bench))
    }

    fn choose(&self, filters: &[String]) -> Vec<&Bench> {
        let wanted = |bench: &&Bench| {
            let name = bench.name.to_lowercase();
            filters.is_empty() || filters.iter().any(|filter| name.contains(&filter.to_lowercase()))
        };
        self.bench.iter().filter(wanted).collect()
    }
}

impl Bench {
    fn run(&self, workspace: &Workspace) -> Result<Section> {
        let (started, since) = (Instant::now(), SystemTime::now());
        let arguments: Vec<&str> = self.cargo.iter().map(String::as_str).collect();
        let command = process::cargo(&workspace.root, &arguments);
        let line = process::describe(&command);
        let mut rows = run_and_collect(command)?;
        rows.extend(criterion::read(&workspace.target.join("criterion"), since)?);
        eprintln!("    {}: {}", self.name, progress::display(started.elapsed()));
        Ok(Section {
            name: self.name.clone(),
            command: line,
            seconds: started.elapsed().as_secs(),
            rows,
        })
    }
}

/// Runs a command, shows what it prints, and keeps the lines that are JSON objects.
fn run_and_collect(mut command: Command) -> Result<Vec<Row>> {
    let line = process::describe(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let mut rows = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for printed in BufReader::new(stdout).lines() {
            let printed = printed.with_context(|| format!("cannot read what `{line}` prints"))?;
            eprintln!("{printed}");
            rows.extend(row(&printed));
        }
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(rows)
}

/// The JSON object that a line consists of.
fn row(line: &str) -> Option<Row> {
    if !line.starts_with('{') {
        return None;
    }
    serde_json::from_str(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_are_collected_and_others_shown_only() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"echo starting; echo '{"rank_us": 5}'; echo '{broken'"#]);
        let rows = run_and_collect(command).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["rank_us"], 5);
    }

    #[test]
    fn a_failing_benchmark_is_an_error() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exit 1"]);
        assert!(run_and_collect(command).is_err());
    }

    #[test]
    fn benchmarks_are_chosen_by_their_name() {
        let list: List = toml::from_str(
            "[[bench]]\nname = 'Order key'\ncargo = ['bench']\n[[bench]]\nname = 'Host'\ncargo = ['bench']",
        )
        .unwrap();
        assert_eq!(list.choose(&[]).len(), 2);
        let chosen = list.choose(&["order".to_owned()]);
        assert_eq!(
            chosen.iter().map(|bench| bench.name.as_str()).collect::<Vec<_>>(),
            ["Order key"]
        );
    }

    #[test]
    fn the_list_of_this_repository_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert!(List::read(&root.join(LIST_FILE)).is_ok());
    }
}
