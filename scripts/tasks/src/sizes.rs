//! The sizes of the components as shipped, beside a budget each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::cli::Profile;
use crate::functions::{self, Kind};
use crate::workspace::Workspace;

const BUDGETS_FILE: &str = "scripts/sizes.toml";
const BYTES_A_KIB: u64 = 1024;

/// The budgets, in KiB.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budgets {
    /// For a component that has none of its own.
    default_kib: u64,
    #[serde(default)]
    kib: BTreeMap<String, u64>,
}

/// A component and its size.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    bytes: u64,
    budget_kib: u64,
}

impl Row {
    fn is_over(&self) -> bool {
        self.bytes > self.budget_kib.saturating_mul(BYTES_A_KIB)
    }
}

/// Builds the functions as shipped and prints their sizes; exit code 1 when one is above its budget.
///
/// # Errors
/// When they cannot be built or the budgets cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let budgets = Budgets::read(&workspace.root.join(BUDGETS_FILE))?;
    // Where cargo put them, so that test components in place are left alone.
    let built = functions::compile(workspace, Kind::Function, Profile::Edge)?;
    let sizes = built
        .iter()
        .map(|component| {
            let file = fs::metadata(&component.file);
            let file = file.with_context(|| format!("cannot read {}", component.file.display()))?;
            Ok((component.name.clone(), file.len()))
        })
        .collect::<Result<Vec<_>>>()?;
    let rows = budgets.rows(sizes)?;
    print!("{}", table(&rows));
    let over: Vec<&str> = rows
        .iter()
        .filter(|row| row.is_over())
        .map(|row| row.name.as_str())
        .collect();
    if over.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: above the budget of {BUDGETS_FILE}: {}", over.join(", "));
    Ok(ExitCode::FAILURE)
}

impl Budgets {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    fn rows(&self, sizes: Vec<(String, u64)>) -> Result<Vec<Row>> {
        for name in self.kib.keys() {
            let known = sizes.iter().any(|(own, _)| own == name);
            ensure!(
                known,
                "{BUDGETS_FILE} has a budget for {name}, which is no function"
            );
        }
        let budget = |name: &str| self.kib.get(name).copied().unwrap_or(self.default_kib);
        Ok(sizes
            .into_iter()
            .map(|(name, bytes)| Row {
                budget_kib: budget(&name),
                name,
                bytes,
            })
            .collect())
    }
}

/// The table in Markdown.
fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "Sizes of the components as shipped (profile `edge`).\n\n\
         | component | size (KiB) | budget (KiB) | |\n|---|---:|---:|---|\n",
    );
    for row in rows {
        let verdict = if row.is_over() { "**over**" } else { "ok" };
        text.push_str(&format!(
            "| {} | {} | {} | {verdict} |\n",
            row.name,
            row.bytes.div_ceil(BYTES_A_KIB),
            row.budget_kib
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        toml::from_str("default_kib = 4\n[kib]\nbig = 8\n").unwrap()
    }

    #[test]
    fn a_component_above_its_budget_is_marked() {
        let rows = budgets()
            .rows(vec![("small".into(), 4 * 1024), ("big".into(), 8 * 1024 + 1)])
            .unwrap();
        assert_eq!(rows.iter().map(Row::is_over).collect::<Vec<_>>(), [false, true]);
        let table = table(&rows);
        assert!(table.contains("profile `edge`"));
        assert!(table.contains("| small | 4 | 4 | ok |"));
        assert!(table.contains("| big | 9 | 8 | **over** |"));
    }

    #[test]
    fn a_budget_for_nothing_is_an_error() {
        let error = budgets().rows(vec![("small".into(), 1)]).unwrap_err().to_string();
        assert_eq!(
            error,
            "scripts/sizes.toml has a budget for big, which is no function"
        );
    }

    #[test]
    fn the_budgets_of_this_repository_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert!(Budgets::read(&root.join(BUDGETS_FILE)).is_ok());
    }
}
